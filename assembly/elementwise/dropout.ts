/** Dropout with a stateless generator: the mask is a function of keys and position, so it is never stored. */
import {
  LANES,
  addInt4,
  and4,
  laneNumbers,
  lessUnsigned4,
  loadLanes,
  mul4,
  mulInt4,
  shiftRightUnsigned4,
  splat,
  splatInt,
  storeLanes,
  xor4,
} from "../lib/simd";

/** The multipliers of `lowbias32`. */
const FACTOR0: i32 = 0x7feb352d;
const FACTOR1: i32 = 0x846ca68b;
/** 2^32 / golden ratio: keeps the zero key away from the finalizer's fixed point at 0. */
const GOLDEN: i32 = 0x9e3779b9;

/** One round of `lowbias32`: a bijection of 32 bits in which every bit flips every other one about half the time. */
// @ts-ignore: decorator
@inline
function mix4(h: v128): v128 {
  h = mulInt4(xor4(h, shiftRightUnsigned4(h, 16)), splatInt(FACTOR0));
  h = mulInt4(xor4(h, shiftRightUnsigned4(h, 15)), splatInt(FACTOR1));
  return xor4(h, shiftRightUnsigned4(h, 16));
}

/** `mix4` of one number. */
function mix(h: u32): u32 {
  h = (h ^ (h >>> 16)) * <u32>FACTOR0;
  h = (h ^ (h >>> 15)) * <u32>FACTOR1;
  return h ^ (h >>> 16);
}

/** `count` elements from counter `i` on. */
// @ts-ignore: decorator
@inline
function dropVector(
  x: usize,
  y: usize,
  count: i32,
  counter: v128,
  below: v128,
  scale: v128,
  first: v128,
  second: v128,
): void {
  const hash = mix4(xor4(mix4(xor4(counter, first)), second));
  const kept = lessUnsigned4(hash, below);
  storeLanes(y, and4(kept, mul4(loadLanes(x, count), scale)), count);
}

/**
 * `y[i] = hash(i, key0, key1) < keepBelow ? x[i]·scale : +0` for `n` elements; `y` may be `x`.
 *
 * An element is kept with probability `keepBelow / 2^32` (unsigned). The backward pass is the same kernel on `dy`
 * with the same keys. `hash = mix(mix(i ^ a) ^ b)`, with `mix` the finalizer `lowbias32` (C. Wellons,
 * hash-prospector) and `a`, `b` made from both keys by two Feistel rounds of it, so that masks under keys that
 * differ in any bit are unrelated.
 */
export function dropout(x: usize, y: usize, n: i32, keepBelow: u32, scale: f32, key0: u32, key1: u32): void {
  const b = key1 ^ mix(key0 + <u32>GOLDEN);
  const a = key0 ^ mix(b + <u32>GOLDEN);
  const first = splatInt(a);
  const second = splatInt(b);
  const below = splatInt(keepBelow);
  const scale4 = splat(scale);
  const step = splatInt(LANES);
  const rest = n & (LANES - 1);
  const end = x + ((<usize>(n - rest)) << 2);
  let counter = laneNumbers();
  for (; x < end; x += 16, y += 16) {
    dropVector(x, y, LANES, counter, below, scale4, first, second);
    counter = addInt4(counter, step);
  }
  if (rest > 0) dropVector(x, y, rest, counter, below, scale4, first, second);
}
