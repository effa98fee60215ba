/** Sums over the rows of a matrix in float64, a column each: what the statistics of a normalization are made of. */
import { LANES, load4 } from "../lib/simd";
import { add2d, mul2d, store2d, sub2d, widenHigh, widenLow, zero2d } from "../lib/simd64";

/**
 * For columns `first` to `end` of `a[rows, c]` and `b[rows, c]`, with centres `m[c]`:
 * `s1[j] = Σ a'` and `s2[j] = Σ a'·b'`, where `b' = b − m`, and `a' = a − m` if `squares` (then b is a) or else `a' = a`.
 *
 * Order: one running float64 sum a column, rows ascending. Differences, exact in float64 but for far exponents, products and
 * sums are rounded: the error is at most (rows + 2)·2⁻⁵³ of the sum of the terms' sizes.
 */
// @ts-ignore: decorator
@inline
export function columnSums(
  squares: bool,
  rows: i32,
  c: i32,
  first: i32,
  end: i32,
  a: usize,
  b: usize,
  m: usize,
  s1: usize,
  s2: usize,
): void {
  let j = first;
  for (; j + LANES <= end; j += LANES) {
    sumVector(
      squares,
      rows,
      (<usize>c) << 2,
      a + ((<usize>j) << 2),
      b + ((<usize>j) << 2),
      m + ((<usize>j) << 2),
      s1 + ((<usize>j) << 3),
      s2 + ((<usize>j) << 3),
    );
  }
  for (; j < end; j++) {
    const centre = <f64>load<f32>(m + ((<usize>j) << 2));
    let total: f64 = 0;
    let products: f64 = 0;
    let at = (<usize>j) << 2;
    for (let r = rows; r > 0; r--) {
      const difference = <f64>load<f32>(b + at) - centre;
      const value = squares ? difference : <f64>load<f32>(a + at);
      total += value;
      products += value * difference;
      at += (<usize>c) << 2;
    }
    store<f64>(s1 + ((<usize>j) << 3), total);
    store<f64>(s2 + ((<usize>j) << 3), products);
  }
}

/** The sums of four columns; `squares` is a constant wherever this is inlined. */
// @ts-ignore: decorator
@inline
function sumVector(
  squares: bool,
  rows: i32,
  stride: usize,
  a: usize,
  b: usize,
  m: usize,
  s1: usize,
  s2: usize,
): void {
  const centres = load4(m);
  const mLow = widenLow(centres);
  const mHigh = widenHigh(centres);
  let sumLow = zero2d();
  let sumHigh = zero2d();
  let productLow = zero2d();
  let productHigh = zero2d();
  for (let r = rows; r > 0; r--) {
    const y = load4(b);
    const low = sub2d(widenLow(y), mLow);
    const high = sub2d(widenHigh(y), mHigh);
    const x = squares ? y : load4(a);
    const xLow = squares ? low : widenLow(x);
    const xHigh = squares ? high : widenHigh(x);
    sumLow = add2d(sumLow, xLow);
    sumHigh = add2d(sumHigh, xHigh);
    productLow = add2d(productLow, mul2d(xLow, low));
    productHigh = add2d(productHigh, mul2d(xHigh, high));
    a += stride;
    b += stride;
  }
  store2d(s1, sumLow);
  store2d(s1 + 16, sumHigh);
  store2d(s2, productLow);
  store2d(s2 + 16, productHigh);
}
