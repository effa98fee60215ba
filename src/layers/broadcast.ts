import type { Buffer } from "./buffer.ts";
import type { BuildContext, Gradient, GradientContext, Layer, Pass } from "./contract.ts";
import { layerOf } from "./symbolic.ts";
import { choiceOf, readOptions } from "../options.ts";
import { sameShape, sizeOf, type Shape } from "../tensor.ts";
import {
  broadcastTogether,
  constantOf,
  OPERANDS,
  operandsOf,
  repeatedAxes,
  type OperandOptions,
  type Side,
} from "./operands.ts";
import { BROADCAST, REDUCE, UNARY } from "../kernels/kernels.ts";
import { broadcastTable, reductionTable } from "../kernels/layouts.ts";

const KINDS = ["add", "sub", "mul", "div", "min", "max", "pow"] as const;

export type BroadcastKind = (typeof KINDS)[number];

interface Operand {
  readonly side: Side;
  readonly buffer: Buffer;
}

export interface BroadcastLayerOptions extends OperandOptions {
  kind: BroadcastKind;
  name?: string | undefined;
}

/** The shape of the result, and the operands' shapes at the same rank, with 1 along the axes on which they are repeated. */
interface BroadcastShapes {
  readonly shape: Shape;
  readonly operands: readonly [Shape, Shape];
  /** The operand that is a weight of the layer, which does not learn. */
  readonly constant: Side | undefined;
}

/** By kind and operand: the kernel that computes the slope of the result, and which operand is the kernel's first. */
const SLOPES: { readonly [Kind in BroadcastKind]?: readonly (readonly [keyof typeof BROADCAST, Side])[] } = {
  max: [
    ["share", 0],
    ["share", 1],
  ],
  min: [
    ["share", 1],
    ["share", 0],
  ],
  pow: [
    ["baseSlope", 0],
    ["exponentSlope", 0],
  ],
};

/**
 * `y = a ∘ b`, element by element, of two values whose shapes are broadcast as in NumPy; `∘` is `add`, `sub`, `mul`, `div`,
 * `min`, `max` or `pow`. The gradient of a maximum or minimum goes to the operand that was chosen; equal operands get half
 * each.
 * @throws OptionError, ShapeError naming the layer, the expected and the given.
 */
export function broadcast(options: BroadcastLayerOptions): Layer {
  const config = readOptions("broadcast", options, { kind: choiceOf(KINDS), ...OPERANDS });
  const weights = constantOf("broadcast", config);
  const { kind, constant } = config;
  const resolve = (where: string, inputs: readonly Shape[]): BroadcastShapes => {
    const operands = operandsOf(where, config, inputs);
    return { shape: broadcastTogether(where, operands), operands, constant };
  };
  return layerOf({
    type: "broadcast",
    name: options.name,
    config,
    backwardReads: { x: kind !== "add" && kind !== "sub", y: kind === "div" },
    outputShape: (inputs, where) => resolve(where, inputs).shape,
    weights: () => weights,
    build: (context) => buildPass(kind, resolve(context.name, context.inputs), context),
  });
}

/** The state of an operation in a plan; `layout` is the address of its table. */
interface Broadcast {
  readonly kind: BroadcastKind;
  readonly shapes: BroadcastShapes;
  readonly layout: number;
}

/** The buffer of one operand, which is a weight or an input. */
function bufferOf({ xs, weights }: BuildContext, { constant }: BroadcastShapes, side: Side): Buffer {
  return constant === side ? weights[0]! : xs[constant === undefined ? side : 0]!;
}

/** By operand: true for an input, which differs from image to image; false for a weight. */
const perImageOf = ({ constant }: BroadcastShapes): readonly [boolean, boolean] => [
  constant !== 0,
  constant !== 1,
];

function buildPass(kind: BroadcastKind, shapes: BroadcastShapes, context: BuildContext): Pass<Broadcast> {
  const { kernels, y } = context;
  const [a, b] = [bufferOf(context, shapes, 0), bufferOf(context, shapes, 1)];
  const layout = context.table(broadcastTable(shapes.shape, shapes.operands, perImageOf(shapes)));
  const forward = (n: number): void =>
    kernels.broadcastForward(BROADCAST[kind], layout, n, a.pointer, b.pointer, y.pointer);
  return { forward, state: { kind, shapes, layout } };
}

/** The gradients of the operands that are inputs; the formulas are stated at `slopeGradient` and `sideGradient`. */
export const broadcastGradient: Gradient<Broadcast> = (context, { kind, shapes, layout }) => {
  const { kernels } = context;
  const { shape, operands, constant } = shapes;
  const perImage = perImageOf(shapes);
  const operand = (side: Side): Buffer => bufferOf(context, shapes, side);
  const sides: readonly Side[] = constant === undefined ? [0, 1] : [constant === 0 ? 1 : 0];
  const passes = sides.flatMap((side, i) => {
    const dx = context.dxs[i];
    const slope = SLOPES[kind]?.[side];
    if (dx && slope) {
      const [slopeKind, from] = slope;
      const ordered =
        from === 0
          ? layout
          : context.table(broadcastTable(shape, [operands[1], operands[0]], [perImage[1], perImage[0]]));
      const [a, b] = [operand(from), operand(from === 0 ? 1 : 0)];
      const slopes = (n: number, to: Buffer): void =>
        kernels.broadcastForward(BROADCAST[slopeKind], ordered, n, a.pointer, b.pointer, to.pointer);
      return [slopeGradient(shapes, context, side, dx, slopes)];
    }
    // The gradient of a product contains the other factor, that of a quotient the divisor.
    const factor = kind === "div" || side === 0 ? 1 : 0;
    const other = { side: factor, buffer: operand(factor) } as const;
    return dx ? [sideGradient(kind, shapes, context, side, dx, other)] : [];
  });
  return (n) => {
    for (const pass of passes) pass(n);
  };
};

/** Writes the gradient of one operand: dy times the slope of each element, summed along the axes on which it is repeated. */
function slopeGradient(
  { shape, operands }: BroadcastShapes,
  { kernels, capacity, dy, workspace, table }: GradientContext,
  side: Side,
  dx: Buffer,
  slopes: (n: number, to: Buffer) => void,
): (n: number) => void {
  const size = sizeOf(shape);
  const whole = sameShape(operands[side], shape);
  const each = whole ? dx : workspace(capacity * size);
  const sums = table(reductionTable(shape, repeatedAxes(operands[side], shape)));
  return (n) => {
    slopes(n, each);
    kernels.multiplyForward(dy.pointer, each.pointer, each.pointer, n * size);
    if (!whole) kernels.reduceForward(REDUCE.sum, sums, n, each.pointer, dx.pointer);
  };
}

/**
 * Writes the gradient of one operand: for each element of the result, then summed along the axes on which the operand is
 * repeated. For the first and the second operand the element's gradient is dy and dy (`add`), dy and −dy (`sub`), dy·b and
 * dy·a (`mul`), dy / b and −dy·(a / b) / b (`div`).
 */
function sideGradient(
  kind: BroadcastKind,
  { shape, operands, constant }: BroadcastShapes,
  context: GradientContext,
  side: Side,
  dx: Buffer,
  factor: Operand,
): (n: number) => void {
  const { kernels, capacity, dy, y } = context;
  const [own, size] = [operands[side], sizeOf(shape)];
  const whole = sameShape(own, shape);
  const each = whole ? dx : context.workspace(capacity * size);
  const beside = context.table(
    broadcastTable(shape, [shape, operands[factor.side]], [true, constant !== factor.side]),
  );
  const sums = context.table(reductionTable(shape, repeatedAxes(own, shape)));
  const linear = kind === "add" || kind === "sub";
  const quotient = kind === "div" && side === 1;
  const negative = quotient || (kind === "sub" && side === 1);
  return (n) => {
    if (quotient) kernels.multiplyForward(dy.pointer, y.pointer, each.pointer, n * size);
    const from = quotient ? each : dy;
    if (!linear) {
      const { pointer } = factor.buffer;
      kernels.broadcastForward(BROADCAST[kind], beside, n, from.pointer, pointer, each.pointer);
    }
    if (!whole) {
      kernels.reduceForward(REDUCE.sum, sums, n, (linear ? dy : each).pointer, dx.pointer);
    } else if (linear) kernels.copyRows(n, size, dy.pointer, size, dx.pointer, size);
    if (negative) kernels.unaryForward(UNARY.neg, 0, 0, dx.pointer, dx.pointer, n * sizeOf(own));
  };
}
