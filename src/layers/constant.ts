import type { Layer, Pass } from "./layer.ts";
import { defineLayer } from "./symbolic.ts";
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
export const CONSTANT_TYPE = "onnx.Constant";

/**
 * A constant as a value of the graph, the same for each image: a weight, of which the gradient is the sum over the images,
 * in ascending order; or integers.
 */
export function constantLayer(constant: ConstantSource, shape: Shape): Layer {
  const float = constant.type === "float32";
  return defineLayer({
    type: CONSTANT_TYPE,
    config: {},
    backwardReads: { x: false, y: false },
    isView: () => false,
    outputShape: () => shape,
    weights: () => (float ? [{ name: CONSTANT, shape, initializer: "zeros" }] : []),
    build({ kernels, weights, gradients, y, dy, table, tableOf }): Pass {
      const size = sizeOf(shape);
      const layout = table(broadcastTable(shape, [shape, shape], [false, false]));
      const from = weights[0] ?? { pointer: tableOf(size, () => Int32Array.from(constant.data())) };
      // Anew in each run: the place is another's when nobody needs it any more.
      const forward = (n: number): void =>
        kernels.broadcastForward(BROADCAST.first, layout, n, from.pointer, from.pointer, y.pointer);
      const [gradient] = gradients;
      if (!gradient) return { forward };
      return { forward, backward: (n) => kernels.biasGradient(n, size, dy.pointer, gradient.pointer) };
    },
  });
}
