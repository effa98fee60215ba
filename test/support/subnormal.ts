/** Weights of which some are subnormal, as decay leaves them. */
import { SMALLEST_NORMAL } from "./float.ts";
import { random } from "./random.ts";

/** The same numbers, every third of them a subnormal one. */
export function subnormal(values: Float32Array, seed: number): Float32Array {
  const tiny = random(seed).uniform(values.length);
  return values.map((value, i) => (i % 3 === 1 ? tiny[i]! * SMALLEST_NORMAL : value));
}

/** The zero of a number's sign. */
const zeroOf = (value: number): number => (value < 0 || Object.is(value, -0) ? -0 : 0);

/** Zeros, of their sign, for subnormal numbers. */
export function zeroed(values: Float32Array): Float32Array {
  return values.map((value) => (Math.abs(value) < SMALLEST_NORMAL ? zeroOf(value) : value));
}
