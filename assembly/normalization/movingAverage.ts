/** Statistics that follow those of the batches. */
import { float, setFloat } from "../lib/elements";

/**
 * `moving = momentum·moving + (1 − momentum)·scale·value` for `n` elements, in float64, rounded once; returns 1 when all
 * new values are finite. Nothing is stored without `commit`.
 */
export function movingAverage(
  moving: usize,
  value: usize,
  n: i32,
  momentum: f64,
  scale: f64,
  commit: bool,
): i32 {
  let finite: i32 = 1;
  for (let j = 0; j < n; j++) {
    const next = <f32>(momentum * <f64>float(moving, j) + (1 - momentum) * scale * <f64>float(value, j));
    if (!isFinite(next)) finite = 0;
    if (commit) setFloat(moving, j, <f64>next);
  }
  return finite;
}
