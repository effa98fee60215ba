/** The activations and their slopes, one vector at a time. */
import {
  abs4,
  add4,
  andNot4,
  atLeast4,
  atMost4,
  div4,
  less4,
  lessEqual4,
  mul4,
  neg4,
  relu4,
  select4,
  splat,
  sub4,
  zero4,
} from "./simd";
import { COPY, EXP } from "./work";
import { erfc4, exp4, expm1Negative4, expNegative4, log1p4, sigmoid4, silu4, tanh4 } from "./math";

/**
 * The activations by number. `softmax` runs over rows and has kernels of its own; `swish` is `silu`; `gelu` is the exact one
 * and `geluTanh` its approximation by tanh. @abi
 */
export enum Activation {
  linear = 0,
  relu = 1,
  leakyRelu = 2,
  sigmoid = 3,
  tanh = 4,
  softmax = 5,
  relu6 = 6,
  elu = 7,
  selu = 8,
  hardSigmoid = 9,
  softplus = 10,
  silu = 11,
  swish = 11,
  hardSwish = 12,
  gelu = 13,
  geluTanh = 14,
  mish = 15,
}

/** From this activation on the slope follows from the input: the output does not tell it, or not well enough. @abi */
export const FIRST_FROM_INPUT: i32 = Activation.softplus;

/** The cost of an element on its way through an activation (see `work.ts`). @work */
export function activationCost(kind: i32): f64 {
  return isClip(kind) ||
    kind == Activation.leakyRelu ||
    kind == Activation.hardSigmoid ||
    kind == Activation.hardSwish
    ? COPY
    : EXP;
}

/** The cost of its gradient; before softplus the output tells the slope. @work */
export function slopeCost(kind: i32): f64 {
  return kind < FIRST_FROM_INPUT ? COPY : activationCost(kind);
}

/** λ and λ·α of Klambauer et al. 2017. */
const SELU_SCALE: f32 = 1.0507009873554805;
const SELU_LIMIT: f32 = 1.7580993408473766;
const ROOT_HALF: f32 = 0.7071067811865476;
/** 1 / √(2π) and √(2/π). */
const NORMAL_PEAK: f32 = 0.3989422804014327;
const ROOT_2_BY_PI: f32 = 0.7978845608028654;
/** The cubic term of Hendrycks and Gimpel's approximation of GELU. */
const CUBIC: f32 = 0.044715;
/** tanh(softplus(x)) is 1 to the last bit, and (w + 2)² is still finite: see `mishWeight4`. */
const MISH_HIGHEST: f32 = 20.0;
/** From here on outwards slopes are 0 and 1 to the last bit, which infinity times 0 is not. */
const SLOPE_HIGHEST: f32 = 128.0;

/** `min(max(x, 0), limit)`; NaN stays NaN. */
// @ts-ignore: decorator
@inline
function clip4(x: v128, limit: v128): v128 {
  return atMost4(relu4(x), limit);
}

/** `x > 0 ? scale·x : limit·(e^x − 1)`. */
// @ts-ignore: decorator
@inline
function exponential4(x: v128, scale: v128, limit: v128): v128 {
  return select4(less4(zero4(), x), mul4(scale, x), mul4(limit, expm1Negative4(atMost4(x, zero4()))));
}

/** The share of a normal distribution below x. */
// @ts-ignore: decorator
@inline
function normalBelow4(x: v128): v128 {
  const tail = mul4(splat(0.5), erfc4(mul4(abs4(x), splat(ROOT_HALF))));
  return select4(less4(x, zero4()), tail, sub4(splat(1), tail));
}

/** tanh(√(2/π)·(x + 0.044715·x³)). */
// @ts-ignore: decorator
@inline
function geluTanh4(x: v128): v128 {
  const square = mul4(x, x);
  return tanh4(mul4(mul4(splat(ROOT_2_BY_PI), x), add4(splat(1), mul4(splat(CUBIC), square))));
}

/** With e = e^x: w = e·(e + 2) gives tanh(softplus(x)) = w / (w + 2), without a difference. */
// @ts-ignore: decorator
@inline
function mishWeight4(x: v128): v128 {
  const e = exp4(atMost4(x, splat(MISH_HIGHEST)));
  return mul4(e, add4(e, splat(2)));
}

/** Whether the kind is a matter of two bounds: linear, relu and relu6. @work */
// @ts-ignore: decorator
@inline
export function isClip(kind: i32): bool {
  return kind == Activation.linear || kind == Activation.relu || kind == Activation.relu6;
}

/** The bounds of such a kind. */
// @ts-ignore: decorator
@inline
export function floorOf(kind: i32): f32 {
  return kind == Activation.linear ? -Infinity : 0;
}

// @ts-ignore: decorator
@inline
export function ceilingOf(kind: i32): f32 {
  return kind == Activation.relu6 ? 6 : Infinity;
}

/** One vector of activations; `kind` is a constant wherever this is inlined. */
// @ts-ignore: decorator
@inline
export function activate4(kind: i32, alpha: v128, x: v128): v128 {
  const one = splat(1);
  const half = splat(0.5);
  if (kind == Activation.relu) return relu4(x);
  if (kind == Activation.leakyRelu) return select4(less4(x, zero4()), mul4(alpha, x), x);
  if (kind == Activation.sigmoid) return sigmoid4(x);
  if (kind == Activation.tanh) return tanh4(x);
  if (kind == Activation.relu6) return clip4(x, splat(6));
  if (kind == Activation.elu) return exponential4(x, one, alpha);
  if (kind == Activation.selu) return exponential4(x, splat(SELU_SCALE), splat(SELU_LIMIT));
  if (kind == Activation.hardSigmoid) return clip4(add4(mul4(alpha, x), half), one);
  if (kind == Activation.softplus) return add4(relu4(x), log1p4(expNegative4(neg4(abs4(x)))));
  if (kind == Activation.silu) return silu4(x);
  if (kind == Activation.hardSwish) return mul4(x, div4(clip4(add4(x, splat(3)), splat(6)), splat(6)));
  if (kind == Activation.gelu) return mul4(x, normalBelow4(x));
  if (kind == Activation.geluTanh) return mul4(mul4(half, x), add4(one, geluTanh4(x)));
  if (kind == Activation.mish) {
    const weight = mishWeight4(x);
    return mul4(x, div4(weight, add4(weight, splat(2))));
  }
  return x;
}

/** `dy`, or 0 where `y ≤ low` or `y ≥ high`. */
// @ts-ignore: decorator
@inline
function between4(low: v128, high: v128, y: v128, dy: v128): v128 {
  return andNot4(andNot4(dy, lessEqual4(y, low)), lessEqual4(high, y));
}

/** One vector of gradients from the output `y` of the kinds before softplus; `kind` is a constant wherever this is inlined. */
// @ts-ignore: decorator
@inline
function gradientFromOutput4(kind: i32, alpha: v128, y: v128, dy: v128): v128 {
  const zero = zero4();
  const one = splat(1);
  if (kind == Activation.relu) return andNot4(dy, lessEqual4(y, zero));
  if (kind == Activation.leakyRelu) return select4(less4(zero, y), dy, mul4(alpha, dy));
  if (kind == Activation.sigmoid) return mul4(dy, mul4(sub4(one, y), y));
  if (kind == Activation.tanh) return mul4(dy, sub4(one, mul4(y, y)));
  if (kind == Activation.relu6) return between4(zero, splat(6), y, dy);
  if (kind == Activation.elu) return mul4(dy, select4(less4(zero, y), one, add4(y, alpha)));
  if (kind == Activation.selu) {
    return mul4(dy, select4(less4(zero, y), splat(SELU_SCALE), add4(y, splat(SELU_LIMIT))));
  }
  if (kind == Activation.hardSigmoid) return between4(zero, one, y, mul4(alpha, dy));
  return dy;
}

/** The slope of a kind from softplus on at the input `x`, of hard swish above −3; `kind` is a constant wherever this is inlined. */
// @ts-ignore: decorator
@inline
function slopeFromInput4(kind: i32, x: v128): v128 {
  const one = splat(1);
  const half = splat(0.5);
  if (kind == Activation.softplus) return sigmoid4(x);
  if (kind == Activation.hardSwish)
    return select4(lessEqual4(splat(3), x), one, add4(div4(x, splat(3)), half));
  x = atLeast4(atMost4(x, splat(SLOPE_HIGHEST)), splat(-SLOPE_HIGHEST));
  if (kind == Activation.silu) {
    // 1 − σ(x) = σ(−x), without a difference.
    return mul4(sigmoid4(x), add4(one, mul4(x, sigmoid4(neg4(x)))));
  }
  if (kind == Activation.gelu) {
    const density = mul4(splat(NORMAL_PEAK), expNegative4(neg4(mul4(half, mul4(x, x)))));
    return add4(normalBelow4(x), mul4(x, density));
  }
  if (kind == Activation.geluTanh) {
    const t = geluTanh4(x);
    const inner = mul4(splat(ROOT_2_BY_PI), add4(one, mul4(splat(3 * CUBIC), mul4(x, x))));
    const bend = mul4(mul4(x, sub4(one, mul4(t, t))), inner);
    return mul4(half, add4(add4(one, t), bend));
  }
  // Mish: t + x·(1 − t²)·σ(x) with t = w / (w + 2), so that 1 − t² = 4·(w + 1) / (w + 2)².
  const weight = mishWeight4(x);
  const sum = add4(weight, splat(2));
  const bend = div4(mul4(splat(4), add4(weight, one)), mul4(sum, sum));
  return add4(div4(weight, sum), mul4(mul4(x, bend), sigmoid4(x)));
}

/** One vector of gradients; `s` is the output, or from softplus on the input. `kind` is a constant wherever this is inlined. */
// @ts-ignore: decorator
@inline
export function gradient4(kind: i32, alpha: v128, s: v128, dy: v128): v128 {
  if (kind < Activation.softplus) return gradientFromOutput4(kind, alpha, s, dy);
  const dx = mul4(dy, slopeFromInput4(kind, s));
  return kind == Activation.hardSwish ? andNot4(dx, lessEqual4(s, splat(-3))) : dx;
}
