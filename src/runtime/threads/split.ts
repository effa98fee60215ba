import { CODES } from "../../kernels/activation.ts";
import type { Kernels } from "../../kernels/kernels.ts";

/**
 * The work of a call, from its arguments: multiply-adds of a matrix product, and for the rest as many as take the same
 * time. `ints` is the memory, where windows are.
 */
export type Work<Arguments extends readonly unknown[]> = (ints: Int32Array, ...args: Arguments) => number;

/** Multiply-adds in the time that one element takes: to copy, to add, to be divided, to go through `exp`, `log` or `pow`. */
const COPY = 3;
const SCATTER = 8;
const DIVIDE = 12;
const EXP = 25;
const LOG = 700;
const POWER = 3000;
/** A depthwise product reads as much as it multiplies. */
const DEPTHWISE = 2;
/** The 36 values of a filter of Winograd's algorithm. */
const TRANSFORM = 100;

/** Of the functions of one element as `assembly/elementwise/unary.ts` numbers them; of those behind, COPY. */
const UNARY = [COPY, COPY, DIVIDE, DIVIDE, EXP, LOG, EXP, DIVIDE, COPY, COPY, EXP];
/** As `assembly/elementwise/broadcast.ts` numbers it. */
const POW = 6;
/** Activations without an exponential. */
const SIMPLE: readonly number[] = [
  CODES.linear,
  CODES.relu,
  CODES.leakyRelu,
  CODES.relu6,
  CODES.hardSigmoid,
  CODES.hardSwish,
];

/** An element's way through an activation, or back; before softplus the output tells the slope. */
const costOf = (kind: number, backward = false): number =>
  SIMPLE.includes(kind) || (backward && kind < CODES.softplus) ? COPY : EXP;

/** Output pixels of `n` images. */
const pixels = (ints: Int32Array, window: number, n: number): number =>
  n * ints[(window >>> 2) + 5]! * ints[(window >>> 2) + 6]!;

/** Elements of a patch. */
const patch = (ints: Int32Array, window: number): number =>
  ints[(window >>> 2) + 2]! * ints[(window >>> 2) + 3]! * ints[(window >>> 2) + 4]!;

const unfolded = (ints: Int32Array, window: number, n: number): number =>
  pixels(ints, window, n) * patch(ints, window);

const convolution = (ints: Int32Array, window: number, n: number, f: number, groups: number): number =>
  (unfolded(ints, window, n) * f) / groups;

/** Winograd's algorithm multiplies a quarter as often as the definition. */
const winograd = (ints: Int32Array, window: number, n: number, f: number): number =>
  (unfolded(ints, window, n) * f) / 4;

/** Elements of one image that a table of axes describes. */
const elements = (ints: Int32Array, rank: number, axes: number): number => {
  let product = 1;
  for (let i = 0; i < rank; i++) product *= ints[(axes >>> 2) + 2 * i]!;
  return product;
};

/** Taps of a table for `to` elements, or as many as these. */
const tapsOf = (ints: Int32Array, table: number, to: number): number =>
  Math.max(to, ints[(table >>> 2) + 1 + to]!);

const copied = (ints: Int32Array, window: number, n: number): number => COPY * unfolded(ints, window, n);
const scattered = (ints: Int32Array, window: number, n: number): number =>
  SCATTER * unfolded(ints, window, n);
const depthwise = (ints: Int32Array, window: number, n: number): number =>
  DEPTHWISE * unfolded(ints, window, n);

/**
 * The kernels that split, each with its work: all threads call them with the same arguments, and each computes its share
 * of the outputs. The others run on the calling thread.
 */
export const SPLIT: { readonly [Name in keyof Kernels]?: Work<Parameters<Kernels[Name]>> } = {
  gemm: (_, _a, _b, m, n, k) => m * n * k,
  conv2dPackFilters: (ints, window, f, groups) => (COPY * patch(ints, window) * f) / groups,
  conv2dForward: convolution,
  conv2dBackpropFilter: convolution,
  conv2dBackpropInputCol2im: convolution,
  conv2dBackpropInputFlipped: convolution,
  winogradPackFilters: (_, c, f) => TRANSFORM * c * f,
  winogradPackRotatedFilters: (_, c, f) => TRANSFORM * c * f,
  winogradForward: winograd,
  winogradBackpropFilter: winograd,
  winogradBackpropInput: winograd,
  depthwiseConv2dForward: depthwise,
  depthwiseConv2dBackpropFilter: depthwise,
  depthwiseConv2dBackpropInput: depthwise,
  biasGradient: (_, rows, f) => COPY * rows * f,
  activationForward: (_, kind, _alpha, _x, _y, n) => costOf(kind) * n,
  activationBackward: (_, kind, _alpha, _y, _dy, _dx, n) => costOf(kind, true) * n,
  softmaxForward: (_, _x, _y, rows, cols) => EXP * rows * cols,
  softmaxBackward: (_, _y, _dy, _dx, rows, cols) => COPY * rows * cols,
  logSoftmaxForward: (_, _x, _y, rows, cols) => EXP * rows * cols,
  logSoftmaxBackward: (_, _y, _dy, _dx, rows, cols) => EXP * rows * cols,
  unaryForward: (_, kind, _alpha, _beta, _x, _y, n) => (UNARY[kind] ?? COPY) * n,
  unaryBackward: (_, kind, _alpha, _beta, _x, _dy, _dx, n) => Math.min(UNARY[kind] ?? COPY, EXP) * n,
  broadcastForward: (ints, kind, layout, n) => (kind === POW ? POWER : COPY) * n * ints[(layout >>> 2) + 1]!,
  reduceForward: (ints, _kind, layout, n) => COPY * n * ints[(layout >>> 2) + 2]! * ints[(layout >>> 2) + 3]!,
  normalizeStatistics: (_, images, rows, c) => SCATTER * images * rows * c,
  normalizeForward: (_, images, rows, c) => COPY * images * rows * c,
  normalizeBackward: (_, images, rows, c) => 2 * SCATTER * images * rows * c,
  addForward: (_, _a, _b, _y, n) => COPY * n,
  addActivated: (_, kind, _alpha, _a, _b, _y, n) => costOf(kind) * n,
  multiplyForward: (_, _a, _b, _y, n) => COPY * n,
  subtractForward: (_, _a, _b, _y, n) => COPY * n,
  maximumForward: (_, _a, _b, _y, n) => COPY * n,
  maximumBackward: (_, _x, _y, _dy, _dx, n) => COPY * n,
  scaleForward: (_, _scale, _x, _y, n) => COPY * n,
  copyRows: (_, rows, cols) => COPY * rows * cols,
  transpose: (ints, rank, axes, n) => COPY * n * elements(ints, rank, axes),
  resizeForward: (_, _rows, _columns, n, _h, _w, c, oh, ow) => SCATTER * n * oh * ow * c,
  resizeBackward: (_, _rows, _columns, n, _h, _w, c, oh, ow) => 2 * SCATTER * n * oh * ow * c,
  tapsForward: (ints, table, outer, _from, to, inner) => COPY * tapsOf(ints, table, to) * outer * inner,
  tapsBackward: (ints, table, outer, _from, to, inner) => SCATTER * tapsOf(ints, table, to) * outer * inner,
  addRowsForward: (_, images, rows, c) => COPY * images * rows * c,
  addRowsBackward: (_, images, rows, c) => COPY * images * rows * c,
  multiplyRowsForward: (_, images, rows, c) => COPY * images * rows * c,
  multiplyRowsBackward: (_, images, rows, c) => SCATTER * images * rows * c,
  preluForward: (_, rows, c) => COPY * rows * c,
  preluBackpropInput: (_, rows, c) => COPY * rows * c,
  preluBackpropAlpha: (_, rows, c) => SCATTER * rows * c,
  sgdStep: (_, _w, _g, _v, n) => COPY * n,
  adamStep: (_, _w, _g, _m, _v, n) => DIVIDE * n,
  maxPool2dForward: scattered,
  maxPool2dBackward: (_, n, _dy, _argmax, _dx, ySize) => SCATTER * n * ySize,
  averagePool2dForward: copied,
  averagePool2dBackward: scattered,
  globalAveragePool2dForward: (_, n, size, c) => COPY * n * size * c,
  globalAveragePool2dBackward: (_, n, size, c) => COPY * n * size * c,
};
