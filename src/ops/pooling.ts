import { checkPool, resolvePool, type PoolOptions } from "../kernels/pool2d.ts";
import type { Runtime } from "../runtime/runtime.ts";
import { ShapeError } from "../errors.ts";
import { checkOptions, isTyped, plainView, show } from "../options.ts";
import {
  expectShape,
  readShape,
  readTensor,
  shapeText,
  sizeOf,
  type Shape,
  type Tensor,
  type OwnTensor,
} from "../tensor.ts";
import { scoped } from "./scope.ts";

const KEYS = ["poolSize", "strides", "padding"] as const;

/** Maxima, and where in its own image (`(iy·w + ix)·c + channel`) each was found. */
export interface MaxPool {
  y: OwnTensor;
  argmax: Tensor<Int32Array<ArrayBuffer>>;
}

export function maxPool2d(runtime: Runtime, given: Tensor, options: PoolOptions): MaxPool {
  checkOptions("maxPool2d", options, KEYS);
  const pooling = checkPool("maxPool2d", options);
  const x = readTensor("maxPool2d: x", given, 4);
  const n = x.shape[0]!;
  const window = resolvePool("maxPool2d", x.shape.slice(1), pooling);
  const shape = [n, window.oh, window.ow, window.c];
  return scoped(runtime, "maxPool2d", (scope) => {
    const y = scope.allocate(sizeOf(shape));
    const argmax = scope.allocate(sizeOf(shape), "int32");
    runtime.kernels.maxPool2dForward(scope.window(window), n, scope.operand(x), y, argmax);
    return { y: scope.take(y, shape), argmax: scope.takeInts(argmax, shape) };
  });
}

/** A copy of `count` indices into an image of `size` elements: the kernel writes where they say. @throws ShapeError */
function readIndices(where: string, given: Int32Array, count: number, size: number): Int32Array {
  const own = isTyped(given, Int32Array) ? plainView(given, Int32Array).slice() : undefined;
  const wrong = own ? own.findIndex((index) => index < 0 || index >= size) : -1;
  if (own?.length === count && wrong < 0) return own;
  const got = wrong >= 0 ? `${own![wrong]} at ${wrong}` : show(given);
  throw new ShapeError(`${where}: expected ${count} int32 indices from 0 to ${size - 1}, got ${got}`);
}

export function maxPool2dBackprop(
  runtime: Runtime,
  gradient: Tensor,
  argmax: Tensor<Int32Array>,
  imageShape: Shape,
): OwnTensor {
  const where = "maxPool2dBackprop";
  const dy = readTensor(`${where}: dy`, gradient, 4);
  const xShape = readShape(`${where}: xShape`, imageShape);
  expectShape(`${where}: argmax`, readShape(`${where}: argmax.shape`, argmax?.shape), dy.shape);
  const n = dy.shape[0]!;
  if (xShape.length !== 4 || xShape[0] !== n || xShape[3] !== dy.shape[3]) {
    throw new ShapeError(
      `${where}: xShape: expected ${n}×height×width×${dy.shape[3]}, got ${shapeText(xShape)}`,
    );
  }
  const image = sizeOf(xShape) / n;
  const size = sizeOf(dy.shape);
  const indices = readIndices(`${where}: argmax`, argmax.data, size, image);
  return scoped(runtime, where, (scope) => {
    const dx = scope.allocate(sizeOf(xShape));
    const winners = scope.put(indices);
    runtime.kernels.maxPool2dBackward(n, scope.operand(dy), winners, dx, size / n, image);
    return scope.take(dx, xShape);
  });
}

export function averagePool2d(runtime: Runtime, given: Tensor, options: PoolOptions): OwnTensor {
  checkOptions("averagePool2d", options, KEYS);
  const pooling = checkPool("averagePool2d", options);
  const x = readTensor("averagePool2d: x", given, 4);
  const n = x.shape[0]!;
  const window = resolvePool("averagePool2d", x.shape.slice(1), pooling);
  const shape = [n, window.oh, window.ow, window.c];
  return scoped(runtime, "averagePool2d", (scope) => {
    const y = scope.allocate(sizeOf(shape));
    runtime.kernels.averagePool2dForward(scope.window(window), n, scope.operand(x), y);
    return scope.take(y, shape);
  });
}

export function averagePool2dBackprop(
  runtime: Runtime,
  gradient: Tensor,
  imageShape: Shape,
  options: PoolOptions,
): OwnTensor {
  const where = "averagePool2dBackprop";
  checkOptions(where, options, KEYS);
  const pooling = checkPool(where, options);
  const dy = readTensor(`${where}: dy`, gradient, 4);
  const xShape = readShape(`${where}: xShape`, imageShape);
  const n = xShape[0]!;
  const window = resolvePool(where, xShape.slice(1), pooling);
  expectShape(`${where}: dy`, dy.shape, [n, window.oh, window.ow, window.c]);
  return scoped(runtime, where, (scope) => {
    const dx = scope.allocate(sizeOf(xShape));
    runtime.kernels.averagePool2dBackward(scope.window(window), n, scope.operand(dy), dx);
    return scope.take(dx, xShape);
  });
}
