/**
 * The softmax cross-entropy with the gradient of its mean, and what all losses share: they add in float64, in ascending
 * order, and write a `LossResult` to `result`.
 */
import { LANES, add4, div4, load4, loadLanes, mul4, splat, storeLanes, sub4 } from "../lib/simd";
import { logf } from "../lib/logarithm";
import { divideInPlace, sumOfExponentials } from "../reduce/softmax";

/** The figures that a loss writes beside its gradient. */
@unmanaged
class LossResult {
  /** Mean loss. */
  loss: f64;
  /** Rows whose largest output is in the column of the largest target. */
  correct: i32;
}

export function report(result: usize, loss: f64, correct: i32): void {
  const out = changetype<LossResult>(result);
  out.loss = loss;
  out.correct = correct;
}

/** The column of the largest of `cols ≥ 1` elements: the first on a tie, the first NaN if there is one. */
export function argmax(x: usize, cols: i32): i32 {
  let winner = 0;
  let best = load<f32>(x);
  for (let j = 1; j < cols && best == best; j++) {
    const value = load<f32>(x + ((<usize>j) << 2));
    if (!(value <= best)) {
      best = value;
      winner = j;
    }
  }
  return winner;
}

/** spread·Σ (maximum − x) over a row, ascending in float64; 0 without a spread, even at a logit of −∞. */
function spreadGaps(x: usize, spread: f64, maximum: f32, cols: i32): f64 {
  if (spread == 0) return 0;
  let sum: f64 = 0;
  for (let j = 0; j < cols; j++) sum += <f64>maximum - <f64>load<f32>(x + ((<usize>j) << 2));
  return spread * sum;
}

/** `p = p − by` for `n` elements. */
function subtractInPlace(p: usize, by: f32, n: i32): void {
  const by4 = splat(by);
  const rest = n & (LANES - 1);
  const end = p + ((<usize>(n - rest)) << 2);
  for (; p < end; p += 16) storeLanes(p, sub4(load4(p), by4), LANES);
  if (rest > 0) storeLanes(p, sub4(loadLanes(p, rest), by4), rest);
}

/**
 * Mean over the rows of `−Σ target·ln softmax(logits)`, for `logits[rows, cols]` and int32 class numbers `labels[rows]`
 * (the caller checks their range). The targets of a row are `(1 − smoothing)·onehot(label) + smoothing / cols` (Szegedy et
 * al. 2016, §7); without smoothing the row's loss is `−ln softmax(logits)[label] = ln Σ e^(x − max) + (max − x[label])`.
 *
 * The gradient `dx = (softmax(logits) − target) / rows` is written unless `dx` is 0; it may be `logits`.
 * The inner sum has the order of `sumOfExponentials`; the rows are added in float64. The largest logit is subtracted
 * first, so nothing overflows: |error| ≤ (range + ⌈cols/4⌉ + 4)·u for logits within `range` of their maximum, and
 * the same, divided by `rows`, for each element of the gradient. A row with NaN or +∞ makes the loss NaN.
 */
export function softmaxCrossEntropySparse(
  logits: usize,
  labels: usize,
  smoothing: f64,
  dx: usize,
  rows: i32,
  cols: i32,
  result: usize,
): void {
  const stride = (<usize>cols) << 2;
  const keep = 1 - smoothing;
  const spread = smoothing / <f64>cols;
  let total: f64 = 0;
  let correct = 0;
  for (let row = 0; row < rows; row++, logits += stride, labels += 4) {
    const label = load<i32>(labels);
    const winner = argmax(logits, cols);
    const maximum = load<f32>(logits + ((<usize>winner) << 2));
    const picked = load<f32>(logits + ((<usize>label) << 2));
    const gaps = keep * (<f64>maximum - <f64>picked) + spreadGaps(logits, spread, maximum, cols);
    const sum = sumOfExponentials(logits, dx, maximum, cols);
    total += (keep + smoothing) * logf(sum) + gaps;
    correct += i32(winner == label);
    if (dx != 0) {
      divideInPlace(dx, sum, cols);
      const hit = dx + ((<usize>label) << 2);
      const share = load<f32>(hit);
      if (spread != 0) subtractInPlace(dx, <f32>spread, cols);
      store<f32>(hit, share - (<f32>keep + <f32>spread));
      divideInPlace(dx, <f32>rows, cols);
      dx += stride;
    }
  }
  report(result, total / <f64>rows, correct);
}

/** Σ target·(maximum − x) over a row, ascending in float64. A target of 0 counts nothing, even at a logit of −∞. */
function weightedGaps(x: usize, targets: usize, maximum: f32, cols: i32): f64 {
  let sum: f64 = 0;
  for (let j = 0; j < cols; j++) {
    const at = (<usize>j) << 2;
    const target = load<f32>(targets + at);
    if (target != 0) sum += <f64>target * (<f64>maximum - <f64>load<f32>(x + at));
  }
  return sum;
}

/** Σ x over a row, ascending in float64. */
function rowSum(x: usize, cols: i32): f64 {
  let sum: f64 = 0;
  for (let j = 0; j < cols; j++) sum += <f64>load<f32>(x + ((<usize>j) << 2));
  return sum;
}

/** `p = mass·p − (keep·targets + spread)` for `n` elements. */
function subtractTargets(p: usize, targets: usize, mass: f32, keep: f32, spread: f32, n: i32): void {
  const rest = n & (LANES - 1);
  const end = p + ((<usize>(n - rest)) << 2);
  for (; p < end; p += 16, targets += 16) {
    subtractVector(LANES, p, targets, mass, keep, spread);
  }
  if (rest > 0) subtractVector(rest, p, targets, mass, keep, spread);
}

// @ts-ignore: decorator
@inline
function subtractVector(count: i32, p: usize, targets: usize, mass: f32, keep: f32, spread: f32): void {
  const smooth = add4(mul4(splat(keep), loadLanes(targets, count)), splat(spread));
  storeLanes(p, sub4(mul4(splat(mass), loadLanes(p, count)), smooth), count);
}

/**
 * Mean over the rows of `−Σ target·ln softmax(logits)`, for `logits[rows, cols]` and `targets[rows, cols]`: one-hot
 * rows, or any other weights. With smoothing `(1 − smoothing)·target + smoothing / cols` takes the place of each target.
 *
 * The gradient `dx = (Σ target·softmax(logits) − target) / rows` is written unless `dx` is 0; it may be `logits`.
 * One-hot targets give the bits of `softmaxCrossEntropySparse`; in general its error bounds hold, times Σ |target|.
 * A target of 0 counts nothing, even at a logit of −∞. A row with NaN or +∞ makes the loss NaN.
 */
export function softmaxCrossEntropyDense(
  logits: usize,
  targets: usize,
  smoothing: f64,
  dx: usize,
  rows: i32,
  cols: i32,
  result: usize,
): void {
  const stride = (<usize>cols) << 2;
  const keep = 1 - smoothing;
  const spread = smoothing / <f64>cols;
  let total: f64 = 0;
  let correct = 0;
  for (let row = 0; row < rows; row++, logits += stride, targets += stride) {
    const winner = argmax(logits, cols);
    const maximum = load<f32>(logits + ((<usize>winner) << 2));
    const mass = keep * rowSum(targets, cols) + smoothing;
    const gaps =
      keep * weightedGaps(logits, targets, maximum, cols) + spreadGaps(logits, spread, maximum, cols);
    const sum = sumOfExponentials(logits, dx, maximum, cols);
    total += mass * logf(sum) + gaps;
    correct += i32(winner == argmax(targets, cols));
    if (dx != 0) {
      divideInPlace(dx, sum, cols);
      subtractTargets(dx, targets, <f32>mass, <f32>keep, <f32>spread, cols);
      divideInPlace(dx, <f32>rows, cols);
      dx += stride;
    }
  }
  report(result, total / <f64>rows, correct);
}
