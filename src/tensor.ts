import { ShapeError } from "./errors.ts";
import { isCount, isTyped, lengthOf, listed, listOf, plainView, show } from "./options.ts";

/** The sizes of a tensor, outermost first. */
export type Shape = readonly number[];

/** A dense array: `data` in row-major order, images as `[n, h, w, c]`. */
export interface Tensor<Data = Float32Array> {
  readonly shape: Shape;
  readonly data: Data;
}

/** A tensor whose data nobody else holds: what the package returns as a copy, for `Blob`, `Response` and workers to take. */
export type OwnTensor = Tensor<Float32Array<ArrayBuffer>>;

/** Images as a model takes them: of float32, or of bytes where its input is one of uint8. */
export type InputTensor = Tensor<Float32Array | Uint8Array>;

/** Number of elements of a shape. */
export function sizeOf(shape: Shape): number {
  let product = 1;
  for (let i = 0; i < shape.length; i++) product *= shape[i]!;
  return product;
}

/** A shape as text: `28×28×1`. */
export function shapeText(shape: Shape): string {
  return shape.length === 0 ? "a single number" : listed(shape, "×");
}

const isSize = (size: unknown): size is number => isCount(size) && size > 0;

/**
 * The shape as a list of its own, which the caller cannot change. @throws ShapeError unless it is of positive integers.
 */
export function readShape(where: string, shape: unknown, part = "", into?: number[]): number[] {
  const own = listOf(shape, isSize, into);
  if (own) return own;
  throw new ShapeError(`${where}${part}: expected a shape of positive integers, got ${show(shape)}`);
}

/**
 * A tensor of float32 over `data`. A `Float32Array` is taken as it is, without a copy; other numbers are rounded to
 * float32.
 * @throws ShapeError unless `data` has as many elements as `shape`, and all of them are numbers: nothing else is made one.
 */
export function tensor(data: ArrayLike<number>, shape: Shape): Tensor {
  const own = readShape("tensor", shape);
  if (typeof data !== "object" || typeof data?.length !== "number") {
    throw new ShapeError(`tensor: expected an array of numbers, got ${show(data)}`);
  }
  const length = lengthOf(data);
  if (length !== sizeOf(own)) {
    throw new ShapeError(
      `tensor: expected ${sizeOf(own)} elements for shape ${shapeText(own)}, got ${length}`,
    );
  }
  if (isTyped(data, Float32Array)) return { shape: own, data };
  const floats = new Float32Array(length);
  for (let i = 0; i < length; i++) {
    const value: unknown = data[i];
    if (typeof value !== "number") {
      throw new ShapeError(`tensor: data[${i}]: expected a number, got ${show(value)}`);
    }
    floats[i] = value;
  }
  return { shape: own, data: floats };
}

/** A tensor that is filled in, time and again. */
export interface Filled<Data = Float32Array> {
  readonly shape: number[];
  data: Data;
}

const NONE = new Float32Array(0);
export const noTensor = (): Filled => ({ shape: [], data: NONE });

/** A class of arrays. */
interface ArrayClass<Data> {
  readonly name: string;
  new (buffer?: ArrayBuffer, start?: number, length?: number): Data;
}

/**
 * Reads a tensor once, and checks what was read. The data are a plain view of the caller's: nothing but their elements can
 * change. With `into`, for training steps, no object is made; of the data nothing but the elements is to be used then.
 * @throws ShapeError unless it is a tensor of the rank and the type asked for, whose data fit its shape.
 */
export function readTensor<Data extends Float32Array | Uint8Array = Float32Array>(
  where: string,
  value: InputTensor,
  rank?: number,
  into?: Filled<Data>,
  type = Float32Array as unknown as ArrayClass<Data>,
): Filled<Data> {
  // Text is made for errors alone.
  const shape = readShape(where, value?.shape, ".shape", into?.shape);
  const data: unknown = value.data;
  if (rank !== undefined && shape.length !== rank) {
    throw new ShapeError(`${where}: expected ${rank} dimensions, got ${shape.length} (${shapeText(shape)})`);
  }
  if (!isTyped<Data>(data, type)) {
    throw new ShapeError(`${where}.data: expected a ${type.name}, got ${show(data)}`);
  }
  if (lengthOf(data) !== sizeOf(shape)) {
    throw new ShapeError(
      `${where}.data: expected ${sizeOf(shape)} elements for shape ${shapeText(shape)}, got ${lengthOf(data)}`,
    );
  }
  if (!into) return { shape, data: plainView(data, type) };
  into.data = data;
  return into;
}

/** @throws ShapeError when data of so many elements were detached since they were read */
export function expectAttached(data: ArrayLike<unknown>, length: number): void {
  if (lengthOf(data) === length) return;
  throw new ShapeError(
    "expected data of its own, got a view that was detached since, as when the memory grew: copy it first",
  );
}

const scratch = noTensor();

/** @throws ShapeError unless `value` is a float32 tensor of the given rank whose data fit its shape. */
export function checkTensor(where: string, value: Tensor, rank?: number): void {
  readTensor(where, value, rank, scratch).data = NONE;
}

export function sameShape(a: Shape, b: Shape): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** True for `[n, ...element]` with any n. */
export function isBatchOf(shape: Shape, element: Shape): boolean {
  return shape.length === element.length + 1 && element.every((size, i) => size === shape[i + 1]);
}

/** @throws ShapeError unless the shapes are equal. */
export function expectShape(where: string, given: Shape, expected: Shape): void {
  if (!sameShape(given, expected)) {
    throw new ShapeError(`${where}: expected shape ${shapeText(expected)}, got ${shapeText(given)}`);
  }
}
