/** Bounds on gradients before a step of the optimizer. */
import { LANES, load4, loadLanes, max4, min4, mul4, splat, storeLanes } from "../lib/simd";
import { add2d, mul2d, sum2d, widenHigh, widenLow, zero2d } from "../lib/simd64";

/**
 * `Σ g[i]²` of `n` elements in float64: four parts, of the elements of each residue modulo 4 in ascending order, are
 * added as (0 + 2) + (1 + 3), then the elements behind the last four. A square is exact in float64: the relative error is
 * below (⌈n/4⌉ + 3)·2⁻⁵³.
 */
export function sumOfSquares(g: usize, n: i32): f64 {
  const rest = n & (LANES - 1);
  const end = g + ((<usize>(n - rest)) << 2);
  let low = zero2d();
  let high = zero2d();
  for (; g < end; g += 16) {
    const v = load4(g);
    const a = widenLow(v);
    const b = widenHigh(v);
    low = add2d(low, mul2d(a, a));
    high = add2d(high, mul2d(b, b));
  }
  let sum = sum2d(add2d(low, high));
  for (let i = 0; i < rest; i++) {
    const value = <f64>load<f32>(g + ((<usize>i) << 2));
    sum += value * value;
  }
  return sum;
}

/** `g = min(max(scale·g, −limit), limit)` for `n` elements; NaN stays NaN. */
export function clipGradient(g: usize, n: i32, scale: f32, limit: f32): void {
  const rest = n & (LANES - 1);
  const end = g + ((<usize>(n - rest)) << 2);
  for (; g < end; g += 16) clipVector(LANES, g, scale, limit);
  if (rest > 0) clipVector(rest, g, scale, limit);
}

// @ts-ignore: decorator
@inline
function clipVector(count: i32, g: usize, scale: f32, limit: f32): void {
  const scaled = mul4(loadLanes(g, count), splat(scale));
  storeLanes(g, min4(max4(scaled, splat(-limit)), splat(limit)), count);
}
