/** Layers that combine several values into one, element by element. */
import { ShapeError } from "../errors.ts";
import type { Kernels } from "../kernels/kernels.ts";
import { readOptions } from "../options.ts";
import { sameShape, shapeText, sizeOf, type Shape } from "../tensor.ts";
import type { Buffer } from "./buffer.ts";
import type { BuildContext, Gradient, Layer, LayerDefinition, Pass } from "./contract.ts";
import { addRow, addRowGradient, multiplyRow, multiplyRowGradient, rowPair } from "./perChannel.ts";
import { layerOf } from "./symbolic.ts";

/** The first shape. @throws ShapeError unless there are at least two */
export function several(inputs: readonly Shape[], where: string): Shape {
  if (inputs.length >= 2) return inputs[0]!;
  throw new ShapeError(`${where}: expected at least two inputs, got ${inputs.length}`);
}

/** The shape that all inputs have. @throws ShapeError unless they have the same */
function sameShapes(inputs: readonly Shape[], where: string, besides = ""): Shape {
  const first = several(inputs, where);
  const other = inputs.find((shape) => !sameShape(shape, first));
  if (!other) return first;
  throw new ShapeError(
    `${where}: expected inputs of one shape${besides}, got ${shapeText(first)} and ${shapeText(other)}`,
  );
}

/** The shape of a sum or product: that of all inputs, or that of the image in a pair of image and row. @throws ShapeError */
function combinedShape(inputs: readonly Shape[], where: string): Shape {
  const pair = rowPair(inputs);
  if (pair) return inputs[pair.image]!;
  return sameShapes(inputs, where, ", or an image and a row of its channels");
}

type Combine = Kernels["addForward"];

/** Computes `y = a ∘ b ∘ …` from left to right; the last operation is `last`. */
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

type Definition = Pick<
  LayerDefinition,
  "backwardReads" | "outputShape" | "asEpilogue" | "fusable" | "overwrites"
> & {
  /** Builds the forward pass for images of `size` elements. */
  build(context: BuildContext, size: number): Pass;
};

function merging(type: string, options: { name?: string | undefined }, definition: Definition): Layer {
  const config = readOptions(type, options, {});
  return layerOf({
    type,
    name: options.name,
    config,
    ...definition,
    build: (context) => definition.build(context, sizeOf(context.output)),
  });
}

/**
 * The sum of values of one shape, from left to right, as in a residual connection; or the sum of an image and a row, `[c]`
 * or `[1, 1, c]`, which is added to each pixel.
 */
export function add(options: { name?: string | undefined } = {}): Layer {
  return merging("add", options, {
    asEpilogue: { kind: "residual" },
    fusable: ["activation"],
    overwrites: [0, 1],
    outputShape: combinedShape,
    build(context, size) {
      const pair = rowPair(context.inputs);
      if (pair) return addRow(context, pair);
      const { kernels, xs, y, epilogue } = context;
      const { code, alpha } = epilogue.activation ?? { code: 0, alpha: 0 };
      const last: Combine = (a, b, to, n) => kernels.addActivated(code, alpha, a, b, to, n);
      return { forward: inTurn(kernels.addForward, last, xs, y, size) };
    },
  });
}

/** The gradient of each value is dy. */
export const addGradient: Gradient = (context) => {
  const pair = rowPair(context.inputs);
  if (pair) return addRowGradient(context, pair);
  const { kernels, output, dxs, dy } = context;
  const size = sizeOf(output);
  return (n) => {
    for (const dx of dxs) if (dx) kernels.copyRows(n, size, dy.pointer, size, dx.pointer, size);
  };
};

/**
 * The product of values of one shape, element by element, from left to right; or the product of an image and a row, `[c]`
 * or `[1, 1, c]`, by which each pixel is multiplied, as in squeeze and excitation.
 */
export function multiply(options: { name?: string | undefined } = {}): Layer {
  return merging("multiply", options, {
    backwardReads: { x: true },
    overwrites: [0, 1],
    outputShape: combinedShape,
    build(context, size) {
      const pair = rowPair(context.inputs);
      if (pair) return multiplyRow(context, pair);
      const { kernels, xs, y } = context;
      return { forward: inTurn(kernels.multiplyForward, kernels.multiplyForward, xs, y, size) };
    },
  });
}

/** The gradient of each value is dy times all other factors. Unlike y divided by the value, that is right at zeros too. */
export const multiplyGradient: Gradient = (context) => {
  const pair = rowPair(context.inputs);
  if (pair) return multiplyRowGradient(context, pair);
  const { kernels, output, xs, dxs, dy } = context;
  const size = sizeOf(output);
  return (n) => {
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
  };
};

/** The difference of two values of one shape, the first minus the second. */
export function subtract(options: { name?: string | undefined } = {}): Layer {
  return merging("subtract", options, {
    outputShape(inputs, where) {
      if (inputs.length === 2) return sameShapes(inputs, where);
      throw new ShapeError(`${where}: expected two inputs, got ${inputs.length}`);
    },
    build: ({ kernels, xs, y }, size) => ({
      forward: inTurn(kernels.subtractForward, kernels.subtractForward, xs, y, size),
    }),
  });
}

/** The gradients are dy and −dy. */
export const subtractGradient: Gradient = ({ kernels, output, dxs, dy }) => {
  const size = sizeOf(output);
  const [da, db] = dxs;
  return (n) => {
    if (da) kernels.copyRows(n, size, dy.pointer, size, da.pointer, size);
    if (db) kernels.scaleForward(-1, dy.pointer, db.pointer, n * size);
  };
};

/** The mean of values of one shape: their sum from left to right, times 1 / their number. */
export function average(options: { name?: string | undefined } = {}): Layer {
  return merging("average", options, {
    outputShape: sameShapes,
    build({ kernels, xs, y }, size) {
      const total = inTurn(kernels.addForward, kernels.addForward, xs, y, size);
      return {
        forward(n) {
          total(n);
          kernels.scaleForward(1 / xs.length, y.pointer, y.pointer, n * size);
        },
      };
    },
  });
}

/** The gradient of each of k values is dy / k. */
export const averageGradient: Gradient = ({ kernels, output, dxs, dy }) => {
  const size = sizeOf(output);
  return (n) => {
    for (const dx of dxs) if (dx) kernels.scaleForward(1 / dxs.length, dy.pointer, dx.pointer, n * size);
  };
};

/** The largest of values of one shape, element by element. The gradient goes to the first of equal values. */
export function maximum(options: { name?: string | undefined } = {}): Layer {
  return merging("maximum", options, {
    backwardReads: { x: true, y: true },
    outputShape: sameShapes,
    build: ({ kernels, xs, y }, size) => ({
      forward: inTurn(kernels.maximumForward, kernels.maximumForward, xs, y, size),
    }),
  });
}

/** The gradient goes to the first of the values that is the largest. */
export const maximumGradient: Gradient = ({ kernels, output, xs, y, dxs, dy }) => {
  const size = sizeOf(output);
  return (n) => {
    for (let i = 0; i < xs.length; i++) {
      kernels.maximumBackward(xs[i]!.pointer, y.pointer, dy.pointer, dxs[i]?.pointer ?? 0, n * size);
    }
  };
};
