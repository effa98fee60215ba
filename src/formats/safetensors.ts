/**
 * The safetensors format (https://github.com/huggingface/safetensors, "Format"): eight bytes with the header's
 * length (little-endian u64), the header as JSON, and one buffer of tensor data, little-endian and row-major.
 * The header maps each tensor's name to its dtype, shape and byte range in the buffer; `__metadata__` maps
 * strings to strings. The ranges cover the buffer without holes or overlap. Data is copied as bytes: typed arrays are
 * little-endian wherever WebAssembly's memory can be read through them, which the whole package relies on.
 */
import { FormatError } from "../errors.ts";
import { isPlainObject, isTyped, plainView, show } from "../options.ts";

/** A tensor that the codec reads and writes: float32, row-major. */
export interface StoredTensor {
  shape: readonly number[];
  data: Float32Array;
}

/** One entry of the header. */
interface Entry {
  name: string;
  shape: number[];
  begin: number;
  end: number;
  dtype: DtypeReader;
}

const METADATA = "__metadata__";

/** How elements of a dtype are read: their bytes, and the floats that a buffer of them holds. */
export interface DtypeReader {
  readonly bytes: number;
  floats(buffer: ArrayBuffer): Float32Array<ArrayBuffer>;
}

/** The readers of dtypes, by their names in files. */
export type DtypeReaders = Readonly<Record<string, DtypeReader>>;

/** The longest header a reader takes, as in the reference implementation. */
const MAX_HEADER_LENGTH = 100_000_000;

/**
 * The most JSON values in a header of so many bytes that a reader takes. Those of a tensor take more than four bytes
 * each.
 */
const mostValues = (length: number): number => 2 ** 20 + Math.floor(length / 4);

const BYTES_PER_ELEMENT = 4;

/** The dtype that this package writes. */
export const FLOAT32: DtypeReaders = {
  F32: { bytes: BYTES_PER_ELEMENT, floats: (buffer) => new Float32Array(buffer) },
};

/** The number of elements, or undefined if a size is no non-negative integer or the bytes exceed 2^53. */
function elementCount(shape: readonly unknown[]): number | undefined {
  let count = 1;
  for (const size of shape) {
    if (typeof size !== "number" || !Number.isSafeInteger(size) || size < 0) return undefined;
    // A zero later on must not hide an overflow, nor 0 · Infinity make a NaN.
    count *= size;
    if (!Number.isSafeInteger(count * BYTES_PER_ELEMENT)) return undefined;
  }
  return count;
}

/** JSON of a string that other readers take too: a lone surrogate has no UTF-8 form. */
function quote(text: string, place: string): string {
  if (/\p{Surrogate}/u.test(text)) {
    throw new FormatError(`${place}: expected well-formed text, got a lone surrogate in ${show(text)}`);
  }
  return JSON.stringify(text);
}

/** The header's JSON, written by hand since an object would reorder names like "1" and lose "__proto__". */
function headerText(
  tensors: ReadonlyMap<string, StoredTensor>,
  metadata: Readonly<Record<string, string>>,
): string {
  const fields: string[] = [];
  const notes = Object.entries(metadata).map(([key, value]) => {
    const place = `metadata ${show(key)}`;
    if (typeof value !== "string") {
      throw new FormatError(`${place}: expected a string, got ${show(value)}`);
    }
    return `${quote(key, place)}:${quote(value, place)}`;
  });
  if (notes.length > 0) fields.push(`"${METADATA}":{${notes.join(",")}}`);
  let offset = 0;
  for (const [name, { shape, data }] of tensors) {
    const place = `tensor ${show(name)}`;
    if (name === METADATA) throw new FormatError(`${place}: expected another name, got the reserved one`);
    const count = elementCount(shape);
    if (count === undefined) {
      throw new FormatError(`${place}: shape: expected non-negative integers, got ${show(shape)}`);
    }
    if (count !== data.length) {
      throw new FormatError(
        `${place}: data: expected ${count} values for ${show(shape)}, got ${data.length}`,
      );
    }
    const end = offset + BYTES_PER_ELEMENT * count;
    fields.push(
      `${quote(name, place)}:{"dtype":"F32","shape":[${shape.join(",")}],"data_offsets":[${offset},${end}]}`,
    );
    offset = end;
  }
  return `{${fields.join(",")}}`;
}

/**
 * Writes a safetensors file. The tensors lie in the map's order; the header is padded with spaces so that the
 * data starts at a multiple of eight bytes; `__metadata__` is left out when there is none.
 *
 * @param tensors name → shape and data, float32
 * @param metadata free text
 * @throws FormatError if a shape does not fit its data, a name is reserved or not well-formed text
 */
export function encodeSafetensors(
  tensors: ReadonlyMap<string, StoredTensor>,
  metadata: Readonly<Record<string, string>>,
): Uint8Array<ArrayBuffer> {
  const json = new TextEncoder().encode(headerText(tensors, metadata));
  const headerLength = Math.ceil(json.length / 8) * 8;
  if (headerLength > MAX_HEADER_LENGTH) {
    throw new FormatError(`header: expected at most ${MAX_HEADER_LENGTH} bytes, got ${headerLength}`);
  }
  let dataLength = 0;
  for (const { data } of tensors.values()) dataLength += BYTES_PER_ELEMENT * data.length;

  const file = new Uint8Array(8 + headerLength + dataLength).fill(0x20, 8 + json.length, 8 + headerLength);
  new DataView(file.buffer).setBigUint64(0, BigInt(headerLength), true);
  file.set(json, 8);
  let offset = 8 + headerLength;
  for (const { data } of tensors.values()) {
    file.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), offset);
    offset += data.byteLength;
  }
  return file;
}

const [QUOTE, BACKSLASH, COMMA, BRACKET, BRACE] = [0x22, 0x5c, 0x2c, 0x5b, 0x7b];

/** The most values that a JSON text can hold: one for each comma and opening bracket outside of its strings. */
function countValues(text: Uint8Array): number {
  let count = 1;
  let quoted = false;
  for (let i = 0; i < text.length; i++) {
    const byte = text[i]!;
    if (byte === QUOTE) quoted = !quoted;
    else if (quoted) i += Number(byte === BACKSLASH);
    else if (byte === COMMA || byte === BRACKET || byte === BRACE) count++;
  }
  return count;
}

/** Reads the header's JSON; returns its fields and where the data buffer begins. */
function readHeader(bytes: Uint8Array): { fields: [string, unknown][]; dataStart: number } {
  if (bytes.length < 8) {
    throw new FormatError(`header length: expected 8 bytes, got ${bytes.length}`);
  }
  // Copies, since another thread may write to shared bytes while they are read.
  const length = new DataView(bytes.slice(0, 8).buffer).getBigUint64(0, true);
  if (length > MAX_HEADER_LENGTH) {
    throw new FormatError(`header length: expected at most ${MAX_HEADER_LENGTH} bytes, got ${length}`);
  }
  const dataStart = 8 + Number(length);
  if (bytes.length < dataStart) {
    throw new FormatError(`header: expected ${length} bytes, got ${bytes.length - 8}`);
  }
  const text = bytes.slice(8, dataStart);
  // Counted first: parsed, one of three bytes takes twenty times those.
  const values = countValues(text);
  const most = mostValues(text.length);
  if (values > most) throw new FormatError(`header: expected at most ${most} values, got ${values}`);
  let header: unknown;
  try {
    // The byte order mark is kept, so that JSON.parse refuses it as other readers do.
    const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
    header = JSON.parse(decoder.decode(text));
  } catch (error) {
    throw new FormatError("header: expected a JSON object in UTF-8, got something else", { cause: error });
  }
  if (text[0] !== 0x7b || !isPlainObject(header)) {
    throw new FormatError(`header: expected a JSON object from its first byte on, got ${show(header)}`);
  }
  return { fields: Object.entries(header), dataStart };
}

/** Checks `__metadata__`. The record has no prototype, so that no key of a file meets an inherited one. */
function readMetadata(value: unknown): Record<string, string> {
  if (!isPlainObject(value)) {
    throw new FormatError(`${METADATA}: expected an object of strings, got ${show(value)}`);
  }
  const metadata = Object.create(null) as Record<string, string>;
  for (const [key, text] of Object.entries(value)) {
    if (typeof text !== "string") {
      throw new FormatError(`${METADATA}: ${show(key)}: expected a string, got ${show(text)}`);
    }
    metadata[key] = text;
  }
  return metadata;
}

/** Checks one tensor's dtype, shape and range, each for itself. */
function readEntry(name: string, value: unknown, dtypes: DtypeReaders): Entry {
  const place = `tensor ${show(name)}`;
  if (!isPlainObject(value)) {
    throw new FormatError(
      `${place}: expected an object with dtype, shape and data_offsets, got ${show(value)}`,
    );
  }
  const own = (key: string): unknown => (Object.hasOwn(value, key) ? value[key] : undefined);
  const type = own("dtype");
  const dtype = typeof type === "string" && Object.hasOwn(dtypes, type) ? dtypes[type] : undefined;
  if (!dtype) {
    const known = Object.keys(dtypes).map((each) => show(each));
    throw new FormatError(`${place}: dtype: expected ${known.join(", ")}, got ${show(type)}`);
  }
  const shape = own("shape");
  const count = Array.isArray(shape) ? elementCount(shape) : undefined;
  if (count === undefined) {
    throw new FormatError(`${place}: shape: expected a list of non-negative integers, got ${show(shape)}`);
  }
  const offsets = own("data_offsets");
  // Two sizes are checked as a shape is: the same rule for what counts as an integer.
  if (
    !Array.isArray(offsets) ||
    offsets.length !== 2 ||
    !offsets.every((offset) => elementCount([offset]) !== undefined)
  ) {
    throw new FormatError(`${place}: data_offsets: expected two non-negative integers, got ${show(offsets)}`);
  }
  const [begin, end] = offsets as [number, number];
  const expected = dtype.bytes * count;
  if (end - begin !== expected) {
    throw new FormatError(
      `${place}: data_offsets: expected ${expected} bytes for shape ${show(shape)}, got ${end - begin}`,
    );
  }
  return { name, shape: shape as number[], begin, end, dtype };
}

/** Checks that the ranges, in order, cover the buffer: no hole, no overlap, nothing left. */
function checkCover(entries: readonly Entry[], dataLength: number): void {
  let covered = 0;
  for (const { name, begin, end } of entries) {
    const place = `tensor ${show(name)}`;
    if (begin !== covered) {
      const fault = begin < covered ? "an overlap" : "a hole";
      throw new FormatError(
        `${place}: data_offsets: expected to begin at ${covered}, got ${begin} (${fault})`,
      );
    }
    if (end > dataLength) {
      throw new FormatError(`${place}: data: expected ${end} bytes after the header, got ${dataLength}`);
    }
    covered = end;
  }
  if (covered !== dataLength) {
    throw new FormatError(`data: expected ${covered} bytes after the header, got ${dataLength}`);
  }
}

/**
 * Reads a safetensors file, of float32 tensors unless `dtypes` has others. The tensors come in the order of their data; the data is copied,
 * so `file` may lie at any offset and be changed afterwards. Of two header fields of the same name the last one
 * counts (as in `JSON.parse`); what the first one covered is then a hole, and an error.
 *
 * @param dtypes the dtypes that the file may have
 * @returns the tensors, and `__metadata__` or an empty record, without a prototype
 * @throws FormatError naming the tensor or place, the expected and the given, for anything malformed and for
 *   other dtypes
 */
export function decodeSafetensors(
  file: Uint8Array,
  dtypes = FLOAT32,
): {
  tensors: Map<string, { shape: number[]; data: Float32Array<ArrayBuffer> }>;
  metadata: Record<string, string>;
} {
  if (!isTyped(file, Uint8Array)) {
    throw new FormatError(`file: expected a Uint8Array, got ${Object.prototype.toString.call(file)}`);
  }
  const bytes = plainView(file, Uint8Array);
  const { fields, dataStart } = readHeader(bytes);
  let metadata = readMetadata({});
  const entries: Entry[] = [];
  for (const [name, value] of fields) {
    if (name === METADATA) metadata = readMetadata(value);
    else entries.push(readEntry(name, value, dtypes));
  }
  entries.sort((a, b) => a.begin - b.begin || a.end - b.end);
  checkCover(entries, bytes.length - dataStart);

  const tensors = new Map<string, { shape: number[]; data: Float32Array<ArrayBuffer> }>();
  for (const { name, shape, begin, end, dtype } of entries) {
    const copy = new Uint8Array(end - begin);
    copy.set(bytes.subarray(dataStart + begin, dataStart + end));
    tensors.set(name, { shape, data: dtype.floats(copy.buffer) });
  }
  return { tensors, metadata };
}
