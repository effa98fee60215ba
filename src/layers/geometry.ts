/** Layers that move pixels without any arithmetic. */
import { transposition } from "../kernels/transposition.ts";
import {
  checkElements,
  imageOf,
  marginsOf,
  ONE_PIXEL,
  type Margins,
  type Window,
} from "../kernels/window.ts";
import { OptionError, ShapeError } from "../errors.ts";
import { isInteger, listOf, pairOf, readOptions, show } from "../options.ts";
import { shapeText, sizeOf, type Shape } from "../tensor.ts";
import { onlyInput, type Gradient, type Layer, type Pass } from "./contract.ts";
import { layerOf, typeOfInputs } from "./symbolic.ts";

function readTarget(where: string, value: unknown): number[] {
  const isSize = (size: unknown): size is number => isInteger(size) && (size > 0 || size === -1);
  const target = listOf(value, isSize);
  if (target?.length && target.filter((size) => size === -1).length <= 1) return target;
  throw new OptionError(`${where}: expected positive integers, one of which may be -1, got ${show(value)}`);
}

/**
 * Gives the same numbers another shape. One size may be -1; it is inferred from the others. Nothing is copied.
 * @throws OptionError unless `targetShape` is a list of positive integers, with at most one -1.
 */
export function reshape(options: { targetShape: Shape; name?: string | undefined }): Layer {
  const config = readOptions("reshape", options, { targetShape: readTarget });
  const { targetShape: target } = config;
  return layerOf({
    type: "reshape",
    outputType: typeOfInputs,
    name: options.name,
    config,
    isView: () => true,
    outputShape(inputs, where) {
      const input = onlyInput(inputs, where);
      const size = sizeOf(input);
      const known = sizeOf(target.filter((each) => each > 0));
      const open = target.includes(-1);
      if (open ? size % known !== 0 : size !== known) {
        const wanted = open ? `a multiple of ${known}` : `${known}`;
        throw new ShapeError(
          `${where}: expected ${wanted} elements for ${JSON.stringify(target)}, got ${size} (${shapeText(input)})`,
        );
      }
      return target.map((each) => (each > 0 ? each : size / known));
    },
    build: () => ({ forward: () => {} }),
  });
}

function readDims(where: string, value: unknown): number[] {
  const dims = listOf(value, isInteger);
  if (dims?.length && dims.every((_, i) => dims.includes(i + 1))) return dims;
  throw new OptionError(`${where}: expected the axes 1, 2 … in any order, got ${show(value)}`);
}

/**
 * Reorders the axes of an image: axis `i` of the output is axis `dims[i]` of the input, counted from 1.
 * @throws OptionError unless `dims` holds each of 1, 2 … once.
 */
export function permute(options: { dims: readonly number[]; name?: string | undefined }): Layer {
  const config = readOptions("permute", options, { dims: readDims });
  const perm = config.dims.map((axis) => axis - 1);
  return layerOf({
    type: "permute",
    outputType: typeOfInputs,
    name: options.name,
    config,
    isView: () => perm.every((axis, i) => axis === i),
    outputShape(inputs, where) {
      const input = onlyInput(inputs, where);
      if (input.length === perm.length) return perm.map((axis) => input[axis]!);
      throw new ShapeError(`${where}: expected ${perm.length} dimensions, got ${shapeText(input)}`);
    },
    build({ kernels, inputs, x, y, table }): Pass<readonly number[]> {
      const input = onlyInput(inputs);
      const size = sizeOf(input);
      const there = transposition(input, perm);
      const axes = table(there.table);
      const forward = (n: number): void => kernels.transpose(there.rank, axes, n, size, x.pointer, y.pointer);
      return { forward, state: perm };
    },
  });
}

/** The gradient is permuted back into the order of the input's axes. */
export const permuteGradient: Gradient<readonly number[]> = (context, perm) => {
  const { kernels, output, dx, dy, table } = context;
  const size = sizeOf(output);
  const back = transposition(
    output,
    perm.map((_, axis) => perm.indexOf(axis)),
  );
  const axes = table(back.table);
  return (n) => kernels.transpose(back.rank, axes, n, size, dy.pointer, dx!.pointer);
};

/** One number for all sides, one for rows and one for columns, or one for each side. */
export type Margin = number | readonly [rows: number, columns: number] | Margins;

/** Brings a margin to the longest of its three forms. @throws OptionError unless it has one of them */
function checkMargin(where: string, margin: Margin): Margins {
  const pair = Array.isArray(margin) ? pairOf(margin) : [margin, margin];
  const sides = marginsOf(pair?.map(pair.every(Array.isArray) ? pairOf : (side) => [side, side]));
  if (sides) return sides;
  throw new OptionError(
    `${where}: expected an integer ≥ 0, [rows, columns] or [[top, bottom], [left, right]] of them, got ${show(margin)}`,
  );
}

/**
 * Adds rows and columns to an image, or removes them for a `sign` of -1. The kernel copies patches of one pixel each, whose
 * window starts outside of the image or inside of it.
 */
function framed(
  type: string,
  name: string | undefined,
  config: object,
  margins: Margins,
  sign: 1 | -1,
): Layer {
  const [[top, bottom], [left, right]] = margins;
  const windowOf = (image: Shape, where: string): Window => {
    const [h, w, c] = imageOf(where, image);
    const [oh, ow] = [h + sign * (top + bottom), w + sign * (left + right)];
    if (oh < 1 || ow < 1) {
      throw new ShapeError(
        `${where}: expected an image of more than ${top + bottom}×${left + right} pixels, got ${h}×${w}`,
      );
    }
    checkElements(where, [oh, ow, c]);
    return { ...ONE_PIXEL, h, w, c, oh, ow, top: sign * top, left: sign * left };
  };
  return layerOf({
    type,
    name,
    config,
    isView: () => top + bottom + left + right === 0,
    outputShape(inputs, where) {
      const { oh, ow, c } = windowOf(onlyInput(inputs, where), where);
      return [oh, ow, c];
    },
    build(context): Pass<number> {
      const { kernels, x, y } = context;
      const struct = context.window(windowOf(onlyInput(context.inputs), context.name));
      return { forward: (n) => kernels.im2row(struct, n, x.pointer, y.pointer), state: struct };
    },
  });
}

/** The gradient of each pixel is that of the patch it was copied to; `window` is the address of the window's struct. */
export const framedGradient: Gradient<number> = (context, window) => {
  const { kernels, dx, dy } = context;
  return (n) => kernels.col2im(window, n, dy.pointer, dx!.pointer);
};

/**
 * Adds zeros around an image: `[h, w, c]` → `[top + h + bottom, left + w + right, c]`. Default: one on each side.
 * @throws OptionError unless `padding` is a margin.
 */
export function zeroPadding2d(
  options: { padding?: Margin | undefined; name?: string | undefined } = {},
): Layer {
  const config = readOptions("zeroPadding2d", options, { padding: [checkMargin, 1] });
  return framed("zeroPadding2d", options.name, config, config.padding, 1);
}

/**
 * Removes the margins of an image: `[h, w, c]` → `[h − top − bottom, w − left − right, c]`.
 * @throws OptionError unless `cropping` is a margin.
 */
export function cropping2d(options: { cropping: Margin; name?: string | undefined }): Layer {
  const config = readOptions("cropping2d", options, { cropping: checkMargin });
  return framed("cropping2d", options.name, config, config.cropping, -1);
}
