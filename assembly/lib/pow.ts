/** Powers of float32. */
import { logf } from "./logarithm";

/** 1 / ln 2, and ln 2 in two parts, the first with 33 significant bits: its product with an exponent is exact. */
const LOG2E: f64 = 1.4426950408889634;
const LN2_HIGH: f64 = 6.9314718036912381649e-1;
const LN2_LOW: f64 = 1.90821492927058770002e-10;
/** e^x rounds to 0 in float32 below the first, and to ∞ above the second. */
const LOWEST: f64 = -104.0;
const HIGHEST: f64 = 89.0;
/** From here on every float32 is an even number. */
const ALL_EVEN: f32 = 16777216.0;

/**
 * e^x of a float64 for results that are rounded to float32, with a relative error below 1e-15 from −104 to 89; below it is 0,
 * above e⁸⁹, which rounds to ∞ as well.
 *
 * Cody–Waite reduction x = k·ln 2 + r, |r| ≤ ln 2 / 2, and the Taylor series of e^r to r¹³: the first term left out is
 * below 5e-18.
 */
function expWide(x: f64): f64 {
  if (!(x >= LOWEST)) return x == x ? 0 : x;
  x = min(x, HIGHEST);
  const k = nearest<f64>(x * LOG2E);
  const r = x - k * LN2_HIGH - k * LN2_LOW;
  let p: f64 = 1.0 / 6227020800;
  p = p * r + 1.0 / 479001600;
  p = p * r + 1.0 / 39916800;
  p = p * r + 1.0 / 3628800;
  p = p * r + 1.0 / 362880;
  p = p * r + 1.0 / 40320;
  p = p * r + 1.0 / 5040;
  p = p * r + 1.0 / 720;
  p = p * r + 1.0 / 120;
  p = p * r + 1.0 / 24;
  p = p * r + 1.0 / 6;
  p = p * r + 0.5;
  p = (p * r + 1) * r + 1;
  return p * reinterpret<f64>((<i64>k + 1023) << 52);
}

/**
 * x^y; at most 0.501 ULP of float32, as `pow` of C treats zeros, infinities and NaN.
 *
 * |x|^y = e^(y·ln |x|) in float64; a negative x has the sign of (−1)^y, and NaN unless y is whole.
 */
export function powf(x: f32, y: f32): f32 {
  if (y == 0 || x == 1) return 1;
  if (y == 2) return x * x;
  const magnitude = abs(x);
  const whole = floor(y) == y;
  // ln 1 · ∞ would be NaN.
  const power: f32 = magnitude == 1 && y == y ? 1.0 : <f32>expWide(<f64>y * logf(magnitude));
  if (reinterpret<i32>(x) >= 0 || x != x) return power;
  if (!whole) return x == 0 || magnitude == Infinity ? power : <f32>NaN;
  const odd = abs(y) < ALL_EVEN && ((<i32>y) & 1) == 1;
  return odd ? -power : power;
}
