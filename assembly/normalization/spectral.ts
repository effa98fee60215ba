/** A matrix divided by an estimate of its largest singular value. */
import { float, setFloat } from "../lib/elements";

/** A norm below this one counts as this, as in PyTorch's. */
const LEAST: f64 = 1e-12;
/** Further steps of the power iteration when it begins. */
const FIRST_STEPS: i32 = 15;

/** `x / max(‖x‖, 1e-12)` in place; the sum of squares in float64, ascending. */
function normalize(x: usize, n: i32): void {
  let sum: f64 = 0;
  for (let i = 0; i < n; i++) sum += <f64>float(x, i) * <f64>float(x, i);
  const norm = max(Math.sqrt(sum), LEAST);
  for (let i = 0; i < n; i++) setFloat(x, i, <f64>float(x, i) / norm);
}

/** `v = W·u` for `w[rows, cols]`: each in one float64 sum, columns ascending, rounded once. */
function times(w: usize, rows: i32, cols: i32, u: usize, v: usize): void {
  for (let i = 0; i < rows; i++, w += (<usize>cols) << 2) {
    let sum: f64 = 0;
    for (let j = 0; j < cols; j++) sum += <f64>float(w, j) * <f64>float(u, j);
    setFloat(v, i, sum);
  }
}

/** `u = Wᵀ·v`: each in one float64 sum, rows ascending, rounded once. */
function transposedTimes(w: usize, rows: i32, cols: i32, v: usize, u: usize): void {
  const stride = (<usize>cols) << 2;
  for (let j = 0; j < cols; j++) {
    let sum: f64 = 0;
    let at = w + ((<usize>j) << 2);
    for (let i = 0; i < rows; i++, at += stride) sum += <f64>load<f32>(at) * <f64>float(v, i);
    setFloat(u, j, sum);
  }
}

/** Whether a vector is of zeros. */
function isZero(v: usize, n: i32): bool {
  for (let i = 0; i < n; i++) if (float(v, i) != 0) return false;
  return true;
}

/**
 * Spectral normalization of `w[rows, cols]` (Miyato et al. 2018): `iterations` times `u = Wᵀ·v / ‖Wᵀ·v‖`, then
 * `v = W·u / ‖W·u‖`, in place; then sigma = vᵀ·W·u, and `y = W / sigma`. Stores sigma as a float32 and divides by that.
 *
 * A u of zeros says that the iteration has not begun: 15 iterations are added.
 *
 * All sums are float64, each in ascending order; vectors, sigma and y are rounded once. `u` has `cols` elements and `v`
 * has `rows`.
 */
export function spectralNormalize(
  iterations: i32,
  rows: i32,
  cols: i32,
  w: usize,
  u: usize,
  v: usize,
  sigma: usize,
  y: usize,
): void {
  const steps = isZero(u, cols) ? iterations + FIRST_STEPS : iterations;
  for (let i = steps; i > 0; i--) {
    transposedTimes(w, rows, cols, v, u);
    normalize(u, cols);
    times(w, rows, cols, u, v);
    normalize(v, rows);
  }
  let total: f64 = 0;
  let row = w;
  for (let i = 0; i < rows; i++, row += (<usize>cols) << 2) {
    let sum: f64 = 0;
    for (let j = 0; j < cols; j++) sum += <f64>float(row, j) * <f64>float(u, j);
    total += sum * <f64>float(v, i);
  }
  const largest = <f32>total;
  store<f32>(sigma, largest);
  for (let i = 0, n = rows * cols; i < n; i++) setFloat(y, i, <f64>float(w, i) / <f64>largest);
}

/**
 * The gradient of W in `spectralNormalize`, with u and v as constants: `dw = (dy − Σ(dy·y)·v·uᵀ) / sigma`. The sum is one
 * of float64 in the order of memory; dw is rounded once, and may be dy.
 */
export function spectralNormalizeBackward(
  rows: i32,
  cols: i32,
  u: usize,
  v: usize,
  sigma: usize,
  y: usize,
  dy: usize,
  dw: usize,
): void {
  let sum: f64 = 0;
  for (let i = 0, n = rows * cols; i < n; i++) sum += <f64>float(dy, i) * <f64>float(y, i);
  const by = <f64>load<f32>(sigma);
  for (let i = 0, at = 0; i < rows; i++) {
    const along = sum * <f64>float(v, i);
    for (let j = 0; j < cols; j++, at++) {
      setFloat(dw, at, (<f64>float(dy, at) - along * <f64>float(u, j)) / by);
    }
  }
}
