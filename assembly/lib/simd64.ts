/** Vectors of two float64, for sums of float32 that would lose too much in their own type. As `simd.ts` for float32. */

/** Lanes 0 and 1 of a float32 vector. */
// @ts-ignore: decorator
@inline export function widenLow(v: v128): v128 {
  return f64x2.promote_low_f32x4(v);
}

/** Lanes 2 and 3. */
// @ts-ignore: decorator
@inline export function widenHigh(v: v128): v128 {
  return f64x2.promote_low_f32x4(v128.shuffle<i64>(v, v, 1, 1));
}

// @ts-ignore: decorator
@inline export function store2d(p: usize, v: v128): void {
  v128.store(p, v);
}

// @ts-ignore: decorator
@inline export function zero2d(): v128 {
  return f64x2.splat(0);
}

// @ts-ignore: decorator
@inline export function add2d(a: v128, b: v128): v128 {
  return f64x2.add(a, b);
}

// @ts-ignore: decorator
@inline export function sub2d(a: v128, b: v128): v128 {
  return f64x2.sub(a, b);
}

// @ts-ignore: decorator
@inline export function mul2d(a: v128, b: v128): v128 {
  return f64x2.mul(a, b);
}

// @ts-ignore: decorator
@inline export function splat2d(x: f64): v128 {
  return f64x2.splat(x);
}

/** The smaller lanes; NaN when either is. */
// @ts-ignore: decorator
@inline export function min2d(a: v128, b: v128): v128 {
  return f64x2.min(a, b);
}

/** The larger lanes; NaN when either is. */
// @ts-ignore: decorator
@inline export function max2d(a: v128, b: v128): v128 {
  return f64x2.max(a, b);
}

/** The sum of the lanes. */
// @ts-ignore: decorator
@inline export function sum2d(v: v128): f64 {
  return f64x2.extract_lane(v, 0) + f64x2.extract_lane(v, 1);
}

/** Four float64, two a vector, rounded to float32. */
// @ts-ignore: decorator
@inline export function narrow4(low: v128, high: v128): v128 {
  return v128.shuffle<i64>(f32x4.demote_f64x2_zero(low), f32x4.demote_f64x2_zero(high), 0, 2);
}
