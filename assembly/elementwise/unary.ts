/** Functions of one element that are no activations, and their slopes. */
import { LINE, endShare, firstShare } from "../lib/share";
import {
  LANES,
  abs4,
  add4,
  and4,
  andNot4,
  ceil4,
  div4,
  floor4,
  less4,
  loadLanes,
  max4,
  min4,
  mul4,
  nearest4,
  neg4,
  select4,
  splat,
  sqrt4,
  storeLanes,
  sub4,
  zero4,
} from "../lib/simd";
import { TWO_BY_ROOT_PI, erf4, exp4, expm1Negative4 } from "../lib/math";
import { log4 } from "../lib/logarithm";
import { COPY, DIVIDE, EXP, LOG } from "../lib/work";

/** Functions of one element by number; the formulas stand at `unaryForward`. From `floor` on the slope is 0. @abi */
export enum Unary {
  abs = 0,
  neg = 1,
  sqrt = 2,
  reciprocal = 3,
  exp = 4,
  log = 5,
  erf = 6,
  softsign = 7,
  threshold = 8,
  clip = 9,
  exponential = 10,
  floor = 11,
  ceil = 12,
  round = 13,
  sign = 14,
}

/** The cost of an element (see `lib/work.ts`). @work */
export function unaryCost(kind: i32): f64 {
  return kind == Unary.log
    ? LOG
    : kind == Unary.exp || kind == Unary.erf || kind == Unary.exponential
      ? EXP
      : kind == Unary.sqrt || kind == Unary.reciprocal || kind == Unary.softsign
        ? DIVIDE
        : COPY;
}

/** ±1, or x itself where it is ±0 or NaN. */
// @ts-ignore: decorator
@inline
function sign4(x: v128): v128 {
  return select4(less4(zero4(), x), splat(1), select4(less4(x, zero4()), splat(-1), x));
}

/** One vector; `kind` is a constant wherever this is inlined. */
// @ts-ignore: decorator
@inline
function unary4(kind: i32, alpha: v128, beta: v128, x: v128): v128 {
  if (kind == Unary.abs) return abs4(x);
  if (kind == Unary.neg) return neg4(x);
  if (kind == Unary.sqrt) return sqrt4(x);
  if (kind == Unary.reciprocal) return div4(splat(1), x);
  if (kind == Unary.exp) return exp4(x);
  if (kind == Unary.log) return log4(x);
  if (kind == Unary.erf) return erf4(x);
  if (kind == Unary.softsign) return div4(x, add4(splat(1), abs4(x)));
  if (kind == Unary.threshold) return and4(x, less4(alpha, x));
  if (kind == Unary.clip) return min4(max4(x, alpha), beta);
  if (kind == Unary.exponential) {
    return select4(less4(zero4(), x), x, mul4(alpha, expm1Negative4(min4(mul4(beta, x), zero4()))));
  }
  if (kind == Unary.floor) return floor4(x);
  if (kind == Unary.ceil) return ceil4(x);
  return kind == Unary.round ? nearest4(x) : sign4(x);
}

/** The slopes at one vector of inputs of the kinds that have no flat side; `kind` is a constant wherever this is inlined. */
// @ts-ignore: decorator
@inline
function unarySlope4(kind: i32, alpha: v128, beta: v128, x: v128): v128 {
  const one = splat(1);
  if (kind == Unary.abs) return sign4(x);
  if (kind == Unary.neg) return splat(-1);
  if (kind == Unary.sqrt) return div4(splat(0.5), sqrt4(x));
  if (kind == Unary.reciprocal) return neg4(div4(one, mul4(x, x)));
  if (kind == Unary.exp) return exp4(x);
  if (kind == Unary.log) return div4(one, x);
  if (kind == Unary.erf) return mul4(splat(TWO_BY_ROOT_PI), exp4(neg4(mul4(x, x))));
  if (kind == Unary.softsign) {
    const divisor = add4(one, abs4(x));
    return div4(one, mul4(divisor, divisor));
  }
  const below = mul4(mul4(alpha, beta), exp4(min4(mul4(beta, x), zero4())));
  return select4(less4(zero4(), x), one, below);
}

/** One vector of gradients; `kind` is a constant wherever this is inlined. */
// @ts-ignore: decorator
@inline
function unaryGradient4(kind: i32, alpha: v128, beta: v128, x: v128, dy: v128): v128 {
  if (kind == Unary.threshold) return and4(dy, less4(alpha, x));
  if (kind == Unary.clip) return andNot4(andNot4(dy, less4(x, alpha)), less4(beta, x));
  return mul4(dy, unarySlope4(kind, alpha, beta, x));
}

// @ts-ignore: decorator
@inline
function forwardLoop(kind: i32, alpha: f32, beta: f32, x: usize, y: usize, n: i32): void {
  const a = splat(alpha);
  const b = splat(beta);
  const rest = n & (LANES - 1);
  const end = x + ((<usize>(n - rest)) << 2);
  for (; x < end; x += 16, y += 16) storeLanes(y, unary4(kind, a, b, loadLanes(x, LANES)), LANES);
  if (rest > 0) storeLanes(y, unary4(kind, a, b, loadLanes(x, rest)), rest);
}

// @ts-ignore: decorator
@inline
function backwardLoop(kind: i32, alpha: f32, beta: f32, x: usize, dy: usize, dx: usize, n: i32): void {
  const a = splat(alpha);
  const b = splat(beta);
  const rest = n & (LANES - 1);
  const end = x + ((<usize>(n - rest)) << 2);
  for (; x < end; x += 16, dy += 16, dx += 16) {
    storeLanes(dx, unaryGradient4(kind, a, b, loadLanes(x, LANES), loadLanes(dy, LANES)), LANES);
  }
  if (rest > 0) storeLanes(dx, unaryGradient4(kind, a, b, loadLanes(x, rest), loadLanes(dy, rest)), rest);
}

/**
 * `y[i] = f(x[i])` for `n` elements; `y` may be `x`. NaN stays NaN under each but threshold, which
 * makes it 0, as ONNX does.
 *
 * | kind | f(x) | error |
 * | --- | --- | --- |
 * | abs, neg | \|x\|, −x | exact |
 * | sqrt, reciprocal | √x, 1 / x | rounded once |
 * | exp | e^x | 1 ULP |
 * | log | ln x | 0.501 ULP |
 * | erf | erf x | 3 ULP |
 * | softsign | x / (1 + \|x\|) | 2u |
 * | threshold | x > alpha ? x : 0 | exact |
 * | clip | min(max(x, alpha), beta) | exact |
 * | exponential | x > 0 ? x : alpha·(e^(beta·x) − 1), beta > 0 | (5 + \|beta·x\|) ULP |
 * | floor, ceil, round | ⌊x⌋, ⌈x⌉, the nearest integer, ties to even | exact |
 * | sign | ±1, or ±0 of 0 | exact |
 *
 * @split unaryCost(kind) * n
 */
export function unaryForward(kind: i32, alpha: f32, beta: f32, x: usize, y: usize, n: i32): void {
  const first = firstShare(n, LINE);
  const at = (<usize>first) << 2;
  n = endShare(n, LINE) - first;
  x += at;
  y += at;
  // Without an `else` at the end: of a chain that ends in one the optimizer makes a single loop around all of the kinds.
  if (kind == Unary.abs) forwardLoop(Unary.abs, alpha, beta, x, y, n);
  else if (kind == Unary.neg) forwardLoop(Unary.neg, alpha, beta, x, y, n);
  else if (kind == Unary.sqrt) forwardLoop(Unary.sqrt, alpha, beta, x, y, n);
  else if (kind == Unary.reciprocal) forwardLoop(Unary.reciprocal, alpha, beta, x, y, n);
  else if (kind == Unary.exp) forwardLoop(Unary.exp, alpha, beta, x, y, n);
  else if (kind == Unary.log) forwardLoop(Unary.log, alpha, beta, x, y, n);
  else if (kind == Unary.erf) forwardLoop(Unary.erf, alpha, beta, x, y, n);
  else if (kind == Unary.softsign) forwardLoop(Unary.softsign, alpha, beta, x, y, n);
  else if (kind == Unary.threshold) forwardLoop(Unary.threshold, alpha, beta, x, y, n);
  else if (kind == Unary.clip) forwardLoop(Unary.clip, alpha, beta, x, y, n);
  else if (kind == Unary.exponential) forwardLoop(Unary.exponential, alpha, beta, x, y, n);
  else if (kind == Unary.floor) forwardLoop(Unary.floor, alpha, beta, x, y, n);
  else if (kind == Unary.ceil) forwardLoop(Unary.ceil, alpha, beta, x, y, n);
  else if (kind == Unary.round) forwardLoop(Unary.round, alpha, beta, x, y, n);
  else if (kind == Unary.sign) forwardLoop(Unary.sign, alpha, beta, x, y, n);
}

/**
 * `dx[i] = f′(x[i])·dy[i]` for `n` elements; `dx` may be `dy`. At a kink it is that of the flat or negative side, at the
 * bounds of a clip 1, at 0 that of \|x\| is 0, all as in PyTorch; from floor on it is 0. Where threshold and clip are
 * flat, and from floor on everywhere, `dx` is +0 whatever `dy` is; at NaN clip passes `dy` on, while the others before floor but neg
 * make NaN.
 *
 * Each f′ is off by at most 8u·\|f′\|, those of erf and exponential besides by (2·x² + 2)·u·\|f′\| and
 * \|beta·x\|·u·\|f′\| for the rounded exponents, as long as f′, and of reciprocal and softsign its inverse, is a normal
 * number.
 *
 * @split min(unaryCost(kind), EXP) * n
 */
export function unaryBackward(
  kind: i32,
  alpha: f32,
  beta: f32,
  x: usize,
  dy: usize,
  dx: usize,
  n: i32,
): void {
  const first = firstShare(n, LINE);
  const at = (<usize>first) << 2;
  n = endShare(n, LINE) - first;
  x += at;
  dy += at;
  dx += at;
  if (kind == Unary.abs) backwardLoop(Unary.abs, alpha, beta, x, dy, dx, n);
  else if (kind == Unary.neg) backwardLoop(Unary.neg, alpha, beta, x, dy, dx, n);
  else if (kind == Unary.sqrt) backwardLoop(Unary.sqrt, alpha, beta, x, dy, dx, n);
  else if (kind == Unary.reciprocal) backwardLoop(Unary.reciprocal, alpha, beta, x, dy, dx, n);
  else if (kind == Unary.exp) backwardLoop(Unary.exp, alpha, beta, x, dy, dx, n);
  else if (kind == Unary.log) backwardLoop(Unary.log, alpha, beta, x, dy, dx, n);
  else if (kind == Unary.erf) backwardLoop(Unary.erf, alpha, beta, x, dy, dx, n);
  else if (kind == Unary.softsign) backwardLoop(Unary.softsign, alpha, beta, x, dy, dx, n);
  else if (kind == Unary.threshold) backwardLoop(Unary.threshold, alpha, beta, x, dy, dx, n);
  else if (kind == Unary.clip) backwardLoop(Unary.clip, alpha, beta, x, dy, dx, n);
  else if (kind == Unary.exponential) backwardLoop(Unary.exponential, alpha, beta, x, dy, dx, n);
  else memory.fill(dx, 0, (<usize>n) << 2);
}
