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

/**
 * Takes one more word into a key of two words, `b` above `a`: `a ^= word`, then two rounds of a Feistel network with `mix`.
 * For one word it is a bijection of keys, and for one key different words give different keys.
 */
function absorb(key: u64, word: u32): u64 {
  let a = (<u32>key) ^ word;
  const b = (<u32>(key >>> 32)) ^ mix(a + <u32>GOLDEN);
  a ^= mix(b + <u32>GOLDEN);
  return ((<u64>b) << 32) | (<u64>a);
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

/** Drops elements of one image, whose key is `key`. */
function dropImage(x: usize, y: usize, size: i32, keepBelow: u32, scale: f32, key: u64): void {
  const first = splatInt(<i32>key);
  const second = splatInt(<i32>(key >>> 32));
  const below = splatInt(keepBelow);
  const scale4 = splat(scale);
  const step = splatInt(LANES);
  const rest = size & (LANES - 1);
  const end = x + ((<usize>(size - rest)) << 2);
  let counter = laneNumbers();
  for (; x < end; x += 16, y += 16) {
    dropVector(x, y, LANES, counter, below, scale4, first, second);
    counter = addInt4(counter, step);
  }
  if (rest > 0) dropVector(x, y, rest, counter, below, scale4, first, second);
}

/**
 * Dropout of `n` images of `size` elements each: `y[image, i] = hash < keepBelow ? x[image, i]·scale : +0`; `y` may be `x`.
 * An element is kept with probability `keepBelow / 2^32` (unsigned). The backward pass is the same kernel on `dy` with the
 * same arguments.
 *
 * The hash is a function of the seed, the step, the layer, the image's place in the batch and the element's place in the
 * image, and of nothing else: a shard of a batch that begins with its image `firstImage` draws what the whole batch would.
 * The key of an image is made of two words, `a = seedLow` and `b = seedHigh` at the start, by `absorb` of 0, of `step`, of
 * `layer` and of `firstImage + image`, in this order; then `hash(i) = mix(mix(i ^ a) ^ b)`. `mix` is the finalizer
 * `lowbias32` (C. Wellons, hash-prospector). Masks under keys that differ in any bit are unrelated.
 */
export function dropout(
  x: usize,
  y: usize,
  n: i32,
  size: i32,
  keepBelow: u32,
  scale: f32,
  seedLow: u32,
  seedHigh: u32,
  step: u32,
  layer: u32,
  firstImage: u32,
): void {
  const seed = absorb(((<u64>seedHigh) << 32) | (<u64>seedLow), 0);
  const key = absorb(absorb(seed, step), layer);
  const bytes = (<usize>size) << 2;
  for (let image = 0; image < n; image++, x += bytes, y += bytes) {
    dropImage(x, y, size, keepBelow, scale, absorb(key, firstImage + image));
  }
}
