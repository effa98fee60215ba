/** Rows divided by their Euclidean norms. */
import { float, setFloat } from "../lib/elements";
import { endShare, firstShare } from "../lib/share";

/** A norm below this one counts as this. */
const LEAST: f64 = 1e-12;

/** Σ a[j]·b[j] over a row, in float64, columns ascending. */
function dot(a: usize, b: usize, cols: i32): f64 {
  let sum: f64 = 0;
  for (let j = 0; j < cols; j++) sum += <f64>float(a, j) * <f64>float(b, j);
  return sum;
}

/**
 * `y = x / max(‖x‖, 1e-12)` for each row of `x[rows, cols]`; `y` may be `x`.
 *
 * The sum of squares has one running float64 sum, columns ascending; root and quotient are float64, and y is rounded once:
 * off by at most u·|y|·(1 + 2⁻²⁰) for up to 2⁸ columns … 2³² columns, since float64 leaves 29 bits.
 *
 * @split DIVIDE * rows * cols
 */
export function unitNormalizeForward(rows: i32, cols: i32, x: usize, y: usize): void {
  const stride = (<usize>cols) << 2;
  const first = firstShare(rows);
  x += <usize>first * stride;
  y += <usize>first * stride;
  for (let row = endShare(rows) - first; row > 0; row--, x += stride, y += stride) {
    const norm = max(Math.sqrt(dot(x, x, cols)), LEAST);
    for (let j = 0; j < cols; j++) setFloat(y, j, <f64>float(x, j) / norm);
  }
}

/**
 * `dx = (dy − x·Σ(dy·x) / ‖x‖²) / ‖x‖` for each row, and `dx = dy / 1e-12` where the norm is not above that; `dx` may be
 * `dy`. Sums and order as in the forward pass, rounded once.
 *
 * @split DIVIDE * rows * cols
 */
export function unitNormalizeBackward(rows: i32, cols: i32, x: usize, dy: usize, dx: usize): void {
  const stride = (<usize>cols) << 2;
  const first = firstShare(rows);
  x += <usize>first * stride;
  dy += <usize>first * stride;
  dx += <usize>first * stride;
  for (let row = endShare(rows) - first; row > 0; row--, x += stride, dy += stride, dx += stride) {
    const square = dot(x, x, cols);
    const norm = Math.sqrt(square);
    const along = norm > LEAST ? dot(dy, x, cols) / square : 0;
    const by = max(norm, LEAST);
    for (let j = 0; j < cols; j++) {
      setFloat(dx, j, (<f64>float(dy, j) - <f64>float(x, j) * along) / by);
    }
  }
}
