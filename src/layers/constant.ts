import type { Gradient, Layer, Pass } from "./contract.ts";
import { layerOf } from "./symbolic.ts";
import { sizeOf, type Shape } from "../tensor.ts";
import { BROADCAST } from "../kernels/kinds.ts";
import { broadcastTable } from "../kernels/strides.ts";

/** What the layer calls the weight that it is. */
export const CONSTANT = "constant";

/** Numbers that are known when the net is built: floats, which may learn, or integers. */
export interface ConstantSource {
  readonly type: string;
  data(): ArrayLike<number>;
}

/** The type of the layer that is a constant. */
export const CONSTANT_TYPE = "constant";

/**
 * A constant as a value of the graph, the same for each image: a weight, of which the gradient is the sum over the images,
 * in ascending order; or integers.
 */
export function constantLayer(constant: ConstantSource, shape: Shape): Layer {
  const float = constant.type === "float32";
  return layerOf({
    type: CONSTANT_TYPE,
    outputShape: () => shape,
    outputType: () => (float ? "float32" : "int32"),
    weights: () => (float ? [{ name: CONSTANT, shape, initializer: "zeros" }] : []),
    build({ kernels, weights, y, table, tableOf }): Pass {
      const size = sizeOf(shape);
      const layout = table(broadcastTable(shape, [shape, shape], [false, false]));
      const from = weights[0] ?? { pointer: tableOf(size, () => Int32Array.from(constant.data())) };
      // Anew in each run: the place is another's when nobody needs it any more.
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
