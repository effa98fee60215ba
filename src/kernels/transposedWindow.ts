import { OptionError, ShapeError } from "../errors.ts";
import { isCount, pairOf, show } from "../options.ts";
import { shapeText } from "../tensor.ts";
import type { Shape } from "../tensor.ts";
import { imageOf, resolveWindow, type Sliding, type Window } from "./window.ts";

/** The rows and columns that are added to a transposed convolution's smallest output: one number ≥ 0, or one for each. */
export type OutputPadding = number | readonly [rows: number, columns: number];

/** The options as they were read. */
export interface TransposedSliding extends Sliding {
  readonly outputPadding?: readonly [number, number];
}

/** Returns a copy of the padding as a pair. @throws OptionError unless it is of integers ≥ 0 and below the strides */
export function checkOutputPadding(
  where: string,
  padding: unknown,
  strides: readonly [number, number],
): [number, number] {
  const pair = Array.isArray(padding) ? pairOf(padding) : [padding, padding];
  const fits = (size: unknown, i: number): boolean => isCount(size) && size < strides[i]!;
  if (pair?.every(fits)) return pair as [number, number];
  throw new OptionError(
    `${where}: expected integers from 0 and below the strides ${shapeText(strides)}, got ${show(padding)}`,
  );
}

/** Along one axis: the size of the output, and the padding of the convolution that goes from there to the input. */
function outputAxis(
  where: string,
  input: number,
  reach: number,
  stride: number,
  padding: "same" | "valid" | readonly [number, number],
  extra: number | undefined,
): { size: number; pads: readonly [number, number] } {
  const full = (input - 1) * stride + reach;
  let size = full + (extra ?? 0);
  if (typeof padding !== "string") size -= padding[0] + padding[1];
  else if (extra === undefined) size = padding === "same" ? input * stride : Math.max(full, input * stride);
  else if (padding === "same") size -= 2 * Math.floor(reach / 2);
  if (size < 1)
    throw new ShapeError(`${where}: expected an output of at least 1 with its padding, got ${size}`);
  if (typeof padding !== "string") return { size, pads: padding };
  const total = padding === "same" ? Math.max(0, full - size) : 0;
  return { size, pads: [Math.floor(total / 2), Math.ceil(total / 2)] };
}

/**
 * The window of the convolution whose input gradient is the transposed convolution. It slides over the output
 * `[oh, ow, filters]` and has one position for each pixel of the image `[h, w, c]`.
 *
 * The output has (h − 1)·stride + reach + `outputPadding` rows, where reach = (kernel − 1)·dilation + 1, less the explicit
 * padding, or less 2·⌊reach / 2⌋ for `"same"`. Without `outputPadding`, `"same"` gives h·stride rows and `"valid"` at least
 * as many, as in Keras.
 * @throws ShapeError naming `where`.
 */
export function transposedWindow(
  where: string,
  image: Shape,
  filters: number,
  options: TransposedSliding,
): Window {
  const [h, w] = imageOf(where, image);
  const { kernelSize, strides, dilationRate, padding, outputPadding = [undefined, undefined] } = options;
  const axis = (i: 0 | 1, name: string, input: number): ReturnType<typeof outputAxis> => {
    const reach = (kernelSize[i] - 1) * dilationRate[i] + 1;
    const own = typeof padding === "string" ? padding : padding[i];
    return outputAxis(`${where}: ${name}`, input, reach, strides[i], own, outputPadding[i]);
  };
  const [rows, columns] = [axis(0, "height", h), axis(1, "width", w)];
  const sliding = { kernelSize, strides, dilationRate, padding: [rows.pads, columns.pads] as const };
  return resolveWindow(where, [rows.size, columns.size, filters], sliding);
}
