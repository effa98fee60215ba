import { ShapeError } from "../errors.ts";
import { readOptions } from "../options.ts";
import { shapeText, sizeOf, type Shape } from "../tensor.ts";
import { onlyInput, type BuildContext, type Gradient, type Layer, type Pass } from "./contract.ts";
import { readLastAxes } from "./normalization.ts";
import { layerOf } from "./symbolic.ts";

export interface UnitNormalizationOptions {
  /** The axes that are normalized together, the last ones: -1 for the channels, [-3, -2, -1] for the image. Default: -1. */
  axis?: number | readonly number[] | undefined;
  name?: string | undefined;
}

/** The rows of `n` images, and their length. */
function rowsOf(
  { inputs }: BuildContext,
  axes: number,
): readonly [rows: (n: number) => number, cols: number] {
  const input = onlyInput(inputs);
  const cols = sizeOf(input.slice(-axes));
  const perImage = sizeOf(input) / cols;
  return [(n) => n * perImage, cols];
}

/**
 * Divides by the Euclidean norm over the last axes: `y = x / max(‖x‖, 1e-12)`.
 * @throws OptionError, ShapeError naming the layer, the expected and the given.
 */
export function unitNormalization(options: UnitNormalizationOptions = {}): Layer {
  const config = readOptions("unitNormalization", options, { axis: [readLastAxes, -1] });
  const axes = config.axis.length;
  return layerOf({
    type: "unitNormalization",
    name: options.name,
    config,
    backwardReads: { x: true },
    overwrites: [0],
    outputShape(inputs, where): Shape {
      const input = onlyInput(inputs, where);
      if (axes <= input.length) return input;
      throw new ShapeError(`${where}: expected at least ${axes} axes, got ${shapeText(input)}`);
    },
    build(context): Pass<number> {
      const { kernels, x, y } = context;
      const [rows, cols] = rowsOf(context, axes);
      const forward = (n: number): void => kernels.unitNormalizeForward(rows(n), cols, x.pointer, y.pointer);
      return { forward, state: axes };
    },
  });
}

/** The share of the gradient along x is taken out, and the rest is divided by the norm. */
export const unitNormalizationGradient: Gradient<number> = (context, axes) => {
  const { kernels, x, dx, dy } = context;
  const [rows, cols] = rowsOf(context, axes);
  return (n) => kernels.unitNormalizeBackward(rows(n), cols, x.pointer, dy.pointer, dx!.pointer);
};
