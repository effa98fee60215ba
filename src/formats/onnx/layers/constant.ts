import type { Layer } from "../../../layers/layer.ts";
import { defineLayer } from "../../../layers/symbolic.ts";
import type { Shape } from "../../../tensor.ts";
import type { Constant } from "../values.ts";

/** What layers call a weight that is a constant of the file, and does not learn. */
export const CONSTANT = "constant";

/** The type of the layer that is a constant. */
export const CONSTANT_TYPE = "onnx.Constant";

/** A constant as a value of the graph, for the rare reader that computes with it as with any other. */
export function constantLayer(constant: Constant, shape: Shape): Layer {
  return defineLayer({
    type: CONSTANT_TYPE,
    config: {},
    backwardReads: { x: false, y: false },
    isView: () => false,
    outputShape: () => shape,
    weights: () => [],
    build({ heap, y }) {
      const data = constant.data();
      const float = constant.type === "float32";
      return {
        // Anew in each run: the place is another's when nobody needs it any more.
        forward() {
          (float ? heap.floats : heap.ints).set(data, y.pointer >>> 2);
        },
      };
    },
  });
}
