/** The functions of two elements, one vector at a time; their meanings stand at `Broadcast`. */
import { logf } from "../lib/logarithm";
import { powf } from "../lib/pow";
import {
  add4,
  and4,
  andNot4,
  div4,
  equal4,
  lane0,
  lane1,
  lane2,
  lane3,
  lanes4,
  less4,
  max4,
  min4,
  mul4,
  or4,
  splat,
  sub4,
  zeroBits4,
} from "../lib/simd";

/** The slope of a^b by a; of a constant 1 it is 0 everywhere. */
function baseSlope(a: f32, b: f32): f32 {
  return b == 0 ? 0 : b * powf(a, b - 1);
}

/** The slope of a^b by b; of 0^b, b ≥ 0, it is 0. */
function exponentSlope(a: f32, b: f32): f32 {
  return a == 0 && b >= 0 ? 0 : powf(a, b) * <f32>logf(a);
}

/* A class each, of which nothing but the type is used, as in `activationFormulas.ts`. */
@unmanaged
export class Add {

  @inline value4(a: v128, b: v128): v128 {
    return add4(a, b);
  }
}


@unmanaged
export class Sub {

  @inline value4(a: v128, b: v128): v128 {
    return sub4(a, b);
  }
}


@unmanaged
export class Mul {

  @inline value4(a: v128, b: v128): v128 {
    return mul4(a, b);
  }
}


@unmanaged
export class Div {

  @inline value4(a: v128, b: v128): v128 {
    return div4(a, b);
  }
}


@unmanaged
export class Min {

  @inline value4(a: v128, b: v128): v128 {
    return min4(a, b);
  }
}


@unmanaged
export class Max {

  @inline value4(a: v128, b: v128): v128 {
    return max4(a, b);
  }
}


@unmanaged
export class Pow {

  @inline value4(a: v128, b: v128): v128 {
    return lanes4(
      powf(lane0(a), lane0(b)),
      powf(lane1(a), lane1(b)),
      powf(lane2(a), lane2(b)),
      powf(lane3(a), lane3(b)),
    );
  }
}


@unmanaged
export class First {

  @inline value4(a: v128, b: v128): v128 {
    return a;
  }
}


@unmanaged
export class Share {

  @inline value4(a: v128, b: v128): v128 {
    return andNot4(sub4(splat(1), and4(equal4(a, b), splat(0.5))), less4(a, b));
  }
}


@unmanaged
export class Keep {

  @inline value4(a: v128, b: v128): v128 {
    return andNot4(a, zeroBits4(b));
  }
}


@unmanaged
export class Drop {

  @inline value4(a: v128, b: v128): v128 {
    return and4(a, zeroBits4(b));
  }
}


@unmanaged
export class Join {

  @inline value4(a: v128, b: v128): v128 {
    return or4(a, b);
  }
}


@unmanaged
export class BaseSlope {

  @inline value4(a: v128, b: v128): v128 {
    return lanes4(
      baseSlope(lane0(a), lane0(b)),
      baseSlope(lane1(a), lane1(b)),
      baseSlope(lane2(a), lane2(b)),
      baseSlope(lane3(a), lane3(b)),
    );
  }
}


@unmanaged
export class ExponentSlope {

  @inline value4(a: v128, b: v128): v128 {
    return lanes4(
      exponentSlope(lane0(a), lane0(b)),
      exponentSlope(lane1(a), lane1(b)),
      exponentSlope(lane2(a), lane2(b)),
      exponentSlope(lane3(a), lane3(b)),
    );
  }
}
