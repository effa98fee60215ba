import { OptionError, ShapeError } from "../errors.ts";
import { isInteger, readOptions, show } from "../options.ts";
import { shapeText, sizeOf, type Shape } from "../tensor.ts";
import type { BuildContext, Gradient, Layer, Pass } from "./contract.ts";
import { several } from "./merge.ts";
import { layerOf, typeOfInputs } from "./symbolic.ts";

/** True for an axis that counts the batch as 0, or from the last as -1, and is not the batch. */
export const isAxis = (value: unknown): value is number => isInteger(value) && value !== 0;

/** @throws OptionError unless `value` is such an axis */
export function readAxis(where: string, value: unknown): number {
  if (isAxis(value)) return value;
  throw new OptionError(`${where}: expected an integer other than 0, the batch, got ${show(value)}`);
}

/** Converts an axis that counts the batch as 0 to an index into the shape of one image. @throws ShapeError */
export function imageAxis(axis: number, rank: number, where: string): number {
  const own = axis < 0 ? rank + axis : axis - 1;
  if (own >= 0 && own < rank) return own;
  throw new ShapeError(
    `${where}: axis: expected from 1 to ${rank} or from -${rank} to -1 for ${rank} dimensions besides the batch, got ${axis}`,
  );
}

/**
 * Joins values along an axis, the only one in which their sizes may differ. `axis` counts the batch as 0; the default is
 * the last axis, the channels.
 * @throws OptionError unless `axis` is an integer.
 */
export function concatenate(options: { axis?: number | undefined; name?: string | undefined } = {}): Layer {
  const config = readOptions("concatenate", options, { axis: [readAxis, -1] });
  const { axis } = config;
  return layerOf({
    type: "concatenate",
    outputType: typeOfInputs,
    name: options.name,
    config,
    outputShape: (inputs, where) => joinedShape(inputs, axis, where),
    build: (context) => joiningPass(context, axis),
  });
}

/** The shape of values that are joined along an axis. @throws ShapeError */
function joinedShape(inputs: readonly Shape[], axis: number, where: string): Shape {
  const first = several(inputs, where);
  const along = imageAxis(axis, first.length, where);
  const other = inputs.find(
    (shape) => shape.length !== first.length || shape.some((size, i) => i !== along && size !== first[i]),
  );
  if (other) {
    throw new ShapeError(
      `${where}: expected inputs that differ in axis ${axis} alone, got ${shapeText(first)} and ${shapeText(other)}`,
    );
  }
  return first.map((size, i) => (i === along ? inputs.reduce((sum, shape) => sum + shape[along]!, 0) : size));
}

/** The layout of the output: each row holds the rows of all values side by side. */
interface Columns {
  /** The number of rows in one image's output, and their length. */
  readonly rows: number;
  readonly row: number;
  /** By value: the length of its part of a row, and the number of bytes before that part. */
  readonly widths: readonly number[];
  readonly starts: readonly number[];
}

function columnsOf({ name, inputs, output }: BuildContext, axis: number): Columns {
  const along = imageAxis(axis, output.length, name);
  const widths = inputs.map((shape) => sizeOf(shape.slice(along)));
  let end = 0;
  const starts = widths.map((width) => 4 * ((end += width) - width));
  return { rows: sizeOf(output.slice(0, along)), row: sizeOf(output.slice(along)), widths, starts };
}

function joiningPass(context: BuildContext, axis: number): Pass<Columns> {
  const { kernels, xs, y } = context;
  const columns = columnsOf(context, axis);
  const { rows, row, widths, starts } = columns;
  const forward = (n: number): void => {
    for (let i = 0; i < xs.length; i++) {
      const width = widths[i]!;
      kernels.copyRows(n * rows, width, xs[i]!.pointer, width, y.pointer + starts[i]!, row);
    }
  };
  return { forward, state: columns };
}

/** The gradient of each value is its part of dy. */
export const concatenateGradient: Gradient<Columns> = (context, { rows, row, widths, starts }) => {
  const { kernels, dxs, dy } = context;
  return (n) => {
    for (let i = 0; i < dxs.length; i++) {
      const width = widths[i]!;
      const dx = dxs[i];
      if (dx) kernels.copyRows(n * rows, width, dy.pointer + starts[i]!, row, dx.pointer, width);
    }
  };
};
