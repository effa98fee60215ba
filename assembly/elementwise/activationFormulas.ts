/** The formulas of the activations and of their gradients, one vector at a time. */
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
} from "../lib/simd";
import { erfc4, exp4, expm1Negative4, expNegative4, log1p4, sigmoid4, silu4, tanh4 } from "../lib/math";

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

/** `dy`, or 0 where `y ≤ low` or `y ≥ high`. */
// @ts-ignore: decorator
@inline
function between4(low: v128, high: v128, y: v128, dy: v128): v128 {
  return andNot4(andNot4(dy, lessEqual4(y, low)), lessEqual4(high, y));
}

/** An input of which the slope is neither infinite nor NaN. */
// @ts-ignore: decorator
@inline
function bounded4(x: v128): v128 {
  return atLeast4(atMost4(x, splat(SLOPE_HIGHEST)), splat(-SLOPE_HIGHEST));
}

/*
 * The activations, a class each, of which nothing but the type is used: `value4` gives a vector of outputs, `gradient4` one
 * of gradients, from the output `y` or, from softplus on, from the input `x`. A loop takes one as a type parameter
 * (`changetype<A>(0).value4(…)`), so that the compiler writes this one formula into it. By a parameter of the kind it would
 * write all of them, and the optimizer's time, which grows faster than a function's locals, would be most of the build's.
 */
@unmanaged
export class Relu {

  @inline value4(alpha: v128, x: v128): v128 {
    return relu4(x);
  }


  @inline gradient4(alpha: v128, y: v128, dy: v128): v128 {
    return andNot4(dy, lessEqual4(y, zero4()));
  }
}


@unmanaged
export class LeakyRelu {

  @inline value4(alpha: v128, x: v128): v128 {
    return select4(less4(x, zero4()), mul4(alpha, x), x);
  }


  @inline gradient4(alpha: v128, y: v128, dy: v128): v128 {
    return select4(less4(zero4(), y), dy, mul4(alpha, dy));
  }
}


@unmanaged
export class Sigmoid {

  @inline value4(alpha: v128, x: v128): v128 {
    return sigmoid4(x);
  }


  @inline gradient4(alpha: v128, y: v128, dy: v128): v128 {
    return mul4(dy, mul4(sub4(splat(1), y), y));
  }
}


@unmanaged
export class Tanh {

  @inline value4(alpha: v128, x: v128): v128 {
    return tanh4(x);
  }


  @inline gradient4(alpha: v128, y: v128, dy: v128): v128 {
    return mul4(dy, sub4(splat(1), mul4(y, y)));
  }
}


@unmanaged
export class Relu6 {

  @inline value4(alpha: v128, x: v128): v128 {
    return clip4(x, splat(6));
  }


  @inline gradient4(alpha: v128, y: v128, dy: v128): v128 {
    return between4(zero4(), splat(6), y, dy);
  }
}


@unmanaged
export class Elu {

  @inline value4(alpha: v128, x: v128): v128 {
    return exponential4(x, splat(1), alpha);
  }


  @inline gradient4(alpha: v128, y: v128, dy: v128): v128 {
    return mul4(dy, select4(less4(zero4(), y), splat(1), add4(y, alpha)));
  }
}


@unmanaged
export class Selu {

  @inline value4(alpha: v128, x: v128): v128 {
    return exponential4(x, splat(SELU_SCALE), splat(SELU_LIMIT));
  }


  @inline gradient4(alpha: v128, y: v128, dy: v128): v128 {
    return mul4(dy, select4(less4(zero4(), y), splat(SELU_SCALE), add4(y, splat(SELU_LIMIT))));
  }
}


@unmanaged
export class HardSigmoid {

  @inline value4(alpha: v128, x: v128): v128 {
    return clip4(add4(mul4(alpha, x), splat(0.5)), splat(1));
  }


  @inline gradient4(alpha: v128, y: v128, dy: v128): v128 {
    return between4(zero4(), splat(1), y, mul4(alpha, dy));
  }
}


@unmanaged
export class Softplus {

  @inline value4(alpha: v128, x: v128): v128 {
    return add4(relu4(x), log1p4(expNegative4(neg4(abs4(x)))));
  }


  @inline gradient4(alpha: v128, x: v128, dy: v128): v128 {
    return mul4(dy, sigmoid4(x));
  }
}


@unmanaged
export class HardSwish {

  @inline value4(alpha: v128, x: v128): v128 {
    return mul4(x, div4(clip4(add4(x, splat(3)), splat(6)), splat(6)));
  }


  @inline gradient4(alpha: v128, x: v128, dy: v128): v128 {
    const slope = select4(lessEqual4(splat(3), x), splat(1), add4(div4(x, splat(3)), splat(0.5)));
    return andNot4(mul4(dy, slope), lessEqual4(x, splat(-3)));
  }
}


@unmanaged
export class Silu {

  @inline value4(alpha: v128, x: v128): v128 {
    return silu4(x);
  }


  @inline gradient4(alpha: v128, x: v128, dy: v128): v128 {
    x = bounded4(x);
    // 1 − σ(x) = σ(−x), without a difference.
    return mul4(dy, mul4(sigmoid4(x), add4(splat(1), mul4(x, sigmoid4(neg4(x))))));
  }
}


@unmanaged
export class Gelu {

  @inline value4(alpha: v128, x: v128): v128 {
    return mul4(x, normalBelow4(x));
  }


  @inline gradient4(alpha: v128, x: v128, dy: v128): v128 {
    x = bounded4(x);
    const density = mul4(splat(NORMAL_PEAK), expNegative4(neg4(mul4(splat(0.5), mul4(x, x)))));
    return mul4(dy, add4(normalBelow4(x), mul4(x, density)));
  }
}


@unmanaged
export class GeluTanh {

  @inline value4(alpha: v128, x: v128): v128 {
    return mul4(mul4(splat(0.5), x), add4(splat(1), geluTanh4(x)));
  }


  @inline gradient4(alpha: v128, x: v128, dy: v128): v128 {
    x = bounded4(x);
    const one = splat(1);
    const t = geluTanh4(x);
    const inner = mul4(splat(ROOT_2_BY_PI), add4(one, mul4(splat(3 * CUBIC), mul4(x, x))));
    const bend = mul4(mul4(x, sub4(one, mul4(t, t))), inner);
    return mul4(dy, mul4(splat(0.5), add4(add4(one, t), bend)));
  }
}


@unmanaged
export class Mish {

  @inline value4(alpha: v128, x: v128): v128 {
    const weight = mishWeight4(x);
    return mul4(x, div4(weight, add4(weight, splat(2))));
  }


  @inline gradient4(alpha: v128, x: v128, dy: v128): v128 {
    x = bounded4(x);
    // The slope is t + x·(1 − t²)·σ(x) with t = w / (w + 2), so that 1 − t² = 4·(w + 1) / (w + 2)².
    const weight = mishWeight4(x);
    const sum = add4(weight, splat(2));
    const bend = div4(mul4(splat(4), add4(weight, splat(1))), mul4(sum, sum));
    return mul4(dy, add4(div4(weight, sum), mul4(mul4(x, bend), sigmoid4(x))));
  }
}
