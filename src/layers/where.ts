import type { Buffer } from "./buffer.ts";
import type { BuildContext, Gradient, Layer, Pass } from "./contract.ts";
import { layerOf } from "./symbolic.ts";
import { sameShape, sizeOf, type Shape } from "../tensor.ts";
import { repeatedAxes } from "./broadcast.ts";
import { BROADCAST, REDUCE } from "../kernels/kinds.ts";
import { broadcastTable, reductionTable } from "../kernels/strides.ts";

/**
 * `y = c ? a : b`, element by element, of three operands of the rank of `shape`, each with 1 along the axes on which it is
 * repeated: by their bits, so that what is not chosen leaves no trace. The gradient goes to what is chosen.
 */
export function whereLayer(shape: Shape): Layer {
  return layerOf({
    type: "where",
    backwardReads: { x: true },
    outputShape: () => shape,
    build: (context) => buildPass(shape, context),
  });
}

function buildPass(shape: Shape, context: BuildContext): Pass<Choice> {
  const { kernels, inputs, capacity, table, xs, y } = context;
  const [ofChoice, ...ofOperands] = inputs as [Shape, Shape, Shape];
  const [c, ...operands] = xs as [Buffer, Buffer, Buffer];
  const size = sizeOf(shape);
  const chosen = table(broadcastTable(shape, [shape, ofChoice]));
  const both = table(broadcastTable(shape, [shape, shape]));
  const other = context.workspace(capacity * size);
  const parts = operands.map((operand, i) => {
    const [own, kind] = [ofOperands[i]!, i === 0 ? BROADCAST.keep : BROADCAST.drop];
    const to = i === 0 ? y : other;
    const spread = sameShape(own, shape) ? undefined : table(broadcastTable(shape, [own, shape]));
    return (n: number): void => {
      // The result itself stands for a second operand, which is not looked at.
      if (spread)
        kernels.broadcastForward(BROADCAST.first, spread, n, operand.pointer, to.pointer, to.pointer);
      const from = spread ? to : operand;
      kernels.broadcastForward(kind, chosen, n, from.pointer, c.pointer, to.pointer);
    };
  });
  const forward = (n: number): void => {
    for (const part of parts) part(n);
    kernels.broadcastForward(BROADCAST.join, both, n, y.pointer, other.pointer, y.pointer);
  };
  return { forward, state: { shape, chosen } };
}

/** A choice in a plan; `chosen` is the address of the layout of what is chosen by. */
interface Choice {
  readonly shape: Shape;
  readonly chosen: number;
}

/** The gradient goes to what was chosen, added up along the axes on which an operand is repeated. */
export const whereGradient: Gradient<Choice> = (context, { shape, chosen }) => {
  const { kernels, inputs, capacity, table, workspace, xs, dxs, dy } = context;
  const c = xs[0]!;
  const size = sizeOf(shape);
  const passes = inputs.slice(1).flatMap((own, i) => {
    const dx = dxs[i + 1];
    if (!dx) return [];
    const kind = i === 0 ? BROADCAST.keep : BROADCAST.drop;
    const whole = sameShape(own, shape);
    const each = whole ? dx : workspace(capacity * size);
    const sums = table(reductionTable(shape, repeatedAxes(own, shape)));
    return [
      (n: number): void => {
        kernels.broadcastForward(kind, chosen, n, dy.pointer, c.pointer, each.pointer);
        if (!whole) kernels.reduceForward(REDUCE.sum, sums, n, each.pointer, dx.pointer);
      },
    ];
  });
  return (n) => {
    for (const pass of passes) pass(n);
  };
};
