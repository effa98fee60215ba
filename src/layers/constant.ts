import type { Gradient, Layer, Pass } from "./contract.ts";
import { layerOf } from "./symbolic.ts";
import { OptionError } from "../errors.ts";
import { checkOptions, show } from "../options.ts";
import { readShape, sizeOf, type Shape } from "../tensor.ts";
import { BROADCAST } from "../kernels/kernels.ts";
import { broadcastTable } from "../kernels/layouts.ts";

/** The name of the layer's only weight. */
export const CONSTANT = "constant";

/** The layer's type, by which graphs recognize constants. */
export const CONSTANT_TYPE = "constant";

export interface ConstantLayerOptions {
  /** The shape for each image. */
  shape: Shape;
  /** The values of a constant of 32-bit integers. Default: the constant is a weight of floats, which starts as zeros. */
  integers?: ArrayLike<number>;
  name?: string;
}

/**
 * A value that is the same for each image, whatever the layer is applied to. It is a weight, whose gradient is the sum over
 * the images in ascending order; or, with `integers`, fixed.
 * @throws OptionError, ShapeError naming the option, the expected and the given.
 */
export function constant(options: ConstantLayerOptions): Layer {
  checkOptions("constant", options, ["shape", "integers", "name"]);
  const shape = readShape("constant: shape", options.shape);
  const { integers } = options;
  if (integers !== undefined && integers?.length !== sizeOf(shape)) {
    throw new OptionError(`constant: integers: expected ${sizeOf(shape)} of them, got ${show(integers)}`);
  }
  const numbers = integers && Array.from(integers);
  if (numbers?.some((value) => value !== (value | 0))) {
    throw new OptionError(`constant: integers: expected integers of 32 bits, got ${show(integers)}`);
  }
  return layerOf({
    type: CONSTANT_TYPE,
    name: options.name,
    config: { shape, ...(numbers && { integers: numbers }) },
    outputShape: () => shape,
    outputType: () => (numbers ? "int32" : "float32"),
    stopsGradient: true,
    weights: () => (numbers ? [] : [{ name: CONSTANT, shape, initializer: "zeros" }]),
    build({ kernels, weights, y, table, tableOf }): Pass {
      const size = sizeOf(shape);
      const layout = table(broadcastTable(shape, [shape, shape], [false, false]));
      const from = weights[0] ?? { pointer: tableOf(size, () => Int32Array.from(numbers!)) };
      // Each run copies the value again, because its memory is reused after the last read.
      const forward = (n: number): void =>
        kernels.broadcastForward(BROADCAST.first, layout, n, from.pointer, from.pointer, y.pointer);
      return { forward };
    },
  });
}

/** The gradient is the sum over the images. */
export const constantGradient: Gradient = ({ kernels, output, gradients, dy }) => {
  const size = sizeOf(output);
  return (n) => kernels.biasGradient(n, size, dy.pointer, gradients[0]!.pointer);
};
