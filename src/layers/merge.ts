/** Layers that make one value of several. */
import type { Kernels } from "../kernels/kernels.ts";
import { OptionError, ShapeError } from "../errors.ts";
import { checkOptions, show } from "../options.ts";
import { sameShape, shapeText, sizeOf, type Shape } from "../tensor.ts";
import type { Buffer, BuildContext, Layer, LayerDefinition, Pass } from "./layer.ts";
import { addRow, multiplyRow, rowPair } from "./perChannel.ts";
import { defineLayer } from "./symbolic.ts";

/** @throws ShapeError unless there are at least two shapes */
function several(inputs: readonly Shape[], where: string): Shape {
  if (inputs.length >= 2) return inputs[0]!;
  throw new ShapeError(`${where}: expected at least two inputs, got ${inputs.length}`);
}

/** The one shape of all inputs. @throws ShapeError */
function sameShapes(inputs: readonly Shape[], where: string, besides = ""): Shape {
  const first = several(inputs, where);
  const other = inputs.find((shape) => !sameShape(shape, first));
  if (!other) return first;
  throw new ShapeError(
    `${where}: expected inputs of one shape${besides}, got ${shapeText(first)} and ${shapeText(other)}`,
  );
}

/** The shape of a sum or product: the one of all inputs, or that of an image beside a row. @throws ShapeError */
function combinedShape(inputs: readonly Shape[], where: string): Shape {
  const pair = rowPair(inputs);
  if (pair) return inputs[pair.image]!;
  return sameShapes(inputs, where, ", or an image and a row of its channels");
}

type Combine = Kernels["addForward"];

/** `y = a ∘ b ∘ …` from left to right, the last operand by `last`. */
function inTurn(
  combine: Combine,
  last: Combine,
  xs: readonly Buffer[],
  y: Buffer,
  size: number,
): Pass["forward"] {
  return (n) => {
    let from = xs[0]!.pointer;
    for (let i = 1; i < xs.length; i++) {
      const step = i === xs.length - 1 ? last : combine;
      step(from, xs[i]!.pointer, y.pointer, n * size);
      from = y.pointer;
    }
  };
}

/** What one of these layers does to `size` elements an image. */
type Build = (context: BuildContext, size: number) => Pass;

function merging(
  type: string,
  options: { name?: string },
  definition: Pick<LayerDefinition, "backwardReads" | "outputShape" | "role" | "takes" | "overwrites"> & {
    build: Build;
  },
): Layer {
  checkOptions(type, options, ["name"]);
  const { build, ...rest } = definition;
  return defineLayer({
    type,
    name: options.name,
    config: {},
    isView: () => false,
    weights: () => [],
    ...rest,
    build: (context) => build(context, sizeOf(context.output)),
  });
}

/**
 * The sum of values of one shape, from left to right: what a residual connection does. Or of an image and a row, `[c]` or
 * `[1, 1, c]`, that is added to each pixel.
 */
export function add(options: { name?: string } = {}): Layer {
  return merging("add", options, {
    backwardReads: { x: false, y: false },
    role: { kind: "sum" },
    takes: ["activation"],
    overwrites: [0, 1],
    outputShape: combinedShape,
    build(context, size) {
      const pair = rowPair(context.inputs);
      if (pair) return addRow(context, pair);
      const { kernels, xs, y, dxs, dy, backward, epilogue } = context;
      const { code, alpha } = epilogue.activation ?? { code: 0, alpha: 0 };
      const last: Combine = (a, b, to, n) => kernels.addActivated(code, alpha, a, b, to, n);
      const forward = inTurn(kernels.addForward, last, xs, y, size);
      if (!backward) return { forward };
      return {
        forward,
        backward(n) {
          for (const dx of dxs) {
            if (dx) kernels.copyRows(n, size, dy.pointer, size, dx.pointer, size);
          }
        },
      };
    },
  });
}

/**
 * The product of values of one shape, element by element, from left to right. Or of an image and a row, `[c]` or
 * `[1, 1, c]`, with which each pixel is multiplied: the gate of squeeze and excitation.
 */
export function multiply(options: { name?: string } = {}): Layer {
  return merging("multiply", options, {
    backwardReads: { x: true, y: false },
    overwrites: [0, 1],
    outputShape: combinedShape,
    build(context, size) {
      const pair = rowPair(context.inputs);
      if (pair) return multiplyRow(context, pair);
      const { kernels, xs, y, dxs, dy, backward } = context;
      const forward = inTurn(kernels.multiplyForward, kernels.multiplyForward, xs, y, size);
      if (!backward) return { forward };
      return {
        forward,
        backward(n) {
          // dy times all factors but one: exact about zeros, which y divided by the factor is not.
          for (let i = 0; i < dxs.length; i++) {
            const dx = dxs[i];
            if (!dx) continue;
            let from = dy.pointer;
            for (let j = 0; j < xs.length; j++) {
              if (j === i) continue;
              kernels.multiplyForward(from, xs[j]!.pointer, dx.pointer, n * size);
              from = dx.pointer;
            }
          }
        },
      };
    },
  });
}

/** The first value less the second, of one shape. */
export function subtract(options: { name?: string } = {}): Layer {
  return merging("subtract", options, {
    backwardReads: { x: false, y: false },
    outputShape(inputs, where) {
      if (inputs.length === 2) return sameShapes(inputs, where);
      throw new ShapeError(`${where}: expected two inputs, got ${inputs.length}`);
    },
    build({ kernels, xs, y, dxs, dy, backward }, size) {
      const forward = inTurn(kernels.subtractForward, kernels.subtractForward, xs, y, size);
      if (!backward) return { forward };
      const [da, db] = dxs;
      return {
        forward,
        backward(n) {
          if (da) kernels.copyRows(n, size, dy.pointer, size, da.pointer, size);
          if (db) kernels.scaleForward(-1, dy.pointer, db.pointer, n * size);
        },
      };
    },
  });
}

/** The mean of values of one shape: their sum from left to right, times 1 / their number. */
export function average(options: { name?: string } = {}): Layer {
  return merging("average", options, {
    backwardReads: { x: false, y: false },
    outputShape: (inputs, where) => sameShapes(inputs, where),
    build({ kernels, xs, y, dxs, dy, backward }, size) {
      const sum = inTurn(kernels.addForward, kernels.addForward, xs, y, size);
      const share = 1 / xs.length;
      const forward = (n: number): void => {
        sum(n);
        kernels.scaleForward(share, y.pointer, y.pointer, n * size);
      };
      if (!backward) return { forward };
      return {
        forward,
        backward(n) {
          for (const dx of dxs) if (dx) kernels.scaleForward(share, dy.pointer, dx.pointer, n * size);
        },
      };
    },
  });
}

/** The largest of values of one shape, element by element. The gradient goes to the first of equals. */
export function maximum(options: { name?: string } = {}): Layer {
  return merging("maximum", options, {
    backwardReads: { x: true, y: true },
    outputShape: (inputs, where) => sameShapes(inputs, where),
    build({ kernels, xs, y, dxs, dy, backward }, size) {
      const forward = inTurn(kernels.maximumForward, kernels.maximumForward, xs, y, size);
      if (!backward) return { forward };
      return {
        forward,
        backward(n) {
          for (let i = 0; i < xs.length; i++) {
            kernels.maximumBackward(xs[i]!.pointer, y.pointer, dy.pointer, dxs[i]?.pointer ?? 0, n * size);
          }
        },
      };
    },
  });
}

/** The axis of an image's shape that `axis`, counted with the batch, means. @throws ShapeError */
function imageAxis(axis: number, rank: number, where: string): number {
  const own = axis < 0 ? rank + axis : axis - 1;
  if (own >= 0 && own < rank) return own;
  throw new ShapeError(
    `${where}: axis: expected from 1 to ${rank} or from -${rank} to -1 for ${rank} dimensions besides the batch, got ${axis}`,
  );
}

/**
 * Values one behind the other along an axis, in which alone they may differ. `axis` counts the batch as 0; the default is
 * the last one, the channels.
 * @throws OptionError unless `axis` is an integer.
 */
export function concatenate(options: { axis?: number; name?: string } = {}): Layer {
  checkOptions("concatenate", options, ["axis", "name"]);
  const { axis = -1 } = options;
  if (!Number.isInteger(axis) || axis === 0) {
    throw new OptionError(
      `concatenate: axis: expected an integer other than 0, the batch, got ${show(axis)}`,
    );
  }
  return defineLayer({
    type: "concatenate",
    name: options.name,
    config: { axis },
    backwardReads: { x: false, y: false },
    isView: () => false,
    outputShape: (inputs, where) => joinedShape(inputs, axis, where),
    weights: () => [],
    build: (context) => joiningPass(context, axis),
  });
}

/** The shape of values behind one another along an axis. @throws ShapeError */
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

/** The values lie side by side in the rows of the output. */
function joiningPass(context: BuildContext, axis: number): Pass {
  const { kernels, name, inputs, output, xs, y, dxs, dy, backward } = context;
  const along = imageAxis(axis, output.length, name);
  const rows = sizeOf(output.slice(0, along));
  const row = sizeOf(output.slice(along));
  const widths = inputs.map((shape) => sizeOf(shape.slice(along)));
  let end = 0;
  const starts = widths.map((width) => 4 * ((end += width) - width));
  const forward = (n: number): void => {
    for (let i = 0; i < xs.length; i++) {
      const width = widths[i]!;
      kernels.copyRows(n * rows, width, xs[i]!.pointer, width, y.pointer + starts[i]!, row);
    }
  };
  if (!backward) return { forward };
  return {
    forward,
    backward(n) {
      for (let i = 0; i < dxs.length; i++) {
        const width = widths[i]!;
        const dx = dxs[i];
        if (dx) kernels.copyRows(n * rows, width, dy.pointer + starts[i]!, row, dx.pointer, width);
      }
    },
  };
}
