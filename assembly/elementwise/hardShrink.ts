/** Hard shrinkage, by which small numbers become zeros. */
import { LINE, endShare, firstShare } from "../lib/share";
import { LANES, abs4, andNot4, lessEqual4, loadLanes, splat, storeLanes } from "../lib/simd";

/** `to[i] = |x[i]| ≤ lambda ? +0 : from[i]` for this thread's elements. */
function shrink(lambda: f32, x: usize, from: usize, to: usize, n: i32): void {
  const bound = splat(lambda);
  const end = endShare(n, LINE);
  for (let i = firstShare(n, LINE); i < end; i += LANES) {
    const at = (<usize>i) << 2;
    const count = min(LANES, end - i);
    const small = lessEqual4(abs4(loadLanes(x + at, count)), bound);
    storeLanes(to + at, andNot4(loadLanes(from + at, count), small), count);
  }
}

/**
 * `y[i] = |x[i]| > lambda ? x[i] : 0` for `n` elements and lambda ≥ 0, as PyTorch's `hardshrink`; `y` may be `x`. NaN stays
 * NaN. Exact.
 *
 * @split COPY * n
 */
export function hardShrinkForward(lambda: f32, x: usize, y: usize, n: i32): void {
  shrink(lambda, x, x, y, n);
}

/**
 * The gradient of `hardShrinkForward`: `dx[i] = |x[i]| > lambda ? dy[i] : 0`; `dx` may be `dy`. At NaN it is `dy`. Exact.
 *
 * @split COPY * n
 */
export function hardShrinkBackward(lambda: f32, x: usize, dy: usize, dx: usize, n: i32): void {
  shrink(lambda, x, dy, dx, n);
}
