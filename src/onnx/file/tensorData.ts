import { FormatError } from "../../errors.ts";
import { listed } from "../../options.ts";
import { shapeText, sizeOf, type Shape } from "../../tensor.ts";
import { DATA_TYPE, type TensorProto } from "./proto.ts";
import type { Constant, ElementType, Numbers } from "./constant.ts";

/**
 * Elements of one of the file's types are read so: they become `type`, take `bytes`, and are read from raw data by
 * `read`.
 */
interface Reading {
  readonly type: ElementType;
  readonly bytes: number;
  read(view: DataView, at: number): number;
  /** The list that holds them when they are not raw. */
  list(tensor: TensorProto): readonly number[];
}

const int32s = (tensor: TensorProto): readonly number[] => tensor.int32s;
const int64s = (tensor: TensorProto): readonly number[] => tensor.int64s;

const READINGS: Readonly<Record<number, Reading>> = {
  [DATA_TYPE.float32]: {
    type: "float32",
    bytes: 4,
    read: (view, at) => view.getFloat32(at, true),
    list: ({ floats }) => floats,
  },
  [DATA_TYPE.float16]: {
    type: "float32",
    bytes: 2,
    read: (view, at) => widen(view.getUint16(at, true)),
    list: (tensor) => tensor.int32s.map(widen),
  },
  [DATA_TYPE.int64]: {
    type: "int64",
    bytes: 8,
    read: (view, at) => Number(view.getBigInt64(at, true)),
    list: int64s,
  },
  [DATA_TYPE.int32]: { type: "int32", bytes: 4, read: (view, at) => view.getInt32(at, true), list: int32s },
  [DATA_TYPE.bool]: { type: "bool", bytes: 1, read: (view, at) => view.getUint8(at), list: int32s },
};

const word = new DataView(new ArrayBuffer(4));

/** A float16's value from its bits; exact. */
function widen(half: number): number {
  const sign = half & 0x8000 ? -1 : 1;
  const exponent = (half >>> 10) & 31;
  const fraction = half & 1023;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction ? NaN : sign * Infinity;
  word.setUint32(0, ((exponent + 112) << 23) | (fraction << 13));
  return sign * word.getFloat32(0);
}

/** The bits of the float16 next to a number, of two the even one. */
export function narrow(value: number): number {
  word.setFloat32(0, value);
  const pattern = word.getUint32(0);
  const sign = (pattern >>> 16) & 0x8000;
  const size = Math.abs(value);
  if (!(size < 65520)) return sign | (Number.isNaN(value) ? 0x7e00 : 0x7c00);
  const exponent = Math.max(((pattern >>> 23) & 255) - 127, -14);
  // 2^(10 − exponent), from its bits.
  word.setUint32(0, (137 - exponent) << 23);
  // Adding 2⁵² rounds to integers; a carry goes on into the exponent.
  const fraction = size * word.getFloat32(0) + 2 ** 52 - 2 ** 52;
  return sign | (((exponent + 14) << 10) + fraction);
}

/** Elements as the bytes of a tensor of that type, float32 or float16. */
export function rawElements(dataType: number, data: Float32Array): Uint8Array {
  if (dataType === DATA_TYPE.float16) return new Uint8Array(Uint16Array.from(data, narrow).buffer);
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

/** The type that a file's element type becomes here, or undefined when nothing here computes with it. */
export function elementTypeOf(dataType: number): ElementType | undefined {
  return READINGS[dataType]?.type;
}

/** The name of a file's element type, for errors. */
export function dataTypeName(dataType: number): string {
  const entry = Object.entries(DATA_TYPE).find(([, code]) => code === dataType);
  return entry ? entry[0] : `type ${dataType}`;
}

/** A tensor may have at most so many axes and elements: a file of a few bytes can name any. */
export const MOST_AXES = 32;
const MOST_ELEMENTS = 2 ** 30;

/** Says what is wrong with a shape; undefined when nothing is. */
export function shapeFault(shape: Shape): string | undefined {
  if (shape.length > MOST_AXES) return `expected at most ${MOST_AXES} axes, got ${shape.length}`;
  const wrong = shape.find((size) => !(Number.isInteger(size) && size >= 0 && size <= MOST_ELEMENTS));
  if (wrong === undefined && sizeOf(shape) <= MOST_ELEMENTS) return undefined;
  return `expected sizes ≥ 0 of at most ${MOST_ELEMENTS} elements, got ${shapeText(shape)}`;
}

/**
 * A tensor of the file.
 * @throws FormatError naming `where` unless its type is one that is read here and it has as many elements as its shape.
 */
export function readTensor(where: string, tensor: TensorProto): Constant {
  const reading = READINGS[tensor.dataType];
  if (!reading) {
    const types = Object.keys(READINGS).map((code) => dataTypeName(Number(code)));
    throw new FormatError(
      `${where}: expected elements of ${listed(types)}; got ${dataTypeName(tensor.dataType)}`,
    );
  }
  if (tensor.external)
    throw new FormatError(`${where}: expected elements in the file, got a reference to another file`);
  const { dims, raw } = tensor;
  const fault = shapeFault(dims);
  if (fault) throw new FormatError(`${where}: ${fault}`);
  const size = sizeOf(dims);
  const has = raw ? raw.length / reading.bytes : reading.list(tensor).length;
  if (has !== size)
    throw new FormatError(`${where}: expected ${size} elements for ${shapeText(dims)}, got ${has}`);
  return {
    type: reading.type,
    shape: dims,
    data: () => readElements(tensor, reading, size),
    source: tensor,
  };
}

function readElements(tensor: TensorProto, { type, bytes, read, list }: Reading, size: number): Numbers {
  const { raw, dataType } = tensor;
  if (!raw) return type === "float32" ? Float32Array.from(list(tensor)) : Float64Array.from(list(tensor));
  // A copy, since the file's bytes need not lie at a multiple of four; typed arrays are little-endian as the file is.
  if (dataType === DATA_TYPE.float32) return new Float32Array(new Uint8Array(raw).buffer);
  const view = new DataView(raw.buffer, raw.byteOffset, raw.byteLength);
  const data = type === "float32" ? new Float32Array(size) : new Float64Array(size);
  for (let i = 0; i < size; i++) data[i] = read(view, i * bytes);
  return data;
}
