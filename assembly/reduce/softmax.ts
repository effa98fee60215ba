/** The softmax of rows. */
import {
  LANES,
  add4,
  clearLanes,
  div4,
  load4,
  loadLanes,
  max4,
  maxLanes,
  mul4,
  splat,
  storeLanes,
  sub4,
  sumLanes,
  zero4,
} from "../lib/simd";
import { exp4 } from "../lib/math";
import { endShare, firstShare } from "../lib/share";

/** The largest of `cols ≥ 1` elements; NaN when any is. */
export function rowMaximum(x: usize, cols: i32): f32 {
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
 *
 * @split EXP * rows * cols
 */
export function softmaxForward(x: usize, y: usize, rows: i32, cols: i32): void {
  const stride = (<usize>cols) << 2;
  const first = firstShare(rows);
  x += <usize>first * stride;
  y += <usize>first * stride;
  for (let row = endShare(rows) - first; row > 0; row--, x += stride, y += stride) {
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
 *
 * @split COPY * rows * cols
 */
export function softmaxBackward(y: usize, dy: usize, dx: usize, rows: i32, cols: i32): void {
  const rest = cols & (LANES - 1);
  const end = cols - rest;
  const stride = (<usize>cols) << 2;
  const first = firstShare(rows);
  y += <usize>first * stride;
  dy += <usize>first * stride;
  dx += <usize>first * stride;
  for (let row = endShare(rows) - first; row > 0; row--, y += stride, dy += stride, dx += stride) {
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
