import { FormatError } from "../errors.ts";

/** The IDX type code of unsigned bytes. */
const UNSIGNED_BYTE = 0x08;

/** The other type codes of the format have these names in the error message. */
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
 * Reads the header of an IDX file of unsigned bytes, the format of MNIST: two zero bytes, the type code 0x08, the rank,
 * and one big-endian 32-bit size a dimension.
 * Source: Y. LeCun, C. Cortes and C. Burges, "The MNIST database", section "File formats".
 *
 * @param bytes the file, or as much of its start as holds the header, not compressed
 * @param name what error messages call the file
 * @returns the sizes, outermost first, the bytes of the header, and those of the data, which follow it
 * @throws FormatError naming the file, the expected and the given, if it is anything else
 */
export function readIdxHeader(
  bytes: Uint8Array,
  name: string,
): { shape: number[]; start: number; size: number } {
  const rank = readMagic(bytes, name);
  const start = 4 + 4 * rank;
  if (bytes.length < start) {
    throw new FormatError(`${name}: header: expected ${start} bytes for rank ${rank}, got ${bytes.length}`);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, start);
  const shape = Array.from({ length: rank }, (_, axis) => view.getUint32(4 + 4 * axis));
  let size = 1;
  shape.forEach((length, axis) => {
    if (length === 0) throw new FormatError(`${name}: dimension ${axis}: expected at least 1, got 0`);
    size *= length;
  });
  if (!Number.isSafeInteger(size)) {
    throw new FormatError(`${name}: sizes: expected a product below 2^53, got ${shape.join("×")}`);
  }
  return { shape, start, size };
}

/**
 * Reads an IDX file of unsigned bytes: its header (`readIdxHeader`), then the data in row-major order.
 *
 * @param bytes the whole file, not compressed
 * @param name what error messages call the file
 * @returns the sizes, outermost first, and a view of the data (not a copy)
 * @throws FormatError naming the file, the expected and the given, if it is anything else
 */
export function readIdx(bytes: Uint8Array, name: string): { shape: number[]; data: Uint8Array } {
  const { shape, start, size } = readIdxHeader(bytes, name);
  const given = bytes.length - start;
  if (given !== size) {
    throw new FormatError(`${name}: data: expected ${size} bytes for ${shape.join("×")}, got ${given}`);
  }
  return { shape, data: bytes.subarray(start) };
}
