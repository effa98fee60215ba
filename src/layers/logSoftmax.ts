import { readOptions } from "../options.ts";
import { sizeOf } from "../tensor.ts";
import type { Gradient, Layer, Pass } from "./contract.ts";
import { layerOf } from "./symbolic.ts";

/** The logarithm of the softmax over the last axis: `y = x − max − ln Σ e^(x − max)`. */
export function logSoftmax(options: { name?: string | undefined } = {}): Layer {
  const config = readOptions("logSoftmax", options, {});
  return layerOf({
    type: "logSoftmax",
    name: options.name,
    config,
    backwardReads: { y: true },
    build({ kernels, output, x, y }): Pass {
      const columns = output.at(-1)!;
      const rows = sizeOf(output) / columns;
      return { forward: (n) => kernels.logSoftmaxForward(x.pointer, y.pointer, n * rows, columns) };
    },
  });
}

/** `dx = dy − softmax(x)·Σ dy` of each row. */
export const logSoftmaxGradient: Gradient = ({ kernels, output, y, dx, dy }) => {
  const columns = output.at(-1)!;
  const rows = sizeOf(output) / columns;
  return (n) => kernels.logSoftmaxBackward(y.pointer, dy.pointer, dx!.pointer, n * rows, columns);
};
