/** The natural logarithm, one element at a time in float64, of + − × ÷ alone as in `math.ts`. */
import { lane0, lane1, lane2, lane3, lanes4 } from "./simd";

/** √2 and ln 2 in float64. */
const SQRT2: f64 = 1.4142135623730951;
const LN2: f64 = 0.6931471805599453;

/**
 * ln x of a normal float64 above 0, with a relative error below 1e-14.
 *
 * x = 2^k·m with √½ ≤ m < √2, and ln m = 2·artanh s with s = (m − 1) / (m + 1), |s| < 0.1716, by the Taylor series
 * 2·(s + s³/3 + s⁵/5 + … + s¹⁷/17): the first term left out is below 9e-16 of the sum. NaN stays NaN.
 */
export function ln(x: f64): f64 {
  if (x != x) return x;
  const bits = reinterpret<u64>(x);
  let k = <i32>(bits >> 52) - 1023;
  let m = reinterpret<f64>((bits & 0x000fffffffffffff) | 0x3ff0000000000000);
  if (m > SQRT2) {
    m *= 0.5;
    k += 1;
  }
  const s = (m - 1) / (m + 1);
  const z = s * s;
  let series: f64 = 1.0 / 17;
  series = series * z + 1.0 / 15;
  series = series * z + 1.0 / 13;
  series = series * z + 1.0 / 11;
  series = series * z + 1.0 / 9;
  series = series * z + 1.0 / 7;
  series = series * z + 1.0 / 5;
  series = series * z + 1.0 / 3;
  return k * LN2 + 2 * (s + s * z * series);
}

/** ln x in each lane, rounded from float64: below 0.501 ULP. */
// @ts-ignore: decorator
@inline
export function log4(x: v128): v128 {
  return lanes4(<f32>logf(lane0(x)), <f32>logf(lane1(x)), <f32>logf(lane2(x)), <f32>logf(lane3(x)));
}

/**
 * ln x of a float32, in float64 with a relative error below 1e-14 (rounded to float32: below 0.501 ULP).
 *
 * ln ±0 = −∞, ln +∞ = +∞, NaN for negative values and for NaN.
 */
export function logf(x: f32): f64 {
  if (!(x > 0)) return x == 0 ? -Infinity : NaN;
  if (x == Infinity) return Infinity;
  // Every float32, subnormal or not, is a normal float64.
  return ln(<f64>x);
}
