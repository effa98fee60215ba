import type { Buffer } from "./buffer.ts";
import { onlyInput, type Gradient, type GradientContext, type Layer, type Pass } from "./contract.ts";
import { layerOf } from "./symbolic.ts";
import { OptionError } from "../errors.ts";
import { choiceOf, flag, listOf, readOptions, show } from "../options.ts";
import { sizeOf, type Shape } from "../tensor.ts";
import { imageAxis, isAxis } from "./concatenate.ts";
import { BROADCAST, REDUCE } from "../kernels/kernels.ts";
import { broadcastTable, reductionTable } from "../kernels/layouts.ts";

export type ReductionKind = keyof typeof REDUCE;

export interface ReduceLayerOptions {
  kind: ReductionKind;
  /** The axes to reduce, counted with the batch as 0, or from the last as -1. */
  axes: readonly number[];
  /** True to keep the reduced axes, with size 1. Default: false. */
  keepDims?: boolean | undefined;
  name?: string | undefined;
}

function readAxes(where: string, value: unknown): number[] {
  const axes = listOf(value, isAxis);
  if (axes?.length) return axes;
  throw new OptionError(`${where}: expected integers other than 0, the batch, got ${show(value)}`);
}

/**
 * The sum, product, minimum or maximum over some axes of each image, in float64 and in the order of memory. Products have no
 * backward pass. The gradient of a minimum or maximum is shared equally by all elements that have its value.
 * @throws OptionError, ShapeError naming the layer, the expected and the given.
 */
export function reduce(options: ReduceLayerOptions): Layer {
  const config = readOptions("reduce", options, {
    kind: choiceOf(Object.keys(REDUCE) as ReductionKind[]),
    axes: readAxes,
    keepDims: [flag, false],
  });
  const { kind, axes, keepDims } = config;
  const reducedOf = (input: Shape, where: string): ReadonlySet<number> =>
    new Set(axes.map((axis) => imageAxis(axis, input.length, where)));
  return layerOf({
    type: "reduce",
    name: options.name,
    config,
    differentiable: kind !== "prod",
    backwardReads: { x: kind !== "sum", y: kind !== "sum" },
    outputShape(inputs, where) {
      const input = onlyInput(inputs, where);
      const reduced = reducedOf(input, where);
      if (keepDims) return input.map((size, axis) => (reduced.has(axis) ? 1 : size));
      const left = input.filter((_, axis) => !reduced.has(axis));
      // Every value has at least one axis.
      return left.length === 0 ? [1] : left;
    },
    build(context): Pass<Reduction> {
      const { kernels, x, y } = context;
      const input = onlyInput(context.inputs);
      const reduced = reducedOf(input, context.name);
      const layout = context.table(reductionTable(input, reduced));
      const forward = (n: number): void =>
        kernels.reduceForward(REDUCE[kind], layout, n, x.pointer, y.pointer);
      return { forward, state: { kind, reduced, layout } };
    },
  });
}

/** The state of a reduction in a plan; `layout` is the address of its table. */
interface Reduction {
  readonly kind: ReductionKind;
  readonly reduced: ReadonlySet<number>;
  readonly layout: number;
}

/** The gradient of a sum goes to all elements, that of a minimum or maximum in equal parts to those that have its value. */
export const reductionGradient: Gradient<Reduction> = (context, { kind, reduced, layout }) => {
  const { kernels, dy } = context;
  const dx = context.dx!;
  const input = onlyInput(context.inputs);
  const kept = input.map((size, axis) => (reduced.has(axis) ? 1 : size));
  if (kind !== "sum") return extremeGradient(kind === "max", kept, context, dx, layout);
  // The kernel does not read the second operand of `first`; the result stands in for it.
  const spread = context.table(broadcastTable(input, [kept, input]));
  return (n) => kernels.broadcastForward(BROADCAST.first, spread, n, dy.pointer, dx.pointer, dx.pointer);
};

/** `dx = dy / k` for each of the k elements that equal the minimum or maximum, and 0 for the others. */
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
    // `share` gives 1/2 for each of the k extreme elements; their sum is k / 2, and 1/2 · dy / (k / 2) = dy / k.
    const [a, b] = largest ? [x, y] : [y, x];
    kernels.broadcastForward(share, shares, n, a.pointer, b.pointer, dx.pointer);
    kernels.reduceForward(REDUCE.sum, layout, n, dx.pointer, each.pointer);
    kernels.broadcastForward(div, quotients, n, dy.pointer, each.pointer, each.pointer);
    kernels.broadcastForward(mul, products, n, dx.pointer, each.pointer, dx.pointer);
  };
}
