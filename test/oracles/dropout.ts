/** The mask of dropout from integer arithmetic of its own, one element at a time. */

/** `lowbias32` of C. Wellons' hash-prospector, on unsigned numbers. */
function lowbias32(h: number): number {
  let x = BigInt(h);
  const mask = 0xffffffffn;
  x ^= x >> 16n;
  x = (x * 0x7feb352dn) & mask;
  x ^= x >> 15n;
  x = (x * 0x846ca68bn) & mask;
  x ^= x >> 16n;
  return Number(x);
}

const xor = (a: number, b: number): number => (a ^ b) >>> 0;
const plusGolden = (a: number): number => (a + 0x9e3779b9) % 2 ** 32;

/** The unsigned 32-bit hash of each of `n` positions. */
export function hashes(n: number, key0: number, key1: number): number[] {
  const b = xor(key1, lowbias32(plusGolden(key0)));
  const a = xor(key0, lowbias32(plusGolden(b)));
  return Array.from({ length: n }, (_, i) => lowbias32(xor(lowbias32(xor(i, a)), b)));
}
