import { UNARY } from "../kernels/kinds.ts";
import { sizeOf } from "../tensor.ts";
import type { Gradient, Layer, Pass } from "./contract.ts";
import { layerOf } from "./symbolic.ts";

export type UnaryKind = keyof typeof UNARY;

/** A function of one element as its kernel takes it. */
interface UnaryFunction {
  readonly code: number;
  readonly alpha: number;
  readonly beta: number;
}

/** A function of each element; `alpha` and `beta` are the bounds of a clip, and what they are called elsewhere. */
export function unaryLayer(kind: UnaryKind, alpha = 0, beta = 0): Layer {
  const code = UNARY[kind];
  return layerOf({
    type: "unary",
    backwardReads: { x: true },
    build({ kernels, output, x, y }): Pass<UnaryFunction> {
      const size = sizeOf(output);
      const forward = (n: number): void =>
        kernels.unaryForward(code, alpha, beta, x.pointer, y.pointer, n * size);
      return { forward, state: { code, alpha, beta } };
    },
  });
}

/** `dx = dy·f′(x)`; the slopes stand at `assembly/elementwise/unary.ts`. */
export const unaryGradient: Gradient<UnaryFunction> = (context, { code, alpha, beta }) => {
  const { kernels, output, x, dx, dy } = context;
  const size = sizeOf(output);
  return (n) => kernels.unaryBackward(code, alpha, beta, x.pointer, dy.pointer, dx!.pointer, n * size);
};
