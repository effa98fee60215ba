/** Activations, element by element, and the softmax of rows. */
import {
  LANES,
  add4,
  andNot4,
  clearLanes,
  div4,
  less4,
  lessEqual4,
  load4,
  loadLanes,
  max4,
  maxLanes,
  mul4,
  relu4,
  select4,
  splat,
  storeLanes,
  sub4,
  sumLanes,
  zero4,
} from "./simd";
import { exp4, sigmoid4, tanh4 } from "./math";
import { endShare, firstShare } from "./share";

/** The kinds, as the ABI numbers them. */
export const LINEAR: i32 = 0;
export const RELU: i32 = 1;
export const LEAKY_RELU: i32 = 2;
export const SIGMOID: i32 = 3;
export const TANH: i32 = 4;

/** One vector of activations; `kind` is a constant wherever this is inlined. */
// @ts-ignore: decorator
@inline
function activate4(kind: i32, alpha: v128, x: v128): v128 {
  if (kind == RELU) return relu4(x);
  if (kind == LEAKY_RELU) return select4(less4(x, zero4()), mul4(alpha, x), x);
  if (kind == SIGMOID) return sigmoid4(x);
  if (kind == TANH) return tanh4(x);
  return x;
}

/** One vector of gradients from the output `y`; `kind` is a constant wherever this is inlined. */
// @ts-ignore: decorator
@inline
function gradient4(kind: i32, alpha: v128, y: v128, dy: v128): v128 {
  if (kind == RELU) return andNot4(dy, lessEqual4(y, zero4()));
  if (kind == LEAKY_RELU) return select4(less4(zero4(), y), dy, mul4(alpha, dy));
  if (kind == SIGMOID) return mul4(dy, mul4(sub4(splat(1), y), y));
  if (kind == TANH) return mul4(dy, sub4(splat(1), mul4(y, y)));
  return dy;
}

// @ts-ignore: decorator
@inline
function forwardLoop(kind: i32, alpha: f32, x: usize, y: usize, n: i32): void {
  const slope = splat(alpha);
  const rest = n & (LANES - 1);
  const end = x + ((<usize>(n - rest)) << 2);
  for (; x < end; x += 16, y += 16) storeLanes(y, activate4(kind, slope, load4(x)), LANES);
  if (rest > 0) storeLanes(y, activate4(kind, slope, loadLanes(x, rest)), rest);
}

// @ts-ignore: decorator
@inline
function backwardLoop(kind: i32, alpha: f32, y: usize, dy: usize, dx: usize, n: i32): void {
  const slope = splat(alpha);
  const rest = n & (LANES - 1);
  const end = y + ((<usize>(n - rest)) << 2);
  for (; y < end; y += 16, dy += 16, dx += 16) {
    storeLanes(dx, gradient4(kind, slope, load4(y), load4(dy)), LANES);
  }
  if (rest > 0) storeLanes(dx, gradient4(kind, slope, loadLanes(y, rest), loadLanes(dy, rest)), rest);
}

/**
 * `y[i] = f(x[i])` for `n` elements; `y` may be `x`.
 *
 * Linear: x. ReLU: x < 0 ? 0 : x. Leaky ReLU: x < 0 ? alpha·x : x. Sigmoid: 1 / (1 + e^−x), at most 3 ULP.
 * Tanh: at most 3 ULP. NaN stays NaN under each of them. `alpha` is read by the leaky ReLU alone.
 */
export function activationForward(kind: i32, alpha: f32, x: usize, y: usize, n: i32): void {
  const first = firstShare(n, LANES);
  n = endShare(n, LANES) - first;
  x += (<usize>first) << 2;
  y += (<usize>first) << 2;
  if (kind == RELU) forwardLoop(RELU, alpha, x, y, n);
  else if (kind == LEAKY_RELU) forwardLoop(LEAKY_RELU, alpha, x, y, n);
  else if (kind == SIGMOID) forwardLoop(SIGMOID, alpha, x, y, n);
  else if (kind == TANH) forwardLoop(TANH, alpha, x, y, n);
  else if (x != y) memory.copy(y, x, (<usize>n) << 2);
}

/**
 * `dx[i] = f′·dy[i]` for `n` elements, with the derivative from the output `y`; `dx` may be `dy`.
 *
 * ReLU: y ≤ 0 ? 0 : dy. Leaky ReLU (alpha ≥ 0): y > 0 ? dy : alpha·dy. At 0 both take the negative side, as PyTorch.
 * Sigmoid: dy·((1 − y)·y), tanh: dy·(1 − y²), each rounded three times: error at most 4u·|dy| for |y| ≤ 1.
 */
export function activationBackward(kind: i32, alpha: f32, y: usize, dy: usize, dx: usize, n: i32): void {
  if (kind == RELU) backwardLoop(RELU, alpha, y, dy, dx, n);
  else if (kind == LEAKY_RELU) backwardLoop(LEAKY_RELU, alpha, y, dy, dx, n);
  else if (kind == SIGMOID) backwardLoop(SIGMOID, alpha, y, dy, dx, n);
  else if (kind == TANH) backwardLoop(TANH, alpha, y, dy, dx, n);
  else if (dx != dy) memory.copy(dx, dy, (<usize>n) << 2);
}

/** The largest of `cols ≥ 1` elements; NaN when any is. */
function rowMaximum(x: usize, cols: i32): f32 {
  const rest = cols & (LANES - 1);
  const end = x + ((<usize>(cols - rest)) << 2);
  let largest = splat(load<f32>(x));
  for (; x < end; x += 16) largest = max4(largest, load4(x));
  if (rest > 0) largest = max4(largest, loadLanes(x, rest));
  return maxLanes(largest);
}

/**
 * The sum of e^(x[j] − maximum) over a row; the terms go to `y` unless it is 0.
 *
 * Lane l sums the columns l, l + 4, l + 8, … in ascending order; the lanes are added as (0 + 1) + (2 + 3).
 */
export function sumOfExponentials(x: usize, y: usize, maximum: f32, cols: i32): f32 {
  const shift = splat(maximum);
  const rest = cols & (LANES - 1);
  const end = x + ((<usize>(cols - rest)) << 2);
  let sum = zero4();
  for (; x < end; x += 16) {
    const e = exp4(sub4(load4(x), shift));
    sum = add4(sum, e);
    if (y != 0) {
      storeLanes(y, e, LANES);
      y += 16;
    }
  }
  if (rest > 0) {
    const e = exp4(sub4(loadLanes(x, rest), shift));
    sum = add4(sum, clearLanes(e, rest));
    if (y != 0) storeLanes(y, e, rest);
  }
  return sumLanes(sum);
}

/** Divides `n` elements by `divisor`. */
export function divideInPlace(y: usize, divisor: f32, n: i32): void {
  const by = splat(divisor);
  const rest = n & (LANES - 1);
  const end = y + ((<usize>(n - rest)) << 2);
  for (; y < end; y += 16) storeLanes(y, div4(load4(y), by), LANES);
  if (rest > 0) storeLanes(y, div4(loadLanes(y, rest), by), rest);
}

/**
 * Softmax of each row of `x[rows, cols]`: `y = e^(x − max) / Σ e^(x − max)`; `y` may be `x`.
 *
 * The sum has four interleaved parts (see `sumOfExponentials`), so its relative error is at most (⌈cols/4⌉ + 1)·u
 * beside the exponentials' own. The difference x − max is rounded: (|x − max| + ⌈cols/4⌉ + 6)·u bounds the relative
 * error of y where e^(x − max) is normal. A row with NaN or +∞, or of −∞ alone, becomes NaN, as in PyTorch.
 */
export function softmaxForward(x: usize, y: usize, rows: i32, cols: i32): void {
  const stride = (<usize>cols) << 2;
  for (let row = 0; row < rows; row++, x += stride, y += stride) {
    const sum = sumOfExponentials(x, y, rowMaximum(x, cols), cols);
    divideInPlace(y, sum, cols);
  }
}

/** Σ a[j]·b[j] over a row, in the order of `sumOfExponentials`. */
function dot(a: usize, b: usize, cols: i32): f32 {
  const rest = cols & (LANES - 1);
  const end = a + ((<usize>(cols - rest)) << 2);
  let sum = zero4();
  for (; a < end; a += 16, b += 16) sum = add4(sum, mul4(load4(a), load4(b)));
  if (rest > 0) sum = add4(sum, clearLanes(mul4(loadLanes(a, rest), loadLanes(b, rest)), rest));
  return sumLanes(sum);
}

/**
 * `dx = y·(dy − Σ dy·y)` for each row of the softmax's output `y[rows, cols]`; `dx` may be `dy`.
 *
 * The sum has four interleaved parts as in the forward pass: |error| ≤ y·(⌈cols/4⌉ + 5)·u·(|dy| + Σ |dy·y|).
 */
export function softmaxBackward(y: usize, dy: usize, dx: usize, rows: i32, cols: i32): void {
  const rest = cols & (LANES - 1);
  const end = cols - rest;
  const stride = (<usize>cols) << 2;
  for (let row = 0; row < rows; row++, y += stride, dy += stride, dx += stride) {
    const mean = splat(dot(y, dy, cols));
    for (let j = 0; j < end; j += LANES) {
      const at = (<usize>j) << 2;
      storeLanes(dx + at, mul4(load4(y + at), sub4(load4(dy + at), mean)), LANES);
    }
    const at = (<usize>end) << 2;
    if (rest > 0) {
      storeLanes(dx + at, mul4(loadLanes(y + at, rest), sub4(loadLanes(dy + at, rest), mean)), rest);
    }
  }
}
