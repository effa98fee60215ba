/** Random numbers without a state: a hash of a key and a counter, the same in every order and on any number of threads. */
import { mulInt4, shiftRightUnsigned4, splatInt, xor4 } from "./simd";

/** The multipliers of `lowbias32`. */
const FACTOR0: i32 = 0x7feb352d;
const FACTOR1: i32 = 0x846ca68b;
/** 2^32 / golden ratio: keeps the zero key away from the finalizer's fixed point at 0. */
const GOLDEN: i32 = 0x9e3779b9;

/**
 * One round of `lowbias32` (C. Wellons, hash-prospector): a bijection of 32 bits in which every bit flips every other one
 * about half the time.
 */
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
export function absorb(key: u64, word: u32): u64 {
  let a = (<u32>key) ^ word;
  const b = (<u32>(key >>> 32)) ^ mix(a + <u32>GOLDEN);
  a ^= mix(b + <u32>GOLDEN);
  return ((<u64>b) << 32) | (<u64>a);
}

/** The uses of random numbers, each with numbers of its own. */
export enum Stream {
  /** What a step draws for the layers within a net. */
  step = 0,
  /** What an epoch draws for the images of a data set. */
  epoch = 1,
}

/** The key of a layer in a step or an epoch, into which the number of an image is to be absorbed. */
export function layerKey(seedLow: u32, seedHigh: u32, stream: Stream, time: u32, layer: u32): u64 {
  const seed = absorb(((<u64>seedHigh) << 32) | (<u64>seedLow), stream);
  return absorb(absorb(seed, time), layer);
}

/** The hashes of four counters; `first` and `second` are the words of the key. */
// @ts-ignore: decorator
@inline
export function hash4(counter: v128, first: v128, second: v128): v128 {
  return mix4(xor4(mix4(xor4(counter, first)), second));
}

/** A multiple of 2⁻³² in [0, 1), from the hash of one counter. */
export function uniform(key: u64, counter: u32): f64 {
  return <f64>mix(mix(counter ^ (<u32>key)) ^ (<u32>(key >>> 32))) * 2.3283064365386963e-10;
}
