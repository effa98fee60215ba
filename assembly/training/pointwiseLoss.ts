/** Losses of single elements: the mean of a function of output and target over all of them, with its gradient. */
import { argmax, report } from "./softmaxCrossEntropy";
import { ln } from "../lib/logarithm";
import { exp, sigmoid4 } from "../lib/math";
import {
  LANES,
  div4,
  less4,
  loadLanes,
  max4,
  min4,
  select4,
  splat,
  storeLanes,
  sub4,
  zero4,
} from "../lib/simd";

/** Losses of single elements by number; the formulas stand at `pointwiseLoss`. @abi */
export enum PointwiseLoss {
  meanSquaredError = 0,
  meanAbsoluteError = 1,
  huber = 2,
  sigmoidCrossEntropy = 3,
}

/** The loss of one element; `kind` is a constant wherever this is inlined. */
// @ts-ignore: decorator
@inline
function valueOf(kind: i32, delta: f64, y: f32, target: f32): f64 {
  if (kind == PointwiseLoss.sigmoidCrossEntropy) {
    // −ln σ(y) and −ln σ(−y) are max(∓y, 0) + ln(1 + e^−|y|): nothing overflows. A logit that is certain and right, be it
    // infinite, adds nothing but that logarithm.
    const certain = target == (y > 0 ? 1 : 0);
    const linear: f64 = certain ? 0 : <f64>max<f32>(y, 0) - <f64>y * <f64>target;
    return linear + ln(1 + <f64>exp(-abs(y)));
  }
  const difference = <f64>y - <f64>target;
  if (kind == PointwiseLoss.meanSquaredError) return difference * difference;
  const size = abs(difference);
  if (kind == PointwiseLoss.meanAbsoluteError) return size;
  return size > delta ? delta * (size - 0.5 * delta) : 0.5 * size * size;
}

/** The slope of four elements; of the square, half of it. */
// @ts-ignore: decorator
@inline
function lossSlope4(kind: i32, delta: f32, y: v128, target: v128): v128 {
  if (kind == PointwiseLoss.sigmoidCrossEntropy) return sub4(sigmoid4(y), target);
  const difference = sub4(y, target);
  if (kind == PointwiseLoss.meanSquaredError) return difference;
  if (kind == PointwiseLoss.huber) return min4(max4(difference, splat(-delta)), splat(delta));
  const falling = select4(less4(difference, zero4()), splat(-1), difference);
  return select4(less4(zero4(), difference), splat(1), falling);
}

/** The sum over `n` elements; writes the slopes, divided, to `dx` unless it is 0. */
// @ts-ignore: decorator
@inline
function sumOf(kind: i32, delta: f64, y: usize, targets: usize, dx: usize, n: i32, divisor: f32): f64 {
  let total: f64 = 0;
  for (let i = 0; i < n; i++) {
    const at = (<usize>i) << 2;
    total += valueOf(kind, delta, load<f32>(y + at), load<f32>(targets + at));
  }
  if (dx == 0) return total;
  for (let i = 0; i < n; i += LANES) {
    const at = (<usize>i) << 2;
    const count = min(n - i, LANES);
    const slope = lossSlope4(kind, <f32>delta, loadLanes(y + at, count), loadLanes(targets + at, count));
    storeLanes(dx + at, div4(slope, splat(divisor)), count);
  }
  return total;
}

/** Rows whose largest output and largest target share a column; 0 for a single column, which has no class. */
function matchingRows(y: usize, targets: usize, rows: i32, cols: i32): i32 {
  if (cols == 1) return 0;
  const stride = (<usize>cols) << 2;
  let correct = 0;
  for (let row = 0; row < rows; row++, y += stride, targets += stride) {
    correct += i32(argmax(y, cols) == argmax(targets, cols));
  }
  return correct;
}

/** Rows of which each element is above 0 where the target is above ½, and only there. */
function decidedRows(y: usize, targets: usize, rows: i32, cols: i32): i32 {
  let correct = 0;
  for (let row = 0; row < rows; row++) {
    let wrong = 0;
    for (let j = 0; j < cols; j++, y += 4, targets += 4) {
      wrong |= i32(load<f32>(y) > 0 != load<f32>(targets) > 0.5);
    }
    correct += 1 - wrong;
  }
  return correct;
}

/**
 * Mean over the `rows·cols` elements of `y[rows, cols]`, added in float64 in ascending order, of a function of the
 * difference d = y − target or, for the last, of a logit:
 *
 * | kind | loss | slope |
 * | --- | --- | --- |
 * | squared | d² | 2d |
 * | absolute | |d| | −1, 0 or 1 |
 * | Huber (1964) | |d| ≤ delta ? d² / 2 : delta·(|d| − delta / 2) | d, at most ±delta |
 * | sigmoid cross-entropy | max(y, 0) − y·target + ln(1 + e^−|y|) | σ(y) − target |
 *
 * The gradient, slope / (rows·cols), is written unless `dx` is 0; it may be `y`. It is rounded three times (difference,
 * divisor, quotient): relative error at most 3u to first order, to which the last adds 6u·σ / (rows·cols). The loss is
 * off by float64's order, the last by 2u·e^−|y| of each element besides.
 *
 * Right are rows whose largest output and target share a column; of the last, rows all of whose logits have the sign of
 * target − ½.
 */
export function pointwiseLoss(
  kind: i32,
  delta: f64,
  y: usize,
  targets: usize,
  dx: usize,
  rows: i32,
  cols: i32,
  result: usize,
): void {
  const n = rows * cols;
  // Before the gradient is written, perhaps in its place.
  const correct =
    kind == PointwiseLoss.sigmoidCrossEntropy
      ? decidedRows(y, targets, rows, cols)
      : matchingRows(y, targets, rows, cols);
  const divisor = <f32>n;
  let total: f64;
  if (kind == PointwiseLoss.meanSquaredError)
    total = sumOf(PointwiseLoss.meanSquaredError, 0, y, targets, dx, n, divisor * 0.5);
  else if (kind == PointwiseLoss.meanAbsoluteError)
    total = sumOf(PointwiseLoss.meanAbsoluteError, 0, y, targets, dx, n, divisor);
  else if (kind == PointwiseLoss.huber) total = sumOf(PointwiseLoss.huber, delta, y, targets, dx, n, divisor);
  else total = sumOf(PointwiseLoss.sigmoidCrossEntropy, 0, y, targets, dx, n, divisor);
  report(result, total / <f64>n, correct);
}
