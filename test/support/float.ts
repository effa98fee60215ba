/** Float32 measures for the tests' error bounds. */

/** Unit roundoff of float32. */
export const U = 2 ** -24;
/** Smallest normal and subnormal float32. */
export const SMALLEST_NORMAL = 2 ** -126;
export const SMALLEST = 2 ** -149;

/** γ_k: the relative error of a float32 result after k roundings (Higham 2002, §3.1). */
export function gamma(k: number): number {
  return (k * U) / (1 - k * U);
}

/** The spacing of float32 at `x`. */
export function ulp(x: number): number {
  const magnitude = Math.abs(x);
  if (magnitude < SMALLEST_NORMAL) return SMALLEST;
  let power = 2 ** Math.floor(Math.log2(magnitude));
  if (power > magnitude) power /= 2;
  if (2 * power <= magnitude) power *= 2;
  return power * 2 ** -23;
}

/** The error of a float32 in units in the last place; 0 when it is what `expected` rounds to (also ±∞ and NaN). */
export function ulpError(actual: number, expected: number): number {
  if (Object.is(actual, Math.fround(expected))) return 0;
  return Math.abs(actual - expected) / ulp(expected);
}

/** The float32 with these bits. */
export function fromBits(bits: number): number {
  return new Float32Array(Int32Array.of(bits).buffer)[0] as number;
}

/** Every `step`-th float32 of a sign, from 0 up to the largest: subnormal, small, large alike. */
export function sweep(sign: number, step: number): Float32Array {
  const values = new Int32Array(Math.floor(0x7f7fffff / step)).map((_, i) => (i * step) | (sign << 31));
  return new Float32Array(values.buffer);
}

/** The bits of float32 values, for comparisons that tell +0 from −0. */
export function bitsOf(values: Float32Array): Int32Array {
  return new Int32Array(values.buffer, values.byteOffset, values.length).slice();
}

/** Throws with the first element further than `bound(i)` from `expected[i]`. */
export function expectWithin(
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  bound: (i: number) => number,
): void {
  if (actual.length !== expected.length) throw new Error(`${actual.length} elements, not ${expected.length}`);
  for (let i = 0; i < expected.length; i++) {
    const error = Math.abs((actual[i] as number) - (expected[i] as number));
    if (!(error <= bound(i))) {
      throw new Error(`element ${i}: ${actual[i]} is ${error} from ${expected[i]}, bound ${bound(i)}`);
    }
  }
}

/** Throws with the first element whose bits differ. */
export function expectSameBits(actual: Float32Array, expected: Float32Array): void {
  if (actual.length !== expected.length) throw new Error(`${actual.length} elements, not ${expected.length}`);
  const [a, e] = [bitsOf(actual), bitsOf(expected)];
  const i = a.findIndex((bits, j) => bits !== e[j]);
  if (i >= 0) throw new Error(`element ${i}: ${actual[i]} has other bits than ${expected[i]}`);
}
