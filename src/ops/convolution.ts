import { activationCode, type Activation } from "../kernels/activation.ts";
import {
  checkFilter,
  checkGroups,
  forwardPass,
  type Conv2d,
  type ConvAlgorithm,
  type ConvPass,
} from "../kernels/conv2d.ts";
import {
  filterGradientPass,
  inputGradientPass,
  type InputGradientAlgorithm,
} from "../kernels/conv2dGradients.ts";
import type { Kernels } from "../kernels/kernels.ts";
import type { Runtime } from "../runtime/runtime.ts";
import { resolveWindow, SLIDING, type Padding, type WindowOptions } from "../kernels/window.ts";
import { checkOptions, readOptions, type Size } from "../options.ts";
import {
  expectShape,
  readShape,
  readTensor,
  shapeText,
  type Shape,
  type Tensor,
  type OwnTensor,
} from "../tensor.ts";
import { ShapeError } from "../errors.ts";
import { scoped, type Scope } from "./scope.ts";

export interface Conv2dOptions {
  strides?: Size | undefined;
  padding?: Padding | undefined;
  dilationRate?: Size | undefined;
  groups?: number | undefined;
}

export interface Conv2dForwardOptions extends Conv2dOptions {
  bias?: Tensor | undefined;
  activation?: Activation | undefined;
  algorithm?: ConvAlgorithm | undefined;
}

const CONV_KEYS = ["strides", "padding", "dilationRate", "groups"] as const;

function image4(where: string, shape: Shape): [n: number, image: Shape] {
  if (shape.length !== 4) {
    throw new ShapeError(`${where}: expected [n, height, width, channels], got ${shapeText(shape)}`);
  }
  return [shape[0]!, shape.slice(1)];
}

/** An argument's name and the shape that it has or is. */
type Named = readonly [name: string, shape: Shape];

/** Resolves the convolution of images with filters. */
function resolveConv(where: string, images: Named, filters: Named, options: Conv2dOptions): [number, Conv2d] {
  const [n, image] = image4(`${where}: ${images[0]}`, images[1]);
  const [name, filter] = filters;
  const { groups = 1, ...rest } = options;
  const channels = image[2]!;
  checkGroups(where, channels, filter[3] ?? 0, groups);
  checkFilter(`${where}: ${name}`, filter, channels, groups);
  const sliding = { ...rest, kernelSize: [filter[0]!, filter[1]!] } as const;
  const window = resolveWindow(where, image, readOptions(where, sliding, SLIDING, []));
  return [n, { window, f: filter[3]!, groups }];
}

function outputShape(n: number, { window, f }: Conv2d): Shape {
  return [n, window.oh, window.ow, f];
}

/** The filters as the pass reads them. */
function packFilters(
  scope: Scope,
  kernels: Kernels,
  pass: Pick<ConvPass<number[]>, "packed" | "pack">,
  window: number,
  filter: Tensor,
): number {
  const w = scope.operand(filter);
  const size = pass.packed(kernels, window);
  if (size === 0) return w;
  const packed = scope.allocate(size);
  pass.pack(kernels, window, w, packed);
  return packed;
}

/** `R = im2row(x)`: `[n, h, w, c]` → `[n·oh·ow, kh·kw·c]`. */
export function im2row(runtime: Runtime, given: Tensor, options: WindowOptions): OwnTensor {
  const sliding = readOptions("im2row", options, SLIDING, []);
  const x = readTensor("im2row: x", given, 4);
  const [n, image] = image4("im2row: x", x.shape);
  const window = resolveWindow("im2row", image, sliding);
  const shape = [n * window.oh * window.ow, window.kh * window.kw * window.c];
  return scoped(runtime, "im2row", (scope) => {
    const rows = scope.allocate(shape[0]! * shape[1]!);
    runtime.kernels.im2row(scope.window(window), n, scope.operand(x), rows);
    return scope.take(rows, shape);
  });
}

/** `x = col2im(R)`: `[n·oh·ow, kh·kw·c]` → `xShape`, the adjoint of `im2row`. */
export function col2im(runtime: Runtime, rows: Tensor, xShape: Shape, options: WindowOptions): OwnTensor {
  const sliding = readOptions("col2im", options, SLIDING, []);
  const given = readTensor("col2im: rows", rows, 2);
  const shape = readShape("col2im: xShape", xShape);
  const [n, image] = image4("col2im: xShape", shape);
  const window = resolveWindow("col2im", image, sliding);
  expectShape("col2im: rows", given.shape, [n * window.oh * window.ow, window.kh * window.kw * window.c]);
  return scoped(runtime, "col2im", (scope) => {
    const x = scope.allocate(n * window.h * window.w * window.c);
    runtime.kernels.col2im(scope.window(window), n, scope.operand(given), x);
    return scope.take(x, shape);
  });
}

export function conv2d(
  runtime: Runtime,
  images: Tensor,
  filters: Tensor,
  options: Conv2dForwardOptions = {},
): OwnTensor {
  checkOptions("conv2d", options, [...CONV_KEYS, "bias", "activation", "algorithm"]);
  const x = readTensor("conv2d: x", images, 4);
  const filter = readTensor("conv2d: filter", filters, 4);
  const { bias: added, activation = "linear", algorithm = "auto", ...rest } = options;
  const [n, conv] = resolveConv("conv2d", ["x", x.shape], ["filter", filter.shape], rest);
  const { name, code, alpha } = activationCode("conv2d", activation);
  const bias = added && readTensor("conv2d: bias", added);
  if (bias) expectShape("conv2d: bias", bias.shape, [conv.f]);
  const pass = forwardPass("conv2d", conv, algorithm);
  const shape = outputShape(n, conv);
  return scoped(runtime, "conv2d", (scope) => {
    const { kernels } = runtime;
    const window = scope.window(conv.window);
    const pixels = n * conv.window.oh * conv.window.ow;
    const y = scope.allocate(pixels * conv.f);
    const b = bias ? scope.operand(bias) : 0;
    const workspace = scope.allocate(pass.workspace(kernels, window));
    const fused = name === "softmax" ? 0 : code;
    const w = packFilters(scope, kernels, pass, window, filter);
    pass.run(kernels, window, n, scope.operand(x), w, b, y, fused, alpha, workspace);
    if (name === "softmax") kernels.softmaxForward(y, y, pixels, conv.f);
    return scope.take(y, shape);
  });
}

export function conv2dBackpropInput(
  runtime: Runtime,
  gradient: Tensor,
  filters: Tensor,
  imageShape: Shape,
  options: Conv2dOptions & { algorithm?: InputGradientAlgorithm } = {},
): OwnTensor {
  const where = "conv2dBackpropInput";
  checkOptions(where, options, [...CONV_KEYS, "algorithm"]);
  const dy = readTensor(`${where}: dy`, gradient, 4);
  const filter = readTensor(`${where}: filter`, filters, 4);
  const xShape = readShape(`${where}: xShape`, imageShape);
  const { algorithm = "auto", ...rest } = options;
  const [n, conv] = resolveConv(where, ["xShape", xShape], ["filter", filter.shape], rest);
  expectShape(`${where}: dy`, dy.shape, outputShape(n, conv));
  const pass = inputGradientPass(where, conv, algorithm);
  return scoped(runtime, where, (scope) => {
    const { kernels } = runtime;
    const window = scope.window(conv.window);
    const dx = scope.allocate(n * conv.window.h * conv.window.w * conv.window.c);
    const workspace = scope.allocate(pass.workspace(kernels, window));
    const w = packFilters(scope, kernels, pass, window, filter);
    pass.run(kernels, window, n, scope.operand(dy), w, dx, workspace);
    return scope.take(dx, xShape);
  });
}

export function conv2dBackpropFilter(
  runtime: Runtime,
  images: Tensor,
  gradient: Tensor,
  shape: Shape,
  options: Conv2dOptions & { algorithm?: ConvAlgorithm } = {},
): OwnTensor {
  const where = "conv2dBackpropFilter";
  checkOptions(where, options, [...CONV_KEYS, "algorithm"]);
  const x = readTensor(`${where}: x`, images, 4);
  const dy = readTensor(`${where}: dy`, gradient, 4);
  const filterShape = readShape(`${where}: filterShape`, shape);
  const { algorithm = "auto", ...rest } = options;
  const [n, conv] = resolveConv(where, ["x", x.shape], ["filterShape", filterShape], rest);
  expectShape(`${where}: dy`, dy.shape, outputShape(n, conv));
  const pass = filterGradientPass(where, conv, algorithm);
  return scoped(runtime, where, (scope) => {
    const { kernels } = runtime;
    const window = scope.window(conv.window);
    const dw = scope.allocate(filterShape.reduce((a, b) => a * b, 1));
    const workspace = scope.allocate(pass.workspace(kernels, window));
    pass.run(kernels, window, n, scope.operand(x), scope.operand(dy), dw, workspace);
    return scope.take(dw, filterShape);
  });
}
