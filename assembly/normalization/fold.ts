/** Batch normalization folded into the weights of the layer before it. */
import { float, setFloat } from "../lib/elements";
import { LANES, loadLanes, mul4, storeLanes } from "../lib/simd";
import { normal } from "../elementwise/subnormal";

/** gamma / √(variance + epsilon); `gamma` may be 0 for ones, and is zero where it is subnormal. */
// @ts-ignore: decorator
@inline
function factorOf(gamma: usize, variance: usize, epsilon: f64, i: i32): f64 {
  const scale: f64 = gamma == 0 ? 1 : <f64>normal(float(gamma, i));
  return scale / Math.sqrt(<f64>float(variance, i) + epsilon);
}

/**
 * Weights and bias whose product is the normalized one: with factor = gamma / √(variance + epsilon) of each output,
 *
 *   w'[rows, f] = w[rows, f]·factor[f]      b'[f] = (b[f] − mean[f])·factor[f] + beta[f]
 *
 * so that x·w' + b' = ((x·w + b) − mean)·factor + beta. `b`, `gamma` and `beta` may be 0 for zeros, ones and zeros.
 *
 * The factor is rounded once from float64 and w' once more: |error| ≤ 2u·|w'|. b' is computed in float64 and rounded once:
 * |error| ≤ u·|b'| + 6·2⁻⁵³·(|(b − mean)·factor| + |beta|).
 */
export function foldNormalization(
  rows: i32,
  f: i32,
  w: usize,
  b: usize,
  mean: usize,
  variance: usize,
  epsilon: f32,
  gamma: usize,
  beta: usize,
  foldedW: usize,
  foldedB: usize,
): void {
  // The factors lie where the bias will be.
  for (let j = 0; j < f; j++) setFloat(foldedB, j, factorOf(gamma, variance, <f64>epsilon, j));
  const bytes = (<usize>f) << 2;
  for (let r = 0; r < rows; r++) {
    for (let j = 0; j < f; j += LANES) {
      const at = (<usize>j) << 2;
      const count = min(LANES, f - j);
      storeLanes(foldedW + at, mul4(loadLanes(w + at, count), loadLanes(foldedB + at, count)), count);
    }
    w += bytes;
    foldedW += bytes;
  }
  for (let j = 0; j < f; j++) {
    const offset = (b == 0 ? 0 : <f64>float(b, j)) - <f64>float(mean, j);
    const shift: f64 = beta == 0 ? 0 : <f64>float(beta, j);
    setFloat(foldedB, j, offset * factorOf(gamma, variance, <f64>epsilon, j) + shift);
  }
}
