import { onlyInput, type Layer, type Pass } from "./layer.ts";
import { defineLayer } from "./symbolic.ts";
import { sizeOf } from "../tensor.ts";

/** The logarithm of the softmax over the last axis. */
export function logSoftmax(): Layer {
  return defineLayer({
    type: "onnx.logSoftmax",
    config: {},
    backwardReads: { x: false, y: true },
    isView: () => false,
    outputShape: (inputs, where) => onlyInput(inputs, where),
    weights: () => [],
    build({ kernels, output, x, y, dx, dy }): Pass {
      const columns = output.at(-1)!;
      const rows = sizeOf(output) / columns;
      const forward = (n: number): void => kernels.logSoftmaxForward(x.pointer, y.pointer, n * rows, columns);
      if (!dx) return { forward };
      const backward = (n: number): void =>
        kernels.logSoftmaxBackward(y.pointer, dy.pointer, dx.pointer, n * rows, columns);
      return { forward, backward };
    },
  });
}
