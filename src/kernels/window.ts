import { OptionError, ShapeError } from "../errors.ts";
import { isCount, pairOf, show, sizePair, type Size } from "../options.ts";
import { shapeText, sizeOf, type Shape } from "../tensor.ts";
import type { Window } from "./kernels.ts";

export type { Window } from "./kernels.ts";

/**
 * `"same"` pads for ⌈size / stride⌉ outputs, with an odd row or column of padding at the bottom or right; `"valid"` does not
 * pad; or the numbers of rows and columns.
 */
export type Padding = "same" | "valid" | Margins;

export interface WindowOptions {
  kernelSize: Size;
  strides?: Size | undefined;
  padding?: Padding | undefined;
  dilationRate?: Size | undefined;
}

/** The window of one pixel. */
export const ONE_PIXEL = {
  kh: 1,
  kw: 1,
  oh: 1,
  ow: 1,
  strideH: 1,
  strideW: 1,
  dilationH: 1,
  dilationW: 1,
  top: 0,
  left: 0,
} as const;

/** The readers of a window's options. */
export const SLIDING = {
  kernelSize: sizePair,
  strides: [sizePair, 1],
  padding: [checkPadding, "valid"],
  dilationRate: [sizePair, 1],
} as const;

type Pair = readonly [number, number];

/** Such options as they were read. */
export interface Sliding {
  readonly kernelSize: Pair;
  readonly strides: Pair;
  readonly padding: Padding;
  readonly dilationRate: Pair;
}

/** The most elements of an image with its padding, because kernels count them in 32 bits. */
const MOST = 2 ** 30;

/** The numbers of rows above and below, and of columns on the left and right. */
export type Margins = readonly [
  rows: readonly [top: number, bottom: number],
  columns: readonly [left: number, right: number],
];

/** The pairs, unless one of their elements is no integer ≥ 0. */
export function marginsOf(
  pairs: readonly (readonly [unknown, unknown] | undefined)[] | undefined,
): Margins | undefined {
  return pairs?.every((pair) => pair?.every(isCount)) ? (pairs as unknown as Margins) : undefined;
}

/** Returns a copy of a padding. @throws OptionError naming `where` unless it has one of the three forms */
export function checkPadding(where: string, padding: unknown): Padding {
  if (padding === "same" || padding === "valid") return padding;
  const own = marginsOf(pairOf(padding)?.map(pairOf));
  if (own) return own;
  throw new OptionError(
    `${where}: expected "same", "valid" or [[top, bottom], [left, right]] of integers ≥ 0, got ${show(padding)}`,
  );
}

/** The sizes of an image. @throws ShapeError naming `where` unless the shape has three dimensions */
export function imageOf(where: string, shape: Shape): readonly [h: number, w: number, c: number] {
  if (shape.length === 3) return shape as readonly [number, number, number];
  throw new ShapeError(`${where}: expected an image [height, width, channels], got ${shapeText(shape)}`);
}

/** @throws ShapeError naming `where` unless kernels can count the elements of an image */
export function checkElements(where: string, image: Shape, besides = ""): void {
  if (sizeOf(image) <= MOST) return;
  throw new ShapeError(
    `${where}: expected at most ${MOST} elements in an image${besides}, got ${shapeText(image)}`,
  );
}

interface Axis {
  size: number;
  /** The padding before the image, and the total of both sides. */
  pad: number;
  padding: number;
}

/** The output size and the padding along the axis that is called `name`. */
function axis(
  where: string,
  name: string,
  input: number,
  kernel: number,
  stride: number,
  dilation: number,
  padding: "same" | "valid" | readonly [number, number],
): Axis {
  const reach = (kernel - 1) * dilation + 1;
  if (padding === "same") {
    const size = Math.ceil(input / stride);
    const total = Math.max(0, (size - 1) * stride + reach - input);
    return { size, pad: Math.floor(total / 2), padding: total };
  }
  const before = padding === "valid" ? 0 : padding[0];
  const after = padding === "valid" ? 0 : padding[1];
  const spare = input + before + after - reach;
  if (spare < 0) {
    throw new ShapeError(
      `${where}: ${name}: expected an image of at least ${reach} with its padding, got ${input} + ${before} + ${after}`,
    );
  }
  return { size: Math.floor(spare / stride) + 1, pad: before, padding: before + after };
}

/**
 * The window that `options` describe over an image of shape `[h, w, c]`. Each plan asks for that of every convolution: numbers
 * are taken by their index, since iterators of so many pairs cost more than the arithmetic.
 * @throws ShapeError naming `where`.
 */
export function resolveWindow(where: string, image: Shape, options: Sliding): Window {
  const { 0: h, 1: w, 2: c } = imageOf(where, image);
  const { padding } = options;
  const { 0: kh, 1: kw } = options.kernelSize;
  const { 0: strideH, 1: strideW } = options.strides;
  const { 0: dilationH, 1: dilationW } = options.dilationRate;
  const isNamed = typeof padding === "string";
  const vertical = axis(where, "height", h, kh, strideH, dilationH, isNamed ? padding : padding[0]);
  const horizontal = axis(where, "width", w, kw, strideW, dilationW, isNamed ? padding : padding[1]);
  checkElements(where, [h + vertical.padding, w + horizontal.padding, c], " with its padding");
  const { size: oh, pad: top } = vertical;
  const { size: ow, pad: left } = horizontal;
  return { h, w, c, kh, kw, oh, ow, strideH, strideW, dilationH, dilationW, top, left };
}
