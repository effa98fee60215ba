/**
 * Elementary functions from + − × ÷ alone, so that they give the same bits in every runtime.
 *
 * Errors are in units in the last place of float32 against float64; those "found" are the largest over all float32
 * inputs, of which `test/kernels/math.test.ts` repeats a sample.
 */
import {
  abs4,
  add4,
  addInt4,
  and4,
  atLeast4,
  atMost4,
  div4,
  less4,
  madd4,
  maxLanes,
  mul4,
  neg4,
  or4,
  select4,
  shiftLeft4,
  shiftRight4,
  splat,
  splatInt,
  sub4,
  subInt4,
} from "./simd";

/** 1 / ln 2. */
const LOG2E: f32 = 1.44269504088896341;
/** ln 2 in two parts; the first has 9 significant bits, so that its product with an exponent is exact. */
const LN2_HIGH: f32 = 0.693359375;
const LN2_LOW: f32 = -2.1219444e-4;
/** e^x is 0 below the first and infinite above the second. */
const EXP_LOWEST: f32 = -104.0;
const EXP_HIGHEST: f32 = 89.0;
/** 1.5·2²³: a small number added to it is rounded to an integer, ties to even, which then stands in the low bits. */
const SHIFTER: f32 = 12582912.0;
const SHIFTER_BITS: i32 = 0x4b400000;

/** 2 / √π. */
export const TWO_BY_ROOT_PI: f32 = 1.1283791670955126;

/** 2^(k − bias), where `k` is an integer as a `SHIFTER` has it, from the bits of a float32. */
// @ts-ignore: decorator
@inline
function powerOfTwo(k: v128, bias: i32): v128 {
  return shiftLeft4(addInt4(k, splatInt(127 - bias)), 23);
}

/**
 * e^r for |r| ≤ ln 2 / 2, r = x − k·ln 2 (Cody–Waite): 1 + r + r²·P(r) with the degree-5 minimax polynomial of Cephes'
 * `expf` (S. Moshier).
 */
// @ts-ignore: decorator
@inline
function expReduced4(x: v128, k: v128): v128 {
  const r = sub4(sub4(x, mul4(k, splat(LN2_HIGH))), mul4(k, splat(LN2_LOW)));
  let p = madd4(splat(1.98756915e-4), r, splat(1.3981999507e-3));
  p = madd4(p, r, splat(8.3334519073e-3));
  p = madd4(p, r, splat(4.1665795894e-2));
  p = madd4(p, r, splat(1.6666665459e-1));
  p = madd4(p, r, splat(5.0000001201e-1));
  return add4(madd4(p, mul4(r, r), r), splat(1));
}

/**
 * e^x for any float32; at most 1 ULP (0.991 found), also for subnormal results.
 *
 * x = k·ln 2 + r with the integer k nearest to x / ln 2, and e^r · 2^k in two multiplications by a power of two, so that
 * neither leaves the range of exponents. e^−∞ = 0, e^x = +∞ from 88.73 on and 0 below −103.98; NaN stays NaN.
 */
// @ts-ignore: decorator
@inline
export function exp4(x: v128): v128 {
  const clamped = atLeast4(atMost4(x, splat(EXP_HIGHEST)), splat(EXP_LOWEST));
  const shifted = add4(mul4(clamped, splat(LOG2E)), splat(SHIFTER));
  const mantissa = expReduced4(clamped, sub4(shifted, splat(SHIFTER)));
  const k = subInt4(shifted, splatInt(SHIFTER_BITS));
  const half = shiftRight4(k, 1);
  return mul4(mul4(mantissa, powerOfTwo(half, 0)), powerOfTwo(subInt4(k, half), 0));
}

/**
 * e^x for x ≤ 0, with the bits of `exp4`: 2^k there needs its second multiplication for subnormal results alone, by a
 * constant.
 */
// @ts-ignore: decorator
@inline
export function expNegative4(x: v128): v128 {
  const clamped = atLeast4(x, splat(EXP_LOWEST));
  const shifted = add4(mul4(clamped, splat(LOG2E)), splat(SHIFTER));
  const mantissa = expReduced4(clamped, sub4(shifted, splat(SHIFTER)));
  // The shifter's own bits end above those that stay.
  return mul4(mul4(mantissa, powerOfTwo(shifted, -LIFT)), splat(LIFTED));
}

/** −104 / ln 2 > −151, so that 2^(k + 25) is a normal number; 2⁻²⁵. */
const LIFT: i32 = 25;
const LIFTED: f32 = 2.9802322387695312e-8;

/**
 * 1 / (1 + e^−x) for any float32; at most 3 ULP (2.41 found), also for subnormal results.
 *
 * With z = e^−|x| it is 1 / (1 + z) for x ≥ 0 and z / (1 + z) for x < 0, so nothing overflows or cancels.
 * 0 at −∞, 1 at +∞; NaN stays NaN.
 */
// @ts-ignore: decorator
@inline
export function sigmoid4(x: v128): v128 {
  const one = splat(1);
  const z = expNegative4(neg4(abs4(x)));
  return div4(select4(less4(x, splat(0)), z, one), add4(one, z));
}

/** Below the first x, silu stays what it is there; the exponent of e^−x stays that of a normal number. */
const SILU_LOWEST: f32 = -88.3;
const SILU_EXPONENT: f32 = -126.0;
/** (ln 2)² / 10, ln 2 / 2 and (ln 2)³ / 120. */
const PADE_EVEN: f32 = 0.04804530139182014;
const PADE_ODD: f32 = 0.34657359027997264;
const PADE_CUBIC: f32 = 0.0027752056763461;

/**
 * x / (1 + e^−x) for any float32, off by at most 3u·|x| (2.84 found), and by (4 − 1.5·min(x, 0)) ULP above −88.3; below,
 * its value there, −4e-37. NaN stays NaN.
 *
 * e^−x = 2^k·2^f with f of at most ½, and 2^f = N / D with N, D = p(f²) ± f·q(f²), the Padé approximant of order 3 (6e-9):
 * x·D / (D + 2^k·N) is one division, and shorter to wait for than a polynomial.
 */
// @ts-ignore: decorator
@inline
export function silu4(x: v128): v128 {
  const above = atLeast4(x, splat(SILU_LOWEST));
  const t = atLeast4(mul4(above, splat(-LOG2E)), splat(SILU_EXPONENT));
  const shifted = add4(t, splat(SHIFTER));
  const f = sub4(t, sub4(shifted, splat(SHIFTER)));
  const square = mul4(f, f);
  const even = madd4(splat(PADE_EVEN), square, splat(1));
  const odd = mul4(f, madd4(splat(PADE_CUBIC), square, splat(PADE_ODD)));
  const divisor = sub4(even, odd);
  // The shifter's own bits end above the exponent.
  const power = addInt4(add4(even, odd), shiftLeft4(shifted, 23));
  return div4(mul4(above, divisor), add4(divisor, power));
}

/**
 * tanh x for any float32; at most 3 ULP (1.34 found).
 *
 * Below 0.625 the odd polynomial x + x³·P(x²) of Cephes' `tanhf` (S. Moshier); from there on 1 − 2 / (e^2|x| + 1)
 * with the sign of x. ±0 and subnormal values stay themselves, ±∞ gives ±1; NaN stays NaN.
 */
// @ts-ignore: decorator
@inline
export function tanh4(x: v128): v128 {
  const one = splat(1);
  const magnitude = abs4(x);
  const square = mul4(x, x);
  let p = madd4(splat(-5.70498872745e-3), square, splat(2.06390887954e-2));
  p = madd4(p, square, splat(-5.37397155531e-2));
  p = madd4(p, square, splat(1.33314422036e-1));
  p = madd4(p, square, splat(-3.33332819422e-1));
  const near = madd4(mul4(p, square), x, x);
  const far = sub4(one, div4(splat(2), add4(exp4(add4(magnitude, magnitude)), one)));
  const sign = and4(x, splatInt(i32.MIN_VALUE));
  return or4(select4(less4(magnitude, splat(0.625)), near, far), sign);
}

/**
 * e^x − 1 for x ≤ 0; at most 4 ULP.
 *
 * 2·t / (1 − t) with t = tanh(x / 2) ≤ 0: nothing cancels. −1 at −∞, ±0 stays itself; NaN stays NaN.
 */
// @ts-ignore: decorator
@inline
export function expm1Negative4(x: v128): v128 {
  const t = tanh4(mul4(splat(0.5), x));
  return div4(add4(t, t), sub4(splat(1), t));
}

/**
 * ln(1 + z) for 0 ≤ z ≤ 1; at most 3 ULP.
 *
 * 2·artanh s with s = z / (2 + z) ≤ 1/3, by the Taylor series 2·(s + s³/3 + … + s¹⁵/15): the first term left out is
 * below 2e-9 of the sum. NaN stays NaN.
 */
// @ts-ignore: decorator
@inline
export function log1p4(z: v128): v128 {
  const s = div4(z, add4(splat(2), z));
  const square = mul4(s, s);
  let p = madd4(splat(1.0 / 15), square, splat(1.0 / 13));
  p = madd4(p, square, splat(1.0 / 11));
  p = madd4(p, square, splat(1.0 / 9));
  p = madd4(p, square, splat(1.0 / 7));
  p = madd4(p, square, splat(1.0 / 5));
  p = madd4(p, square, splat(1.0 / 3));
  const half = madd4(mul4(p, square), s, s);
  return add4(half, half);
}

/**
 * 1 − erf z for z ≥ 0; the relative error is at most 1.2e-7 beside that of e^(−z² + …), (z² + 8)·u.
 *
 * t·e^(−z² + P(t)) with t = 1 / (1 + z / 2) and the degree-9 Chebyshev fit P of Press et al., Numerical Recipes in C
 * (1992), § 6.2. 0 at ∞; NaN stays NaN.
 */
// @ts-ignore: decorator
@inline
export function erfc4(z: v128): v128 {
  const t = div4(splat(1), madd4(splat(0.5), z, splat(1)));
  let p = madd4(splat(0.17087277), t, splat(-0.82215223));
  p = madd4(p, t, splat(1.48851587));
  p = madd4(p, t, splat(-1.13520398));
  p = madd4(p, t, splat(0.27886807));
  p = madd4(p, t, splat(-0.18628806));
  p = madd4(p, t, splat(0.09678418));
  p = madd4(p, t, splat(0.37409196));
  p = madd4(p, t, splat(1.00002368));
  p = madd4(p, t, splat(-1.26551223));
  return mul4(t, exp4(sub4(p, mul4(z, z))));
}

/**
 * erf x for any float32; at most 3 ULP.
 *
 * Below 0.75 the Taylor series 2/√π·(x − x³/3 + x⁵/(2!·5) − … + x¹⁷/(8!·17)), the first term left out of which is below
 * 1e-9 of the sum; from there on 1 − erfc |x| with the sign of x. ±1 at ±∞; NaN stays NaN.
 */
// @ts-ignore: decorator
@inline
export function erf4(x: v128): v128 {
  const magnitude = abs4(x);
  const square = mul4(x, x);
  let p = madd4(splat(TWO_BY_ROOT_PI / 685440), square, splat(-TWO_BY_ROOT_PI / 75600));
  p = madd4(p, square, splat(TWO_BY_ROOT_PI / 9360));
  p = madd4(p, square, splat(-TWO_BY_ROOT_PI / 1320));
  p = madd4(p, square, splat(TWO_BY_ROOT_PI / 216));
  p = madd4(p, square, splat(-TWO_BY_ROOT_PI / 42));
  p = madd4(p, square, splat(TWO_BY_ROOT_PI / 10));
  p = madd4(p, square, splat(-TWO_BY_ROOT_PI / 3));
  const near = mul4(magnitude, madd4(p, square, splat(TWO_BY_ROOT_PI)));
  const far = sub4(splat(1), erfc4(magnitude));
  const sign = and4(x, splatInt(i32.MIN_VALUE));
  return or4(select4(less4(magnitude, splat(0.75)), near, far), sign);
}

/** e^x as `exp4` has it. */
export function exp(x: f32): f32 {
  return maxLanes(exp4(splat(x)));
}
