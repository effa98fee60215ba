/** The formulas of functions of one element that are no activations, and of their gradients, one vector at a time. */
import {
  abs4,
  add4,
  and4,
  andNot4,
  ceil4,
  div4,
  floor4,
  less4,
  max4,
  min4,
  mul4,
  nearest4,
  neg4,
  select4,
  splat,
  sqrt4,
  zero4,
} from "../lib/simd";
import { TWO_BY_ROOT_PI, erf4, exp4, expm1Negative4 } from "../lib/math";
import { log4 } from "../lib/logarithm";

/** ±1, or x itself where it is ±0 or NaN. */
// @ts-ignore: decorator
@inline
function sign4(x: v128): v128 {
  return select4(less4(zero4(), x), splat(1), select4(less4(x, zero4()), splat(-1), x));
}

/*
 * A class each, of which nothing but the type is used, as in `activationFormulas.ts`: `value4` gives a vector of outputs,
 * `gradient4` one of gradients. Those that are flat everywhere have no gradient.
 */
@unmanaged
export class Abs {

  @inline value4(alpha: v128, beta: v128, x: v128): v128 {
    return abs4(x);
  }


  @inline gradient4(alpha: v128, beta: v128, x: v128, dy: v128): v128 {
    return mul4(dy, sign4(x));
  }
}


@unmanaged
export class Neg {

  @inline value4(alpha: v128, beta: v128, x: v128): v128 {
    return neg4(x);
  }


  @inline gradient4(alpha: v128, beta: v128, x: v128, dy: v128): v128 {
    return mul4(dy, splat(-1));
  }
}


@unmanaged
export class Sqrt {

  @inline value4(alpha: v128, beta: v128, x: v128): v128 {
    return sqrt4(x);
  }


  @inline gradient4(alpha: v128, beta: v128, x: v128, dy: v128): v128 {
    return mul4(dy, div4(splat(0.5), sqrt4(x)));
  }
}


@unmanaged
export class Reciprocal {

  @inline value4(alpha: v128, beta: v128, x: v128): v128 {
    return div4(splat(1), x);
  }


  @inline gradient4(alpha: v128, beta: v128, x: v128, dy: v128): v128 {
    return mul4(dy, neg4(div4(splat(1), mul4(x, x))));
  }
}


@unmanaged
export class Exp {

  @inline value4(alpha: v128, beta: v128, x: v128): v128 {
    return exp4(x);
  }


  @inline gradient4(alpha: v128, beta: v128, x: v128, dy: v128): v128 {
    return mul4(dy, exp4(x));
  }
}


@unmanaged
export class Log {

  @inline value4(alpha: v128, beta: v128, x: v128): v128 {
    return log4(x);
  }


  @inline gradient4(alpha: v128, beta: v128, x: v128, dy: v128): v128 {
    return mul4(dy, div4(splat(1), x));
  }
}


@unmanaged
export class Erf {

  @inline value4(alpha: v128, beta: v128, x: v128): v128 {
    return erf4(x);
  }


  @inline gradient4(alpha: v128, beta: v128, x: v128, dy: v128): v128 {
    return mul4(dy, mul4(splat(TWO_BY_ROOT_PI), exp4(neg4(mul4(x, x)))));
  }
}


@unmanaged
export class Softsign {

  @inline value4(alpha: v128, beta: v128, x: v128): v128 {
    return div4(x, add4(splat(1), abs4(x)));
  }


  @inline gradient4(alpha: v128, beta: v128, x: v128, dy: v128): v128 {
    const divisor = add4(splat(1), abs4(x));
    return mul4(dy, div4(splat(1), mul4(divisor, divisor)));
  }
}


@unmanaged
export class Threshold {

  @inline value4(alpha: v128, beta: v128, x: v128): v128 {
    return and4(x, less4(alpha, x));
  }


  @inline gradient4(alpha: v128, beta: v128, x: v128, dy: v128): v128 {
    return and4(dy, less4(alpha, x));
  }
}


@unmanaged
export class Clip {

  @inline value4(alpha: v128, beta: v128, x: v128): v128 {
    return min4(max4(x, alpha), beta);
  }


  @inline gradient4(alpha: v128, beta: v128, x: v128, dy: v128): v128 {
    return andNot4(andNot4(dy, less4(x, alpha)), less4(beta, x));
  }
}


@unmanaged
export class Exponential {

  @inline value4(alpha: v128, beta: v128, x: v128): v128 {
    return select4(less4(zero4(), x), x, mul4(alpha, expm1Negative4(min4(mul4(beta, x), zero4()))));
  }


  @inline gradient4(alpha: v128, beta: v128, x: v128, dy: v128): v128 {
    const below = mul4(mul4(alpha, beta), exp4(min4(mul4(beta, x), zero4())));
    return mul4(dy, select4(less4(zero4(), x), splat(1), below));
  }
}


@unmanaged
export class Floor {

  @inline value4(alpha: v128, beta: v128, x: v128): v128 {
    return floor4(x);
  }
}


@unmanaged
export class Ceil {

  @inline value4(alpha: v128, beta: v128, x: v128): v128 {
    return ceil4(x);
  }
}


@unmanaged
export class Round {

  @inline value4(alpha: v128, beta: v128, x: v128): v128 {
    return nearest4(x);
  }
}


@unmanaged
export class Sign {

  @inline value4(alpha: v128, beta: v128, x: v128): v128 {
    return sign4(x);
  }
}
