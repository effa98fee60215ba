import { FormatError } from "../errors.ts";
import { listed } from "../options.ts";
import { sizeOf, type Tensor } from "../tensor.ts";

/** "\x93NUMPY" in latin1. */
const MAGIC = [0x93, 78, 85, 77, 80, 89];

/** Headers end at multiples of it. */
const ALIGNMENT = 64;

/** One dictionary of Python's, as numpy writes it. */
const HEADER =
  /^\{\s*'descr':\s*'([^']*)',\s*'fortran_order':\s*(True|False),\s*'shape':\s*\(([\d\s,]*)\),?\s*\}\s*$/;

export function isNpy(bytes: Uint8Array): boolean {
  return MAGIC.every((byte, i) => bytes[i] === byte);
}

/**
 * The array of a .npy file of versions 1 to 3: float32, little-endian, in C order. Format: NEP 1.
 * @throws FormatError naming `where`
 */
export function readNpy(bytes: Uint8Array, where: string): Tensor {
  const fail = (expected: string, given: string): never => {
    throw new FormatError(`${where}: expected ${expected}, got ${given}`);
  };
  if (!isNpy(bytes)) fail("a .npy file", "other bytes");
  if (bytes.length < 10) fail("a whole header", `${bytes.length} bytes`);
  const version = bytes[6]!;
  if (version < 1 || version > 3) fail("version 1 to 3 of .npy", String(version));
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const wide = version > 1;
  if (wide && bytes.length < 12) fail("a whole header", `${bytes.length} bytes`);
  const start = wide ? 12 : 10;
  const end = start + (wide ? view.getUint32(8, true) : view.getUint16(8, true));
  if (end > bytes.length) fail(`a header up to byte ${end}`, `${bytes.length} bytes`);
  const header = new TextDecoder().decode(bytes.subarray(start, end));
  const [, type, byColumns, sizes] =
    HEADER.exec(header) ?? fail("a header with descr, fortran_order and shape", header);
  if (type !== "<f4") fail("float32, little-endian (<f4)", type!);
  if (byColumns !== "False") fail("C order", "Fortran order");
  const shape = sizes!.split(",").flatMap((size) => (size.trim() === "" ? [] : [Number(size)]));
  const needs = 4 * sizeOf(shape);
  const has = bytes.length - end;
  if (has !== needs) fail(`${needs} bytes for the shape (${listed(shape)})`, `${has}`);
  // A copy, since elements lie at multiples of four; a Buffer's slice would be none.
  return { shape, data: new Float32Array(new Uint8Array(bytes.subarray(end)).buffer) };
}

/** A .npy file of version 1. */
export function writeNpy({ shape, data }: Tensor): Uint8Array<ArrayBuffer> {
  // Python's tuples of one end in a comma.
  const sizes = shape.length === 1 ? `${shape[0]},` : shape.join(", ");
  const text = `{'descr': '<f4', 'fortran_order': False, 'shape': (${sizes}), }`;
  const length = Math.ceil((10 + text.length + 1) / ALIGNMENT) * ALIGNMENT - 10;
  const file = new Uint8Array(10 + length + data.byteLength);
  file.set(MAGIC);
  file[6] = 1;
  new DataView(file.buffer).setUint16(8, length, true);
  file.set(new TextEncoder().encode(`${text.padEnd(length - 1)}\n`), 10);
  file.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), 10 + length);
  return file;
}
