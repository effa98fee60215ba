import type { Gradient, Layer, Pass } from "./contract.ts";
import { layerOf } from "./symbolic.ts";
import { OptionError } from "../errors.ts";
import { isInteger, listOf, readOptions, show, typedName } from "../options.ts";
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
  /**
   * The values of a constant of 32-bit integers, which layers that compute with floats refuse. Default: the constant is a
   * weight of floats, which starts as zeros.
   */
  integers?: ArrayLike<number> | undefined;
  name?: string | undefined;
}

function readIntegers(where: string, value: unknown): number[] {
  const list = typedName(value) === undefined ? value : Array.from(value as Int32Array);
  const isInt32 = (each: unknown): each is number => isInteger(each) && each === (each | 0);
  const integers = listOf(list, isInt32);
  if (integers) return integers;
  throw new OptionError(`${where}: expected integers of 32 bits, got ${show(value)}`);
}

/**
 * A value that is the same for each image, whatever the layer is applied to. It is a weight, whose gradient is the sum over
 * the images in ascending order; or, with `integers`, fixed.
 * @throws OptionError, ShapeError naming the option, the expected and the given.
 */
export function constant(options: ConstantLayerOptions): Layer {
  const config = readOptions("constant", options, { shape: readShape, integers: [readIntegers] });
  const { shape, integers } = config;
  if (integers && integers.length !== sizeOf(shape)) {
    throw new OptionError(`constant: integers: expected ${sizeOf(shape)} of them, got ${show(integers)}`);
  }
  return layerOf({
    type: CONSTANT_TYPE,
    name: options.name,
    config,
    outputShape: () => shape,
    outputType: () => (integers ? "int32" : "float32"),
    stopsGradient: true,
    weights: () => (integers ? [] : [{ name: CONSTANT, shape, initializer: "zeros" }]),
    build({ kernels, weights, y, table }): Pass {
      const layout = table(broadcastTable(shape, [shape, shape], [false, false]));
      const from = weights[0] ?? { pointer: table(Int32Array.from(integers!)) };
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
