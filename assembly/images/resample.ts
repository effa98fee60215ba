/**
 * Images of bytes in another size, along one of their axes: each byte of the result is a weighted mean of neighbours.
 *
 * Weights are integers, 2²² for one whole, and so are all sums: they have no order and no rounding but the last.
 */
import { endShare, firstShare } from "../lib/share";
import { LANES, addInt4, loadBytes4, mulInt4, shiftRight4, splatInt, storeBytes } from "../lib/simd";

/** The weight of one whole is 2 to the power of this. @abi */
export const RESAMPLE_BITS: i32 = 22;

/** `count` ≤ 4 bytes of the weighted sum of rows of `size` bytes from `x` on. */
// @ts-ignore: decorator
@inline
function resampleBlock(count: i32, taps: i32, weights: usize, size: usize, x: usize, y: usize): void {
  let sum = splatInt(1 << (RESAMPLE_BITS - 1));
  for (const end = weights + ((<usize>taps) << 2); weights < end; weights += 4, x += size) {
    sum = addInt4(sum, mulInt4(loadBytes4(x), splatInt(load<i32>(weights))));
  }
  storeBytes(y, shiftRight4(sum, RESAMPLE_BITS), count);
}

/**
 * `y[outer, to, inner]` from `x[outer, from, inner]`, bytes: `y[o, j] = ⌊(2²¹ + Σₜ weightⱼₜ·x[o, firstⱼ + t]) / 2²²⌋`, where
 * that is below 0 or above 255 the nearer of the two.
 *
 * The table has a line of `2 + width` int32 for each j: first, the number of taps ≤ `width`, and their weights, whose
 * absolute values sum to less than (2³¹ − 2²¹) / 255. Exact. Threads share the rows of y. Source: Pillow, `Resample.c`, whose
 * results these are.
 *
 * @split COPY * width * outer * to * inner
 */
export function resampleBytes(
  table: usize,
  width: i32,
  outer: i32,
  from: i32,
  to: i32,
  inner: i32,
  x: usize,
  y: usize,
): void {
  const size = <usize>inner;
  const line = (<usize>width + 2) << 2;
  const end = endShare(outer * to);
  let row = firstShare(outer * to);
  y += <usize>row * size;
  for (; row < end; row++) {
    const weights = table + <usize>(row % to) * line;
    const taps = load<i32>(weights, 4);
    let p = x + (<usize>(row / to) * <usize>from + <usize>load<i32>(weights)) * size;
    let count = inner;
    for (; count >= LANES; count -= LANES, p += LANES, y += LANES) {
      resampleBlock(LANES, taps, weights + 8, size, p, y);
    }
    if (count > 0) resampleBlock(count, taps, weights + 8, size, p, y);
    y += <usize>count;
  }
}
