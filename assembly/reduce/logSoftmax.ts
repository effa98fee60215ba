/** The logarithm of the softmax of rows. */
import { logf } from "../lib/logarithm";
import { exp4 } from "../lib/math";
import { endShare, firstShare } from "../lib/share";
import {
  LANES,
  add4,
  clearLanes,
  loadLanes,
  mul4,
  splat,
  storeLanes,
  sub4,
  sumLanes,
  zero4,
} from "../lib/simd";
import { rowMaximum, sumOfExponentials } from "./softmax";

/**
 * Log-softmax of each row of `x[rows, cols]`: `y = (x − max) − ln Σ e^(x − max)`; `y` may be `x`.
 *
 * The sum is that of `softmaxForward`; |error| ≤ (2·|y| + 2·|x − max| + ⌈cols/4⌉ + 4)·u. A row with NaN or +∞, or of −∞
 * alone, becomes NaN, as in PyTorch.
 *
 * @split EXP * rows * cols
 */
export function logSoftmaxForward(x: usize, y: usize, rows: i32, cols: i32): void {
  const end = endShare(rows);
  for (let row = firstShare(rows); row < end; row++) {
    const at = (<usize>row * <usize>cols) << 2;
    const maximum = rowMaximum(x + at, cols);
    const log = splat(<f32>logf(sumOfExponentials(x + at, 0, maximum, cols)));
    const shift = splat(maximum);
    for (let j = 0; j < cols; j += LANES) {
      const lanes = min(cols - j, LANES);
      const p = at + ((<usize>j) << 2);
      storeLanes(y + p, sub4(sub4(loadLanes(x + p, lanes), shift), log), lanes);
    }
  }
}

/** The sum of a row, in the order of `sumOfExponentials`. */
function interleavedSum(x: usize, cols: i32): f32 {
  let sum = zero4();
  for (let j = 0; j < cols; j += LANES) {
    const lanes = min(cols - j, LANES);
    sum = add4(sum, clearLanes(loadLanes(x + ((<usize>j) << 2), lanes), lanes));
  }
  return sumLanes(sum);
}

/**
 * `dx = dy − e^y·Σ dy` for each row of the output `y[rows, cols]`; `dx` may be `dy`.
 *
 * The sum has four interleaved parts as in the forward pass: |error| ≤ u·|dx| + (⌈cols/4⌉ + 6)·u·e^y·Σ |dy|.
 *
 * @split EXP * rows * cols
 */
export function logSoftmaxBackward(y: usize, dy: usize, dx: usize, rows: i32, cols: i32): void {
  const end = endShare(rows);
  for (let row = firstShare(rows); row < end; row++) {
    const at = (<usize>row * <usize>cols) << 2;
    const sum = splat(interleavedSum(dy + at, cols));
    for (let j = 0; j < cols; j += LANES) {
      const lanes = min(cols - j, LANES);
      const p = at + ((<usize>j) << 2);
      const share = mul4(exp4(loadLanes(y + p, lanes)), sum);
      storeLanes(dx + p, sub4(loadLanes(dy + p, lanes), share), lanes);
    }
  }
}
