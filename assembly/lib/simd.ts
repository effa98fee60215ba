/**
 * The vector instructions of every kernel, under the names the kernels use.
 *
 * This is the only file that spells them, so that a build variant (exact, relaxed) differs here alone.
 * Addresses are bytes. `load4(p + 16)` compiles to one load with an immediate offset: the optimizer folds
 * constants below 1024 because nothing lives in the first 1024 bytes of memory.
 */

/** Lanes of a vector of float32. */
export const LANES: i32 = 4;

// @ts-ignore: decorator
@inline export function load4(p: usize): v128 {
  return v128.load(p);
}

/** One float32 at `p` in all four lanes. */
// @ts-ignore: decorator
@inline export function loadSplat(p: usize): v128 {
  return v128.load32_splat(p);
}

/** The float32 after that at `p`, and the two after it, likewise: the optimizer folds no constants into these loads. */
// @ts-ignore: decorator
@inline export function loadSplat1(p: usize): v128 {
  return v128.load32_splat(p, 4);
}

// @ts-ignore: decorator
@inline export function loadSplat2(p: usize): v128 {
  return v128.load32_splat(p, 8);
}

// @ts-ignore: decorator
@inline export function loadSplat3(p: usize): v128 {
  return v128.load32_splat(p, 12);
}

// @ts-ignore: decorator
@inline export function store4(p: usize, v: v128): void {
  v128.store(p, v);
}

// @ts-ignore: decorator
@inline export function splat(x: f32): v128 {
  return f32x4.splat(x);
}

// @ts-ignore: decorator
@inline export function zero4(): v128 {
  return f32x4.splat(0);
}

// @ts-ignore: decorator
@inline export function add4(a: v128, b: v128): v128 {
  return f32x4.add(a, b);
}

// @ts-ignore: decorator
@inline export function sub4(a: v128, b: v128): v128 {
  return f32x4.sub(a, b);
}

// @ts-ignore: decorator
@inline export function mul4(a: v128, b: v128): v128 {
  return f32x4.mul(a, b);
}

// @ts-ignore: decorator
@inline export function div4(a: v128, b: v128): v128 {
  return f32x4.div(a, b);
}

// @ts-ignore: decorator
@inline export function sqrt4(a: v128): v128 {
  return f32x4.sqrt(a);
}

/**
 * `acc + a · b`, rounded twice: the exact build has no fused multiply-add. In the relaxed build the host decides whether
 * it rounds once or twice; nothing else is relaxed there.
 */
// @ts-ignore: decorator
@inline export function madd4(a: v128, b: v128, acc: v128): v128 {
  return ASC_FEATURE_RELAXED_SIMD ? f32x4.relaxed_madd(a, b, acc) : f32x4.add(acc, f32x4.mul(a, b));
}

/** `x < 0 ? 0 : x` in each lane: NaN stays NaN. */
// @ts-ignore: decorator
@inline export function relu4(x: v128): v128 {
  return f32x4.pmax(x, f32x4.splat(0));
}

/** `x`, or `floor` where that is larger; NaN stays. */
// @ts-ignore: decorator
@inline export function atLeast4(x: v128, floor: v128): v128 {
  return f32x4.pmax(x, floor);
}

/** `x`, or `ceiling` where that is smaller; NaN stays. One instruction, where `min4` is many. */
// @ts-ignore: decorator
@inline export function atMost4(x: v128, ceiling: v128): v128 {
  return f32x4.pmin(x, ceiling);
}

/** The first two lanes. */
// @ts-ignore: decorator
@inline export function store2(p: usize, v: v128): void {
  v128.store64_lane(p, v, 0);
}

/** Two floats into the first two lanes, zero in the others. */
// @ts-ignore: decorator
@inline export function load2(p: usize): v128 {
  return v128.load64_zero(p);
}

/** The low halves of `a` and `b` interleaved: `a0 b0 a1 b1`. */
// @ts-ignore: decorator
@inline export function zipLow4(a: v128, b: v128): v128 {
  return v128.shuffle<f32>(a, b, 0, 4, 1, 5);
}

/** The high halves of `a` and `b` interleaved: `a2 b2 a3 b3`. */
// @ts-ignore: decorator
@inline export function zipHigh4(a: v128, b: v128): v128 {
  return v128.shuffle<f32>(a, b, 2, 6, 3, 7);
}

/** The low half of `a`, then the low half of `b`. */
// @ts-ignore: decorator
@inline export function lowHalves4(a: v128, b: v128): v128 {
  return v128.shuffle<f32>(a, b, 0, 1, 4, 5);
}

/** The high half of `a`, then the high half of `b`. */
// @ts-ignore: decorator
@inline export function highHalves4(a: v128, b: v128): v128 {
  return v128.shuffle<f32>(a, b, 2, 3, 6, 7);
}

/** The smaller lanes; NaN when either is. */
// @ts-ignore: decorator
@inline export function min4(a: v128, b: v128): v128 {
  return f32x4.min(a, b);
}

/** The larger lanes; NaN when either is. */
// @ts-ignore: decorator
@inline export function max4(a: v128, b: v128): v128 {
  return f32x4.max(a, b);
}

// @ts-ignore: decorator
@inline export function abs4(a: v128): v128 {
  return f32x4.abs(a);
}

// @ts-ignore: decorator
@inline export function neg4(a: v128): v128 {
  return f32x4.neg(a);
}

// @ts-ignore: decorator
@inline export function floor4(a: v128): v128 {
  return f32x4.floor(a);
}

// @ts-ignore: decorator
@inline export function ceil4(a: v128): v128 {
  return f32x4.ceil(a);
}

/** The nearest integers, ties to even. */
// @ts-ignore: decorator
@inline export function nearest4(a: v128): v128 {
  return f32x4.nearest(a);
}

// Comparisons give masks: all bits of a lane set or none. NaN compares false.

// @ts-ignore: decorator
@inline export function equal4(a: v128, b: v128): v128 {
  return f32x4.eq(a, b);
}

// @ts-ignore: decorator
@inline export function less4(a: v128, b: v128): v128 {
  return f32x4.lt(a, b);
}

// @ts-ignore: decorator
@inline export function lessEqual4(a: v128, b: v128): v128 {
  return f32x4.le(a, b);
}

// @ts-ignore: decorator
@inline export function and4(a: v128, b: v128): v128 {
  return v128.and(a, b);
}

/** `a & ~b`. */
// @ts-ignore: decorator
@inline export function andNot4(a: v128, b: v128): v128 {
  return v128.andnot(a, b);
}

// @ts-ignore: decorator
@inline export function or4(a: v128, b: v128): v128 {
  return v128.or(a, b);
}

// @ts-ignore: decorator
@inline export function xor4(a: v128, b: v128): v128 {
  return v128.xor(a, b);
}

/** `mask ? a : b`, bit by bit. */
// @ts-ignore: decorator
@inline export function select4(mask: v128, a: v128, b: v128): v128 {
  return v128.bitselect(a, b, mask);
}

/** Whether every lane of a mask is set. */
// @ts-ignore: decorator
@inline export function allTrue4(mask: v128): bool {
  return i32x4.all_true(mask);
}

/** Whether any bit of a vector is set. */
// @ts-ignore: decorator
@inline export function anyTrue4(v: v128): bool {
  return v128.any_true(v);
}

// Integer lanes.

// @ts-ignore: decorator
@inline export function splatInt(x: i32): v128 {
  return i32x4.splat(x);
}

/** Lane numbers 0, 1, 2, 3. */
// @ts-ignore: decorator
@inline export function laneNumbers(): v128 {
  return i32x4(0, 1, 2, 3);
}

/** The bits that `normal4` clears of subnormal numbers: their mantissa, or none where numbers are to stay `asIs`. */
// @ts-ignore: decorator
@inline export function mantissaBits(asIs: bool): v128 {
  return i32x4.splat(asIs ? 0 : 0x007fffff);
}

/** `x` with zeros, of their sign, for subnormal numbers, from `mantissaBits`. NaN and infinities stay. */
// @ts-ignore: decorator
@inline export function normal4(x: v128, mantissa: v128): v128 {
  const tiny = i32x4.eq(v128.and(x, i32x4.splat(0x7f800000)), i32x4.splat(0));
  return v128.andnot(x, v128.and(tiny, mantissa));
}

// @ts-ignore: decorator
@inline export function addInt4(a: v128, b: v128): v128 {
  return i32x4.add(a, b);
}

// @ts-ignore: decorator
@inline export function subInt4(a: v128, b: v128): v128 {
  return i32x4.sub(a, b);
}

// @ts-ignore: decorator
@inline export function mulInt4(a: v128, b: v128): v128 {
  return i32x4.mul(a, b);
}

// @ts-ignore: decorator
@inline export function shiftLeft4(a: v128, bits: i32): v128 {
  return i32x4.shl(a, bits);
}

/** Integers of 32 bits, with their signs, as the nearest float32. */
// @ts-ignore: decorator
@inline export function fromInt4(a: v128): v128 {
  return f32x4.convert_i32x4_s(a);
}

/** Shifts right and keeps the sign. */
// @ts-ignore: decorator
@inline export function shiftRight4(a: v128, bits: i32): v128 {
  return i32x4.shr_s(a, bits);
}

/** Shifts right and fills with zeros. */
// @ts-ignore: decorator
@inline export function shiftRightUnsigned4(a: v128, bits: i32): v128 {
  return i32x4.shr_u(a, bits);
}

/** Lanes of ones where no bit is set. */
// @ts-ignore: decorator
@inline export function zeroBits4(a: v128): v128 {
  return i32x4.eq(a, i32x4.splat(0));
}

/** Lanes of ones where a < b, both unsigned. */
// @ts-ignore: decorator
@inline export function lessUnsigned4(a: v128, b: v128): v128 {
  return i32x4.lt_u(a, b);
}

/** Four bytes at `p`, as integers. */
// @ts-ignore: decorator
@inline export function loadBytes4(p: usize): v128 {
  return i32x4.extend_low_i16x8_u(i16x8.extend_low_i8x16_u(v128.load32_zero(p)));
}

/** Stores the first `count` ≤ 4 integers as bytes: 0 for those below, and 255 for those above. */
// @ts-ignore: decorator
@inline export function storeBytes(p: usize, v: v128, count: i32): void {
  const words = i16x8.narrow_i32x4_s(v, v);
  const bytes = i8x16.narrow_i16x8_u(words, words);
  if (count == LANES) {
    v128.store32_lane(p, bytes, 0);
    return;
  }
  v128.store8_lane(p, bytes, 0);
  if (count > 1) v128.store8_lane(p + 1, bytes, 1);
  if (count > 2) v128.store8_lane(p + 2, bytes, 2);
}

// Vectors of fewer than four elements. With a constant count of `LANES` they are the plain instructions.

/** `count` float32 from `p`; the lanes behind them repeat the first, so that they meet no value of their own. */
// @ts-ignore: decorator
@inline export function loadLanes(p: usize, count: i32): v128 {
  if (count >= LANES) return v128.load(p);
  let v = v128.load32_splat(p);
  if (count > 1) v = v128.load32_lane(p + 4, v, 1);
  if (count > 2) v = v128.load32_lane(p + 8, v, 2);
  return v;
}

/** Stores the first `count` lanes. */
// @ts-ignore: decorator
@inline export function storeLanes(p: usize, v: v128, count: i32): void {
  if (count >= LANES) {
    v128.store(p, v);
    return;
  }
  v128.store32_lane(p, v, 0);
  if (count > 1) v128.store32_lane(p + 4, v, 1);
  if (count > 2) v128.store32_lane(p + 8, v, 2);
}

/** +0 in the lanes from `count` on. */
// @ts-ignore: decorator
@inline export function clearLanes(v: v128, count: i32): v128 {
  if (count >= LANES) return v;
  return v128.and(v, i32x4.lt_s(i32x4(0, 1, 2, 3), i32x4.splat(count)));
}

/** The sum of the lanes, in the order (0 + 1) + (2 + 3). */
// @ts-ignore: decorator
@inline export function sumLanes(v: v128): f32 {
  return (
    f32x4.extract_lane(v, 0) +
    f32x4.extract_lane(v, 1) +
    (f32x4.extract_lane(v, 2) + f32x4.extract_lane(v, 3))
  );
}

/** The largest lane; NaN when any is. */
// @ts-ignore: decorator
@inline export function maxLanes(v: v128): f32 {
  return max<f32>(
    max<f32>(f32x4.extract_lane(v, 0), f32x4.extract_lane(v, 1)),
    max<f32>(f32x4.extract_lane(v, 2), f32x4.extract_lane(v, 3)),
  );
}

// Single lanes, for functions of one element.

// @ts-ignore: decorator
@inline export function lane0(v: v128): f32 {
  return f32x4.extract_lane(v, 0);
}

// @ts-ignore: decorator
@inline export function lane1(v: v128): f32 {
  return f32x4.extract_lane(v, 1);
}

// @ts-ignore: decorator
@inline export function lane2(v: v128): f32 {
  return f32x4.extract_lane(v, 2);
}

// @ts-ignore: decorator
@inline export function lane3(v: v128): f32 {
  return f32x4.extract_lane(v, 3);
}

// @ts-ignore: decorator
@inline export function lanes4(a: f32, b: f32, c: f32, d: f32): v128 {
  return f32x4.replace_lane(f32x4.replace_lane(f32x4.replace_lane(f32x4.splat(a), 1, b), 2, c), 3, d);
}
