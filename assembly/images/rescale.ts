/** Numbers brought to another scale. */
import { LINE, endShare, firstShare } from "../lib/share";
import { LANES, add4, load4, loadLanes, mul4, splat, store4, storeLanes } from "../lib/simd";

/**
 * `y[i] = scale·x[i] + offset` for `n` elements, the product and the sum each rounded; `y` may be `x`.
 *
 * @split COPY * n
 */
export function rescaleForward(scale: f32, offset: f32, x: usize, y: usize, n: i32): void {
  const first = firstShare(n, LINE);
  const own = endShare(n, LINE) - first;
  x += (<usize>first) << 2;
  y += (<usize>first) << 2;
  const factor = splat(scale);
  const term = splat(offset);
  const rest = own & (LANES - 1);
  const end = x + ((<usize>(own - rest)) << 2);
  for (; x < end; x += 16, y += 16) store4(y, add4(mul4(load4(x), factor), term));
  if (rest > 0) storeLanes(y, add4(mul4(loadLanes(x, rest), factor), term), rest);
}
