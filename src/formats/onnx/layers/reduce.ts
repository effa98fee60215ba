import { onlyInput, type Layer, type Pass } from "../../../layers/layer.ts";
import { defineLayer } from "../../../layers/symbolic.ts";
import type { Shape } from "../../../tensor.ts";
import { BROADCAST, REDUCE } from "./kinds.ts";
import { broadcastTable, reductionTable } from "./strides.ts";

export type ReductionKind = keyof typeof REDUCE;

/**
 * The sum, product, minimum or maximum over some axes of what the layer sees, in float64 and in the order of memory;
 * `shape` is what is left. Only sums have a backward pass.
 */
export function reductionLayer(kind: ReductionKind, reduced: ReadonlySet<number>, shape: Shape): Layer {
  return defineLayer({
    type: `onnx.reduce.${kind}`,
    config: {},
    differentiable: kind === "sum",
    backwardReads: { x: false, y: false },
    isView: () => false,
    outputShape: () => shape,
    weights: () => [],
    build(context): Pass {
      const { kernels, x, y, dx, dy } = context;
      const input = onlyInput(context.inputs);
      const layout = context.table(reductionTable(input, reduced));
      const forward = (n: number): void =>
        kernels.reduceForward(REDUCE[kind], layout, n, x.pointer, y.pointer);
      if (!dx) return { forward };
      const kept = input.map((size, axis) => (reduced.has(axis) ? 1 : size));
      // The gradient itself stands for a second operand, which is not looked at.
      const spread = context.table(broadcastTable(input, [kept, input]));
      const backward = (n: number): void =>
        kernels.broadcastForward(BROADCAST.first, spread, n, dy.pointer, dx.pointer, dx.pointer);
      return { forward, backward };
    },
  });
}
