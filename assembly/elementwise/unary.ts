/** Functions of one element that are no activations, and their slopes. */
import { LINE, endShare, firstShare } from "../lib/share";
import { LANES, load4, loadLanes, splat, store4, storeLanes } from "../lib/simd";
import {
  Abs,
  Ceil,
  Clip,
  Erf,
  Exp,
  Exponential,
  Floor,
  Log,
  Neg,
  Reciprocal,
  Round,
  Sign,
  Softsign,
  Sqrt,
  Threshold,
} from "./unaryFormulas";
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

// @ts-ignore: decorator
@inline
function forward<F>(alpha: f32, beta: f32, x: usize, y: usize, n: i32): void {
  const a = splat(alpha);
  const b = splat(beta);
  const rest = n & (LANES - 1);
  const end = x + ((<usize>(n - rest)) << 2);
  for (; x < end; x += 16, y += 16) store4(y, changetype<F>(0).value4(a, b, load4(x)));
  if (rest > 0) storeLanes(y, changetype<F>(0).value4(a, b, loadLanes(x, rest)), rest);
}

// @ts-ignore: decorator
@inline
function backward<F>(alpha: f32, beta: f32, x: usize, dy: usize, dx: usize, n: i32): void {
  const a = splat(alpha);
  const b = splat(beta);
  const rest = n & (LANES - 1);
  const end = x + ((<usize>(n - rest)) << 2);
  for (; x < end; x += 16, dy += 16, dx += 16) {
    store4(dx, changetype<F>(0).gradient4(a, b, load4(x), load4(dy)));
  }
  if (rest == 0) return;
  storeLanes(dx, changetype<F>(0).gradient4(a, b, loadLanes(x, rest), loadLanes(dy, rest)), rest);
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
  if (kind == Unary.abs) forward<Abs>(alpha, beta, x, y, n);
  else if (kind == Unary.neg) forward<Neg>(alpha, beta, x, y, n);
  else if (kind == Unary.sqrt) forward<Sqrt>(alpha, beta, x, y, n);
  else if (kind == Unary.reciprocal) forward<Reciprocal>(alpha, beta, x, y, n);
  else if (kind == Unary.exp) forward<Exp>(alpha, beta, x, y, n);
  else if (kind == Unary.log) forward<Log>(alpha, beta, x, y, n);
  else if (kind == Unary.erf) forward<Erf>(alpha, beta, x, y, n);
  else if (kind == Unary.softsign) forward<Softsign>(alpha, beta, x, y, n);
  else if (kind == Unary.threshold) forward<Threshold>(alpha, beta, x, y, n);
  else if (kind == Unary.clip) forward<Clip>(alpha, beta, x, y, n);
  else if (kind == Unary.exponential) forward<Exponential>(alpha, beta, x, y, n);
  else if (kind == Unary.floor) forward<Floor>(alpha, beta, x, y, n);
  else if (kind == Unary.ceil) forward<Ceil>(alpha, beta, x, y, n);
  else if (kind == Unary.round) forward<Round>(alpha, beta, x, y, n);
  else if (kind == Unary.sign) forward<Sign>(alpha, beta, x, y, n);
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
  if (kind == Unary.abs) backward<Abs>(alpha, beta, x, dy, dx, n);
  else if (kind == Unary.neg) backward<Neg>(alpha, beta, x, dy, dx, n);
  else if (kind == Unary.sqrt) backward<Sqrt>(alpha, beta, x, dy, dx, n);
  else if (kind == Unary.reciprocal) backward<Reciprocal>(alpha, beta, x, dy, dx, n);
  else if (kind == Unary.exp) backward<Exp>(alpha, beta, x, dy, dx, n);
  else if (kind == Unary.log) backward<Log>(alpha, beta, x, dy, dx, n);
  else if (kind == Unary.erf) backward<Erf>(alpha, beta, x, dy, dx, n);
  else if (kind == Unary.softsign) backward<Softsign>(alpha, beta, x, dy, dx, n);
  else if (kind == Unary.threshold) backward<Threshold>(alpha, beta, x, dy, dx, n);
  else if (kind == Unary.clip) backward<Clip>(alpha, beta, x, dy, dx, n);
  else if (kind == Unary.exponential) backward<Exponential>(alpha, beta, x, dy, dx, n);
  else memory.fill(dx, 0, (<usize>n) << 2);
}
