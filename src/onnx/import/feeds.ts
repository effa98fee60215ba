/** Nets are fed with tensors of the file's types and return such; this file moves their elements to memory and back. */
import { ShapeError } from "../../errors.ts";
import { lengthOf, listed, listOf, plainView, show, typedName } from "../../options.ts";
import { shapeText, sizeOf, type Shape } from "../../tensor.ts";
import type { OnnxInput } from "./graph.ts";
import type { ElementType, Numbers } from "../file/constant.ts";

/** Elements by type: float32, int64, int32, and bool or uint8. */
export type OnnxData = Float32Array | BigInt64Array | Int32Array | Uint8Array;

/** The same, of which nobody else holds the memory. */
export type OwnOnnxData =
  Float32Array<ArrayBuffer> | BigInt64Array<ArrayBuffer> | Int32Array<ArrayBuffer> | Uint8Array<ArrayBuffer>;

/** A tensor as the file declares it: images are `[n, c, h, w]`. */
export interface OnnxTensor<Data extends OnnxData = OnnxData> {
  readonly shape: Shape;
  readonly data: Data;
}

const CLASSES = {
  float32: Float32Array,
  int64: BigInt64Array,
  int32: Int32Array,
  bool: Uint8Array,
  uint8: Uint8Array,
};

/** Whether sizes fit what the file declares; where that is a name or nothing, any does. The first may be `open`. */
function fits({ dims }: OnnxInput, shape: Shape, open: boolean): boolean {
  return (
    shape.length === dims.length &&
    shape.every(
      (size, axis) =>
        Number.isInteger(size) &&
        size >= 0 &&
        ((open && axis === 0) || typeof dims[axis] === "string" || dims[axis] === size),
    )
  );
}

/**
 * @throws ShapeError naming `place`, unless it is a shape that the input takes; with `open` any number of images is.
 */
export function checkFeedShape(place: string, input: OnnxInput, shape: Shape, open: boolean): void {
  if (Array.isArray(shape) && fits(input, shape, open)) return;
  const sizes = input.dims.map((size, axis) => (open && axis === 0 ? "n" : size === "" ? "?" : size));
  throw new ShapeError(
    `${place}: expected shape ${listed(sizes, "×")}, got ${Array.isArray(shape) ? shapeText(shape) : show(shape)}`,
  );
}

const isNumber = (value: unknown): value is number => typeof value === "number";

/** A shape that was given, in a list of its own: what is checked is not read again. */
export const readSizes = (shape: Shape): Shape => listOf(shape, isNumber) ?? shape;

/**
 * Reads a tensor once: its shape, for `checkFeedShape`, and a plain view of its data, of which nothing but the elements can
 * change. @throws ShapeError naming `where` unless it has the data that the input takes
 */
export function readFeed(
  where: string,
  { name, type }: Pick<OnnxInput, "name" | "type">,
  tensor: OnnxTensor | undefined,
): OnnxTensor {
  const place = `${where}: ${name}`;
  const shape = listOf(tensor?.shape, isNumber);
  if (!shape) throw new ShapeError(`${place}: expected { shape, data }, got ${show(tensor)}`);
  const { data } = tensor!;
  const own = CLASSES[type];
  if (typedName(data) !== own.name) {
    throw new ShapeError(`${place}.data: expected a ${own.name}, got ${show(data)}`);
  }
  if (lengthOf(data) !== sizeOf(shape)) {
    throw new ShapeError(
      `${place}.data: expected ${sizeOf(shape)} elements for ${shapeText(shape)}, got ${lengthOf(data)}`,
    );
  }
  return { shape, data: plainView<OnnxData>(data, own as new () => OnnxData) };
}

/**
 * The bits of a tensor's elements as they lie in memory, four bytes each. @throws ShapeError for integers that need
 * more
 */
export function toMemory(where: string, data: OnnxData): Float32Array {
  const kind = typedName(data);
  if (kind === "Float32Array") return data as Float32Array;
  const integers = new Int32Array(data.length);
  if (kind !== "BigInt64Array") integers.set(data as Int32Array | Uint8Array);
  else
    (data as BigInt64Array).forEach((value, i) => {
      if (value !== BigInt.asIntN(32, value)) {
        throw new ShapeError(`${where}: expected integers of 32 bits, got ${value} at ${i}`);
      }
      integers[i] = Number(value);
    });
  return new Float32Array(integers.buffer);
}

/** A tensor's elements from their bits in memory. */
export function fromMemory(type: ElementType, bits: Float32Array<ArrayBuffer>): OwnOnnxData {
  if (type === "float32") return bits;
  return fromNumbers(type, new Int32Array(bits.buffer, bits.byteOffset, bits.length));
}

/** A tensor's elements in the class for their type. @throws ShapeError naming it for integers that are none */
export function fromNumbers(type: ElementType, numbers: Numbers, name = "tensor"): OwnOnnxData {
  if (type === "float32") return Float32Array.from(numbers);
  const wrong = numbers.find((value: number) => !Number.isInteger(value));
  if (wrong !== undefined) throw new ShapeError(`${name}: expected integers, got ${wrong}`);
  if (type === "int64") return BigInt64Array.from(numbers as Float64Array, BigInt);
  return type === "int32" ? Int32Array.from(numbers) : Uint8Array.from(numbers);
}
