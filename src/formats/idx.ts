import { FormatError } from "../errors.ts";

/** The IDX type code of unsigned bytes. */
const UNSIGNED_BYTE = 0x08;

/** What the other type codes of the format mean, for the error message. */
const OTHER_TYPES = new Map([
  [0x09, "signed byte"],
  [0x0b, "16-bit integer"],
  [0x0c, "32-bit integer"],
  [0x0d, "float32"],
  [0x0e, "float64"],
]);

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join(" ");
}

function typeName(code: number): string {
  const name = OTHER_TYPES.get(code) ?? "unknown";
  return `0x${code.toString(16).padStart(2, "0")} (${name})`;
}

/** Reads and checks the four bytes `00 00 type rank`; returns the rank. */
function readMagic(bytes: Uint8Array, name: string): number {
  if (bytes.length < 4) {
    throw new FormatError(`${name}: magic number: expected 4 bytes, got ${bytes.length}`);
  }
  const [first, second, type, rank] = bytes as Uint8Array & [number, number, number, number];
  if (first !== 0 || second !== 0) {
    const given = hex(bytes.subarray(0, 4));
    throw new FormatError(`${name}: magic number: expected 00 00 08 and the rank, got ${given}`);
  }
  if (type !== UNSIGNED_BYTE) {
    throw new FormatError(`${name}: type code: expected 0x08 (unsigned byte), got ${typeName(type)}`);
  }
  if (rank === 0) throw new FormatError(`${name}: rank: expected at least 1, got 0`);
  return rank;
}

/**
 * Reads an IDX file of unsigned bytes, the format of MNIST: two zero bytes, the type code 0x08, the rank, one
 * big-endian 32-bit size a dimension, then the data in row-major order.
 * Source: Y. LeCun, C. Cortes and C. Burges, "The MNIST database", section "File formats".
 *
 * @param bytes the whole file, not compressed
 * @param name what error messages call the file
 * @returns the sizes, outermost first, and a view of the data (not a copy)
 * @throws FormatError naming the file, the expected and the given, if it is anything else
 */
export function readIdx(bytes: Uint8Array, name: string): { shape: number[]; data: Uint8Array } {
  const rank = readMagic(bytes, name);
  const headerLength = 4 + 4 * rank;
  if (bytes.length < headerLength) {
    throw new FormatError(
      `${name}: header: expected ${headerLength} bytes for rank ${rank}, got ${bytes.length}`,
    );
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, headerLength);
  const shape = Array.from({ length: rank }, (_, axis) => view.getUint32(4 + 4 * axis));
  let expected = 1;
  shape.forEach((size, axis) => {
    if (size === 0) throw new FormatError(`${name}: dimension ${axis}: expected at least 1, got 0`);
    expected *= size;
  });
  const sizes = shape.join("×");
  if (!Number.isSafeInteger(expected)) {
    throw new FormatError(`${name}: sizes: expected a product below 2^53, got ${sizes}`);
  }
  const given = bytes.length - headerLength;
  if (given !== expected) {
    throw new FormatError(`${name}: data: expected ${expected} bytes for ${sizes}, got ${given}`);
  }
  return { shape, data: bytes.subarray(headerLength) };
}
