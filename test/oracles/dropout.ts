/** The mask of dropout from integer arithmetic of its own, one element at a time. */

/** `lowbias32` of C. Wellons' hash-prospector, on unsigned numbers. */
export function lowbias32(h: number): number {
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

/** The masks of a layer in one step follow from these. */
export interface MaskKey {
  readonly seedLow: number;
  readonly seedHigh: number;
  readonly step: number;
  readonly layer: number;
}

/** The unsigned 32-bit hash of each of the `size` elements of the image at a place in the batch. */
export function hashes(size: number, image: number, { seedLow, seedHigh, step, layer }: MaskKey): number[] {
  let [a, b] = [seedLow, seedHigh];
  for (const word of [0, step, layer, image]) {
    a = xor(a, word);
    b = xor(b, lowbias32(plusGolden(a)));
    a = xor(a, lowbias32(plusGolden(b)));
  }
  return Array.from({ length: size }, (_, i) => lowbias32(xor(lowbias32(xor(i, a)), b)));
}
