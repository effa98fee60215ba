import { OptionError, ShapeError } from "../errors.ts";
import { pairOf, show, sizePair, type Size } from "../options.ts";
import { shapeText, sizeOf, type Shape } from "../tensor.ts";
import type { Window } from "./kernels.ts";

export type { Window } from "./kernels.ts";

/**
 * `"same"` pads for ⌈size / stride⌉ outputs, with an odd row or column of padding at the bottom or right; `"valid"` does not
 * pad; or the numbers of rows and columns.
 */
export type Padding =
  | "same"
  | "valid"
  | readonly [rows: readonly [top: number, bottom: number], columns: readonly [left: number, right: number]];

export interface WindowOptions {
  kernelSize: Size;
  strides?: Size | undefined;
  padding?: Padding | undefined;
  dilationRate?: Size | undefined;
}

/** The most elements of an image with its padding, because kernels count them in 32 bits. */
const MOST = 2 ** 30;

/** Returns a copy of a padding. @throws OptionError naming `where` unless it has one of the three forms */
export function checkPadding(where: string, padding: unknown): Padding {
  if (padding === "same" || padding === "valid") return padding;
  const own = pairOf(padding)?.map(pairOf);
  const isPad = (v: unknown): boolean => Number.isInteger(v) && (v as number) >= 0;
  if (own?.every((pair) => pair?.every(isPad))) return own as [[number, number], [number, number]];
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

/** The output size and the padding along one axis. */
function axis(
  where: string,
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
  const [before, after] = padding === "valid" ? [0, 0] : padding;
  const spare = input + before + after - reach;
  if (spare < 0) {
    throw new ShapeError(
      `${where}: expected an image of at least ${reach} with its padding, got ${input} + ${before} + ${after}`,
    );
  }
  return { size: Math.floor(spare / stride) + 1, pad: before, padding: before + after };
}

/**
 * The window that `options` describe over an image of shape `[h, w, c]`.
 * @throws OptionError, ShapeError naming `where`.
 */
export function resolveWindow(where: string, image: Shape, options: WindowOptions): Window {
  const [h, w, c] = imageOf(where, image);
  const { strides = 1, dilationRate = 1 } = options;
  const [kh, kw] = sizePair(`${where}: kernelSize`, options.kernelSize);
  const [strideH, strideW] = sizePair(`${where}: strides`, strides);
  const [dilationH, dilationW] = sizePair(`${where}: dilationRate`, dilationRate);
  const padding = checkPadding(`${where}: padding`, options.padding ?? "valid");
  const [rows, columns] = typeof padding === "string" ? [padding, padding] : padding;
  const vertical = axis(`${where}: height`, h, kh, strideH, dilationH, rows);
  const horizontal = axis(`${where}: width`, w, kw, strideW, dilationW, columns);
  checkElements(where, [h + vertical.padding, w + horizontal.padding, c], " with its padding");
  const [oh, ow, top, left] = [vertical.size, horizontal.size, vertical.pad, horizontal.pad];
  return { h, w, c, kh, kw, oh, ow, strideH, strideW, dilationH, dilationW, top, left };
}
