import { ShapeError } from "./errors.ts";
import { isTyped, lengthOf, listed, show } from "./options.ts";

/** The sizes of a tensor, outermost first. */
export type Shape = readonly number[];

/** A dense array: `data` in row-major order, images as `[n, h, w, c]`. */
export interface Tensor<Data = Float32Array> {
  readonly shape: Shape;
  readonly data: Data;
}

/** Number of elements of a shape. */
export function sizeOf(shape: Shape): number {
  return shape.reduce((product, size) => product * size, 1);
}

/** A shape as text: `28×28×1`. */
export function shapeText(shape: Shape): string {
  return shape.length === 0 ? "a single number" : listed(shape, "×");
}

function isShape(shape: unknown): shape is Shape {
  return Array.isArray(shape) && shape.every((size) => Number.isInteger(size) && size > 0);
}

/** @throws ShapeError unless `shape` is a list of positive integers. */
export function checkShape(where: string, shape: unknown): asserts shape is Shape {
  if (!isShape(shape)) {
    throw new ShapeError(`${where}: expected a shape of positive integers, got ${show(shape)}`);
  }
}

/**
 * A tensor of float32 over `data`. A `Float32Array` is taken as it is, without a copy; other numbers are rounded to
 * float32.
 * @throws ShapeError unless `data` has as many elements as `shape`, and all of them are numbers: nothing else is made one.
 */
export function tensor(data: ArrayLike<number>, shape: Shape): Tensor {
  checkShape("tensor", shape);
  const own: Shape = [...shape];
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

/** @throws ShapeError unless `value` is a float32 tensor of the given rank whose data fit its shape. */
export function checkTensor(where: string, value: Tensor, rank?: number): void {
  // Text is made for errors alone: this runs in every training step.
  if (!isShape(value?.shape)) checkShape(`${where}.shape`, value?.shape);
  if (rank !== undefined && value.shape.length !== rank) {
    throw new ShapeError(
      `${where}: expected ${rank} dimensions, got ${value.shape.length} (${shapeText(value.shape)})`,
    );
  }
  if (!isTyped(value.data, Float32Array)) {
    throw new ShapeError(`${where}.data: expected a Float32Array, got ${show(value.data)}`);
  }
  if (lengthOf(value.data) !== sizeOf(value.shape)) {
    throw new ShapeError(
      `${where}.data: expected ${sizeOf(value.shape)} elements for shape ${shapeText(value.shape)}, got ${lengthOf(value.data)}`,
    );
  }
}

export function sameShape(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((size, i) => size === b[i]);
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
