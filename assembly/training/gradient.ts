/** What is added to gradients and weights between the backward pass and the step of the optimizer, and after it. */
import { LANES, abs4, add4, clearLanes, madd4, mul4, splat } from "../lib/simd";
import { add2d, sum2d, widenHigh, widenLow, zero2d } from "../lib/simd64";
import { LINE, endShare, firstShare } from "../lib/share";
import { loadUpTo4, sign4, storeUpTo4 } from "./adaptive";

/**
 * `y = a·x + b·y` for `n` elements, in float32, each operation rounded once.
 *
 * @split COPY * n
 */
export function axpby(n: i32, a: f32, x: usize, b: f32, y: usize): void {
  const end = endShare(n, LINE);
  for (let i = firstShare(n, LINE); i < end; i += LANES) {
    const count = min(LANES, end - i);
    const at = (<usize>i) << 2;
    const scaled = mul4(splat(b), loadUpTo4(y + at, count));
    storeUpTo4(y + at, madd4(splat(a), loadUpTo4(x + at, count), scaled), count);
  }
}

/**
 * Adds the gradient of the penalty `l1·Σ|w| + l2·Σw²` to that of `n` weights: `g += l1·sign(w) + 2·l2·w`, from right to left
 * in float32, each operation rounded once; the sign of 0 is 0.
 *
 * @split COPY * n
 */
export function regularizeGradient(w: usize, g: usize, n: i32, l1: f32, l2: f32): void {
  const end = endShare(n, LINE);
  for (let i = firstShare(n, LINE); i < end; i += LANES) {
    const count = min(LANES, end - i);
    const at = (<usize>i) << 2;
    const weight = loadUpTo4(w + at, count);
    const slope = madd4(splat(l1), sign4(weight), mul4(splat(2 * l2), weight));
    storeUpTo4(g + at, add4(loadUpTo4(g + at, count), slope), count);
  }
}

/**
 * `Σ |x[i]|` of `n` elements in float64, on the calling thread alone: four parts, of the elements of each residue modulo 4 in
 * ascending order, are added as (0 + 2) + (1 + 3). The relative error is below (⌈n/4⌉ + 2)·2⁻⁵³.
 */
export function sumOfMagnitudes(x: usize, n: i32): f64 {
  let low = zero2d();
  let high = zero2d();
  for (let i = 0; i < n; i += LANES) {
    const count = min(LANES, n - i);
    const values = clearLanes(abs4(loadUpTo4(x + ((<usize>i) << 2), count)), count);
    low = add2d(low, widenLow(values));
    high = add2d(high, widenHigh(values));
  }
  return sum2d(add2d(low, high));
}
