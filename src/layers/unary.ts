import type { Layer, Pass } from "./layer.ts";
import { onlyInput } from "./layer.ts";
import { defineLayer } from "./symbolic.ts";
import { sizeOf } from "../tensor.ts";
import { UNARY } from "../kernels/kinds.ts";

export type UnaryKind = keyof typeof UNARY;

/** A function of each element; `alpha` and `beta` are the bounds of a clip, and what they are called elsewhere. */
export function unaryLayer(kind: UnaryKind, alpha = 0, beta = 0): Layer {
  const code = UNARY[kind];
  return defineLayer({
    type: `onnx.${kind}`,
    config: {},
    backwardReads: { x: true, y: false },
    isView: () => false,
    outputShape: (inputs, where) => onlyInput(inputs, where),
    weights: () => [],
    build({ kernels, output, x, y, dx, dy }): Pass {
      const size = sizeOf(output);
      const forward = (n: number): void =>
        kernels.unaryForward(code, alpha, beta, x.pointer, y.pointer, n * size);
      if (!dx) return { forward };
      const backward = (n: number): void =>
        kernels.unaryBackward(code, alpha, beta, x.pointer, dy.pointer, dx.pointer, n * size);
      return { forward, backward };
    },
  });
}
