/** Functions of one element that are no activations, and their slopes. */
import { LINE, endShare, firstShare } from "../lib/share";
import {
  LANES,
  abs4,
  add4,
  andNot4,
  ceil4,
  div4,
  floor4,
  less4,
  lessEqual4,
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

/** The kinds, as the ABI numbers them. From FLOOR on the slope is 0. */
const ABS: i32 = 0;
const NEG: i32 = 1;
const SQRT: i32 = 2;
const RECIPROCAL: i32 = 3;
const EXP: i32 = 4;
const LOG: i32 = 5;
const ERF: i32 = 6;
const SOFTSIGN: i32 = 7;
const THRESHOLD: i32 = 8;
const CLIP: i32 = 9;
const EXPONENTIAL: i32 = 10;
const FLOOR: i32 = 11;
const CEIL: i32 = 12;
const ROUND: i32 = 13;
const SIGN: i32 = 14;

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
  if (kind == ABS) return abs4(x);
  if (kind == NEG) return neg4(x);
  if (kind == SQRT) return sqrt4(x);
  if (kind == RECIPROCAL) return div4(splat(1), x);
  if (kind == EXP) return exp4(x);
  if (kind == LOG) return log4(x);
  if (kind == ERF) return erf4(x);
  if (kind == SOFTSIGN) return div4(x, add4(splat(1), abs4(x)));
  if (kind == THRESHOLD) return select4(lessEqual4(x, alpha), zero4(), x);
  if (kind == CLIP) return min4(max4(x, alpha), beta);
  if (kind == EXPONENTIAL) {
    return select4(less4(zero4(), x), x, mul4(alpha, expm1Negative4(min4(mul4(beta, x), zero4()))));
  }
  if (kind == FLOOR) return floor4(x);
  if (kind == CEIL) return ceil4(x);
  return kind == ROUND ? nearest4(x) : sign4(x);
}

/** The slopes at one vector of inputs of the kinds that have no flat side; `kind` is a constant wherever this is inlined. */
// @ts-ignore: decorator
@inline
function unarySlope4(kind: i32, alpha: v128, beta: v128, x: v128): v128 {
  const one = splat(1);
  if (kind == ABS) return sign4(x);
  if (kind == NEG) return splat(-1);
  if (kind == SQRT) return div4(splat(0.5), sqrt4(x));
  if (kind == RECIPROCAL) return neg4(div4(one, mul4(x, x)));
  if (kind == EXP) return exp4(x);
  if (kind == LOG) return div4(one, x);
  if (kind == ERF) return mul4(splat(TWO_BY_ROOT_PI), exp4(neg4(mul4(x, x))));
  if (kind == SOFTSIGN) {
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
  if (kind == THRESHOLD) return andNot4(dy, lessEqual4(x, alpha));
  if (kind == CLIP) return andNot4(andNot4(dy, less4(x, alpha)), less4(beta, x));
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
 * `y[i] = f(x[i])` for `n` elements; `y` may be `x`. NaN stays NaN under each.
 *
 * | kind | f(x) | error |
 * | --- | --- | --- |
 * | 0 to 3 | \|x\|, −x, √x, 1 / x | rounded once |
 * | 4 | e^x | 1 ULP |
 * | 5 | ln x | 0.501 ULP |
 * | 6 | erf x | 3 ULP |
 * | 7 | x / (1 + \|x\|) | 2u |
 * | 8 | x > alpha ? x : 0 | exact |
 * | 9 | min(max(x, alpha), beta) | exact |
 * | 10 | x > 0 ? x : alpha·(e^(beta·x) − 1), beta > 0 | (5 + \|beta·x\|) ULP |
 * | 11 to 13 | ⌊x⌋, ⌈x⌉, the nearest integer, ties to even | exact |
 * | 14 | the sign: ±1, or ±0 of 0 | exact |
 */
export function unaryForward(kind: i32, alpha: f32, beta: f32, x: usize, y: usize, n: i32): void {
  const first = firstShare(n, LINE);
  const at = (<usize>first) << 2;
  n = endShare(n, LINE) - first;
  x += at;
  y += at;
  // Without an `else` at the end: of a chain that ends in one the optimizer makes a single loop around all of the kinds.
  if (kind == ABS) forwardLoop(ABS, alpha, beta, x, y, n);
  else if (kind == NEG) forwardLoop(NEG, alpha, beta, x, y, n);
  else if (kind == SQRT) forwardLoop(SQRT, alpha, beta, x, y, n);
  else if (kind == RECIPROCAL) forwardLoop(RECIPROCAL, alpha, beta, x, y, n);
  else if (kind == EXP) forwardLoop(EXP, alpha, beta, x, y, n);
  else if (kind == LOG) forwardLoop(LOG, alpha, beta, x, y, n);
  else if (kind == ERF) forwardLoop(ERF, alpha, beta, x, y, n);
  else if (kind == SOFTSIGN) forwardLoop(SOFTSIGN, alpha, beta, x, y, n);
  else if (kind == THRESHOLD) forwardLoop(THRESHOLD, alpha, beta, x, y, n);
  else if (kind == CLIP) forwardLoop(CLIP, alpha, beta, x, y, n);
  else if (kind == EXPONENTIAL) forwardLoop(EXPONENTIAL, alpha, beta, x, y, n);
  else if (kind == FLOOR) forwardLoop(FLOOR, alpha, beta, x, y, n);
  else if (kind == CEIL) forwardLoop(CEIL, alpha, beta, x, y, n);
  else if (kind == ROUND) forwardLoop(ROUND, alpha, beta, x, y, n);
  else if (kind == SIGN) forwardLoop(SIGN, alpha, beta, x, y, n);
}

/**
 * `dx[i] = f′(x[i])·dy[i]` for `n` elements; `dx` may be `dy`. At a kink it is that of the flat or negative side, at the
 * bounds of a clip 1, at 0 that of \|x\| is 0, all as in PyTorch; of kinds from 11 on it is 0. Where kinds 8 and 9 are
 * flat, and from 11 on everywhere, `dx` is +0 whatever `dy` is; at NaN they pass `dy` on, while 0 and 2
 * to 7 and 10 make NaN.
 *
 * Each f′ is off by at most 8u·\|f′\|, of kinds 6 and 10 beside by (2·x² + 2)·u·\|f′\| and \|beta·x\|·u·\|f′\| for the
 * rounded exponents, as long as f′, and of kinds 3 and 7 its inverse, is a normal number.
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
  if (kind == ABS) backwardLoop(ABS, alpha, beta, x, dy, dx, n);
  else if (kind == NEG) backwardLoop(NEG, alpha, beta, x, dy, dx, n);
  else if (kind == SQRT) backwardLoop(SQRT, alpha, beta, x, dy, dx, n);
  else if (kind == RECIPROCAL) backwardLoop(RECIPROCAL, alpha, beta, x, dy, dx, n);
  else if (kind == EXP) backwardLoop(EXP, alpha, beta, x, dy, dx, n);
  else if (kind == LOG) backwardLoop(LOG, alpha, beta, x, dy, dx, n);
  else if (kind == ERF) backwardLoop(ERF, alpha, beta, x, dy, dx, n);
  else if (kind == SOFTSIGN) backwardLoop(SOFTSIGN, alpha, beta, x, dy, dx, n);
  else if (kind == THRESHOLD) backwardLoop(THRESHOLD, alpha, beta, x, dy, dx, n);
  else if (kind == CLIP) backwardLoop(CLIP, alpha, beta, x, dy, dx, n);
  else if (kind == EXPONENTIAL) backwardLoop(EXPONENTIAL, alpha, beta, x, dy, dx, n);
  else memory.fill(dx, 0, (<usize>n) << 2);
}
