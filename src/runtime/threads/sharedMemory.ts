/** The one binary on memory that threads share: a flag of the import of its memory says which kind it takes. */

/** Magic number and version. */
const HEADER = 8;
const IMPORTS = 2;
/** Kinds of imports. */
const MEMORY = 2;
/** A flag of a memory's limits. */
const SHARED = 2;

/** A reader of the numbers and names of a binary. */
class Reader {
  at = HEADER;
  readonly #bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  byte(): number {
    return this.#bytes[this.at++]!;
  }

  /** An unsigned integer in groups of seven bits, the lowest first. */
  integer(): number {
    let [value, byte] = [0, 0];
    for (let shift = 0; shift < 35; shift += 7) {
      byte = this.byte();
      value |= (byte & 127) << shift;
      if (byte < 128) break;
    }
    return value >>> 0;
  }

  skipName(): void {
    const length = this.integer();
    this.at += length;
  }
}

/** The place of the flags of the limits of a binary's memory, which is the first of its imports. */
function placeOfFlags(bytes: Uint8Array): number {
  const reader = new Reader(bytes);
  while (reader.at < bytes.length) {
    const section = reader.byte();
    const size = reader.integer();
    if (section !== IMPORTS) {
      reader.at += size;
      continue;
    }
    reader.integer();
    reader.skipName();
    reader.skipName();
    if (reader.byte() === MEMORY) return reader.at;
    break;
  }
  throw new Error("load: expected a binary whose first import is its memory, got another");
}

/** A copy of the package's binary that takes memory which threads share. */
export function onSharedMemory(bytes: Uint8Array): Uint8Array {
  const copy = bytes.slice();
  copy[placeOfFlags(copy)]! |= SHARED;
  return copy;
}
