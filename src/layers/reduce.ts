import type { Buffer } from "./buffer.ts";
import { onlyInput, type Gradient, type GradientContext, type Layer, type Pass } from "./contract.ts";
import { layerOf } from "./symbolic.ts";
import { sizeOf, type Shape } from "../tensor.ts";
import { BROADCAST, REDUCE } from "../kernels/kinds.ts";
import { broadcastTable, reductionTable } from "../kernels/strides.ts";

export type ReductionKind = keyof typeof REDUCE;

/**
 * The sum, product, minimum or maximum over some axes of what the layer sees, in float64 and in the order of memory;
 * `shape` is what is left. Products have no backward pass; the gradient of an extreme is shared by all elements that it is.
 */
export function reductionLayer(kind: ReductionKind, reduced: ReadonlySet<number>, shape: Shape): Layer {
  return layerOf({
    type: "reduce",
    differentiable: kind !== "prod",
    backwardReads: { x: kind !== "sum", y: kind !== "sum" },
    outputShape: () => shape,
    build(context): Pass<Reduction> {
      const { kernels, x, y } = context;
      const layout = context.table(reductionTable(onlyInput(context.inputs), reduced));
      const forward = (n: number): void =>
        kernels.reduceForward(REDUCE[kind], layout, n, x.pointer, y.pointer);
      return { forward, state: { kind, reduced, layout } };
    },
  });
}

/** A reduction in a plan; `layout` is the address of its table. */
interface Reduction {
  readonly kind: ReductionKind;
  readonly reduced: ReadonlySet<number>;
  readonly layout: number;
}

/** A sum's gradient goes to all of its elements; that of an extreme in equal parts to those that are it. */
export const reductionGradient: Gradient<Reduction> = (context, { kind, reduced, layout }) => {
  const { kernels, dy } = context;
  const dx = context.dx!;
  const input = onlyInput(context.inputs);
  const kept = input.map((size, axis) => (reduced.has(axis) ? 1 : size));
  if (kind !== "sum") return extremeGradient(kind === "max", kept, context, dx, layout);
  // The gradient itself stands for a second operand, which is not looked at.
  const spread = context.table(broadcastTable(input, [kept, input]));
  return (n) => kernels.broadcastForward(BROADCAST.first, spread, n, dy.pointer, dx.pointer, dx.pointer);
};

/** dx = dy / k for each of the k elements that are the extreme, and 0 for the others. */
function extremeGradient(
  largest: boolean,
  kept: Shape,
  { kernels, inputs, capacity, table, workspace, x, y, dy }: GradientContext,
  dx: Buffer,
  layout: number,
): (n: number) => void {
  const input = onlyInput(inputs);
  const shares = table(broadcastTable(input, largest ? [input, kept] : [kept, input]));
  const [quotients, products] = [
    table(broadcastTable(kept, [kept, kept])),
    table(broadcastTable(input, [input, kept])),
  ];
  const each = workspace(capacity * sizeOf(kept));
  const { share, div, mul } = BROADCAST;
  return (n) => {
    // A half for each that is the extreme: dy over their sum is twice what each of them gets.
    const [a, b] = largest ? [x, y] : [y, x];
    kernels.broadcastForward(share, shares, n, a.pointer, b.pointer, dx.pointer);
    kernels.reduceForward(REDUCE.sum, layout, n, dx.pointer, each.pointer);
    kernels.broadcastForward(div, quotients, n, dy.pointer, each.pointer, each.pointer);
    kernels.broadcastForward(mul, products, n, dx.pointer, each.pointer, dx.pointer);
  };
}
