import { resolvePool, type PoolOptions } from "../engine/pool2d.ts";
import type { Runtime } from "../engine/runtime.ts";
import { ShapeError } from "../errors.ts";
import { checkOptions, isTyped, show } from "../options.ts";
import {
  checkShape,
  checkTensor,
  expectShape,
  shapeText,
  sizeOf,
  type Shape,
  type Tensor,
} from "../tensor.ts";
import { scoped } from "./scope.ts";

const KEYS = ["poolSize", "strides", "padding"] as const;

/** Maxima, and where in its own image (`(iy·w + ix)·c + channel`) each was found. */
export interface MaxPool {
  y: Tensor;
  argmax: Tensor<Int32Array>;
}

export function maxPool2d(runtime: Runtime, x: Tensor, options: PoolOptions): MaxPool {
  checkOptions("maxPool2d", options, KEYS);
  checkTensor("maxPool2d: x", x, 4);
  const n = x.shape[0]!;
  const window = resolvePool("maxPool2d", x.shape.slice(1), options);
  const shape = [n, window.oh, window.ow, window.c];
  return scoped(runtime, "maxPool2d", (scope) => {
    const y = scope.room(sizeOf(shape));
    const argmax = scope.room(sizeOf(shape));
    runtime.kernels.maxPool2dForward(scope.window(window), n, scope.put(x.data), y, argmax);
    return { y: scope.take(y, shape), argmax: scope.takeInts(argmax, shape) };
  });
}

export function maxPool2dBackprop(
  runtime: Runtime,
  dy: Tensor,
  argmax: Tensor<Int32Array>,
  xShape: Shape,
): Tensor {
  const where = "maxPool2dBackprop";
  checkTensor(`${where}: dy`, dy, 4);
  checkShape(`${where}: xShape`, xShape);
  checkShape(`${where}: argmax.shape`, argmax?.shape);
  expectShape(`${where}: argmax`, argmax.shape, dy.shape);
  const n = dy.shape[0]!;
  if (xShape.length !== 4 || xShape[0] !== n || xShape[3] !== dy.shape[3]) {
    throw new ShapeError(
      `${where}: xShape: expected ${n}×height×width×${dy.shape[3]}, got ${shapeText(xShape)}`,
    );
  }
  const image = sizeOf(xShape) / n;
  const isInt32 = isTyped(argmax.data, Int32Array);
  const wrong = isInt32 ? argmax.data.findIndex((index) => index < 0 || index >= image) : -1;
  if (!isInt32 || argmax.data.length !== dy.data.length || wrong >= 0) {
    const given = wrong >= 0 ? `${argmax.data[wrong]} at ${wrong}` : show(argmax.data);
    throw new ShapeError(
      `${where}: argmax: expected ${dy.data.length} int32 indices from 0 to ${image - 1}, got ${given}`,
    );
  }
  return scoped(runtime, where, (scope) => {
    const dx = scope.room(sizeOf(xShape));
    const winners = scope.put(argmax.data);
    runtime.kernels.maxPool2dBackward(n, scope.put(dy.data), winners, dx, dy.data.length / n, image);
    return scope.take(dx, xShape);
  });
}

export function averagePool2d(runtime: Runtime, x: Tensor, options: PoolOptions): Tensor {
  checkOptions("averagePool2d", options, KEYS);
  checkTensor("averagePool2d: x", x, 4);
  const n = x.shape[0]!;
  const window = resolvePool("averagePool2d", x.shape.slice(1), options);
  const shape = [n, window.oh, window.ow, window.c];
  return scoped(runtime, "averagePool2d", (scope) => {
    const y = scope.room(sizeOf(shape));
    runtime.kernels.averagePool2dForward(scope.window(window), n, scope.put(x.data), y);
    return scope.take(y, shape);
  });
}

export function averagePool2dBackprop(
  runtime: Runtime,
  dy: Tensor,
  xShape: Shape,
  options: PoolOptions,
): Tensor {
  const where = "averagePool2dBackprop";
  checkOptions(where, options, KEYS);
  checkTensor(`${where}: dy`, dy, 4);
  checkShape(`${where}: xShape`, xShape);
  const n = xShape[0]!;
  const window = resolvePool(where, xShape.slice(1), options);
  expectShape(`${where}: dy`, dy.shape, [n, window.oh, window.ow, window.c]);
  return scoped(runtime, where, (scope) => {
    const dx = scope.room(sizeOf(xShape));
    runtime.kernels.averagePool2dBackward(scope.window(window), n, scope.put(dy.data), dx);
    return scope.take(dx, xShape);
  });
}
