import type { Buffer } from "./buffer.ts";
import type { BuildContext, Gradient, Layer, Pass } from "./contract.ts";
import { layerOf, typeOfInputs } from "./symbolic.ts";
import { sameShape, sizeOf, type Shape } from "../tensor.ts";
import { broadcastTogether, padded, repeatedAxes } from "./operands.ts";
import { ShapeError } from "../errors.ts";
import { readOptions } from "../options.ts";
import { BROADCAST, REDUCE } from "../kernels/kernels.ts";
import { broadcastTable, reductionTable } from "../kernels/layouts.ts";

/** The operands as shapes of equal rank, and the result's shape. @throws ShapeError naming `place` unless there are three */
function resolve(place: string, inputs: readonly Shape[]): { shape: Shape; operands: Shape[] } {
  if (inputs.length !== 3) throw new ShapeError(`${place}: expected three inputs, got ${inputs.length}`);
  const operands = padded(inputs);
  return { shape: broadcastTogether(place, operands), operands };
}

/**
 * `y = c ? a : b`, element by element, of a condition and two values whose shapes are broadcast as in NumPy. The condition is
 * true where its bits are not those of 0. Elements are chosen by their bits, so that a NaN or infinity that is not chosen
 * has no effect. The gradient goes to the chosen elements.
 * @throws ShapeError naming the layer, the expected and the given.
 */
export function where(options: { name?: string | undefined } = {}): Layer {
  const config = readOptions("where", options, {});
  return layerOf({
    type: "where",
    name: options.name,
    config,
    backwardReads: { x: true },
    stopsGradient: [0],
    outputShape: (inputs, place) => resolve(place, inputs).shape,
    outputType: ([, ...values], place) => typeOfInputs(values, place),
    build: (context) => buildPass(context),
  });
}

function buildPass(context: BuildContext): Pass<Choice> {
  const { kernels, name, inputs, capacity, table, xs, y } = context;
  const { shape, operands: shapes } = resolve(name, inputs);
  const [ofChoice, ...ofOperands] = shapes as [Shape, Shape, Shape];
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
      // The kernel does not read the second operand of `first`; the result stands in for it.
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
  return { forward, state: { shape, operands: ofOperands, chosen } };
}

/** The state of a choice in a plan; `chosen` is the address of the condition's layout. */
interface Choice {
  readonly shape: Shape;
  /** The shapes of the two values, of the rank of the result. */
  readonly operands: readonly Shape[];
  readonly chosen: number;
}

/** The gradient goes to the chosen elements, summed along the axes on which an operand is repeated. */
export const whereGradient: Gradient<Choice> = (context, { shape, operands, chosen }) => {
  const { kernels, capacity, table, workspace, xs, dxs, dy } = context;
  const c = xs[0]!;
  const size = sizeOf(shape);
  const passes = operands.flatMap((own, i) => {
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
