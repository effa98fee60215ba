/** 64 bits of FNV-1a, the measure of "the same bits". */
import type { Tensor } from "im2row";

/** Low word of the prime 2^40 + 2^8 + 0xb3; its high part is a shift by 8 of the low word into the high one. */
const PRIME_LOW = 0x1b3;

/**
 * FNV-1a (Fowler, Noll and Vo; http://www.isthe.com/chongo/tech/comp/fnv/) over bytes in the order in which they are
 * added. The hash is held in two halves: not every host is quick at 64-bit integers.
 */
export class Digest {
  #high = 0xcbf29ce4;
  #low = 0x84222325;

  /** The lowest `count` bytes of each word, little-endian on every host. */
  #add(words: ArrayLike<number>, count: number): void {
    let [high, low] = [this.#high, this.#low];
    for (let i = 0; i < words.length; i++) {
      for (let shift = 0; shift < 8 * count; shift += 8) {
        low = (low ^ ((words[i]! >>> shift) & 0xff)) >>> 0;
        // Below 2^41: exact in float64.
        const product = low * PRIME_LOW;
        const carry = Math.floor(product / 2 ** 32);
        high = (Math.imul(high, PRIME_LOW) + (low << 8) + carry) >>> 0;
        low = product >>> 0;
      }
    }
    [this.#high, this.#low] = [high, low];
  }

  bytes(data: Uint8Array): void {
    this.#add(data, 1);
  }

  /** The bits of four-byte elements. NaN must not be among them: its bits are the host's. */
  elements(data: Float32Array | Int32Array): void {
    this.#add(new Uint32Array(data.buffer, data.byteOffset, data.length), 4);
  }

  /** The bits of an int32. */
  integer(value: number): void {
    this.#add([value], 4);
  }

  /** The bits of a float64. */
  double(value: number): void {
    const bits = new DataView(new ArrayBuffer(8));
    bits.setFloat64(0, value, true);
    this.#add([bits.getUint32(0, true), bits.getUint32(4, true)], 4);
  }

  /** The hash so far, 16 hexadecimal digits. */
  toString(): string {
    return [this.#high, this.#low].map((half) => half.toString(16).padStart(8, "0")).join("");
  }
}

/** The digest of the elements of tensors, in their order. */
export function digest(tensors: ReadonlyMap<string, Tensor>): string {
  const hash = new Digest();
  for (const { data } of tensors.values()) hash.elements(data);
  return hash.toString();
}
