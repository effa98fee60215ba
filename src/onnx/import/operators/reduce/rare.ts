/** Sums, products, means, norms, minima and maxima over axes. */
import { sizeOf } from "../../../../tensor.ts";
import type { HostPlan } from "../../layers/host.ts";
import * as layers from "../../../../layers/index.ts";
import type { ReductionKind } from "../../../../layers/reduce.ts";
import { Unsupported } from "../../node.ts";
import { checkType, NUMBERS, onHost, type Node, type Operator, type OperatorTable } from "../../operator.ts";
import { fileOrder } from "../../order.ts";
import type { TensorType } from "../../../file/constant.ts";
import { isConstant, type Value } from "../../values.ts";
import { combine } from "../arithmetic/common.ts";
import { broadcastOffsets, filled, scalar } from "../broadcasting.ts";
import { cast } from "../cast.ts";
import { unary } from "../pointwise.ts";
import { keptShape, over, resultShape, type Axes } from "./common.ts";

/** The operations by kind. Elements are taken in the file's ascending order, and results are kept in float64. */
const FOLD: Readonly<Record<ReductionKind, (all: number, x: number) => number>> = {
  sum: (all, x) => all + x,
  prod: (all, x) => all * x,
  min: Math.min,
  max: Math.max,
};

const IDENTITY: Readonly<Record<ReductionKind, number>> = { sum: 0, prod: 1, min: Infinity, max: -Infinity };

function hostPlan(kind: ReductionKind, { type, shape }: TensorType, axes: Axes): HostPlan {
  const fold = FOLD[kind];
  return {
    outputs: [{ type, shape: resultShape(shape, axes) }],
    run([x], [y]) {
      const sums = new Float64Array(y!.length).fill(IDENTITY[kind]);
      let from = 0;
      for (const to of broadcastOffsets(keptShape(shape, axes), shape)) {
        sums[to] = fold(sums[to]!, x![from++]!);
      }
      y!.set(sums);
    },
  };
}

/** Reduces a value over axes: float32 by a kernel in the order of memory, integers and constants on the host. */
function reduce(node: Node, x: Value, kind: ReductionKind, axes: Axes): Value {
  const { builder } = node;
  const { type } = x;
  const shape = resultShape(x.shape, axes);
  const [float, empty] = [type === "float32", sizeOf(x.shape) === 0];
  // Opset 20 introduced minima and maxima of booleans.
  const orders = (kind === "min" || kind === "max") && node.attributes.version >= 20;
  checkType("elements", x, orders ? [...NUMBERS, "bool"] : NUMBERS);
  if (axes.reduced.size === 0) return x;
  if (empty && !float && !Number.isFinite(IDENTITY[kind])) {
    throw new Unsupported(`expected elements to take the ${kind} of, got none`);
  }
  if (isConstant(x) || !float) return onHost({ ...node, inputs: [x] }, hostPlan(kind, x, axes))[0]!;
  if (empty) return filled(node, shape, IDENTITY[kind]);
  const { order } = x;
  const stay = fileOrder(x.shape.length).filter((axis) => !axes.reduced.has(axis));
  const left = axes.keep
    ? order
    : order.filter((axis) => stay.includes(axis)).map((axis) => stay.indexOf(axis));
  const imageAxes = [...axes.reduced].map((axis) => builder.axis(x, axis) + 1);
  const layer = layers.reduce({ kind, axes: imageAxes, keepDims: axes.keep });
  return builder.apply(layer, [x], { type, shape }, left);
}

function mean(node: Node, x: Value, axes: Axes): Value {
  const count = sizeOf(x.shape.filter((_, axis) => axes.reduced.has(axis)));
  const sum = reduce(node, x, "sum", axes);
  return count === 1 ? sum : combine(node, "div", sum, cast(node, scalar(count), x.type));
}

/** The largest float32. */
const LARGEST = Math.fround(3.4028234663852886e38);

/** `max + ln Σ e^(x − max)`; an infinite max is replaced by a finite number, because ∞ − ∞ would be NaN. */
function logSumExp(node: Node, x: Value, axes: Axes): Value {
  const kept = { ...axes, keep: true };
  const largest = unary(node, reduce(node, x, "max", kept), "clip", -LARGEST, LARGEST);
  const exponentials = unary(node, combine(node, "sub", x, largest), "exp");
  const log = unary(node, reduce(node, exponentials, "sum", kept), "log");
  return node.builder.reshaped(combine(node, "add", log, largest), resultShape(x.shape, axes));
}

const square = (node: Node, x: Value): Value => combine(node, "mul", x, x);

/** Makes an operator that converts integers to float32 and the result back. */
function inFloat(lower: (node: Node, x: Value, axes: Axes) => Value): Operator {
  return over((node, x, axes) => {
    checkType("elements", x, NUMBERS);
    return cast(node, lower(node, cast(node, x, "float32"), axes), x.type);
  });
}

export function rareReductions(): OperatorTable {
  return {
    ReduceL1: over((node, x, axes) => reduce(node, unary(node, x, "abs"), "sum", axes)),
    ReduceL2: inFloat((node, x, axes) => unary(node, reduce(node, square(node, x), "sum", axes), "sqrt")),
    ReduceLogSum: inFloat((node, x, axes) => unary(node, reduce(node, x, "sum", axes), "log")),
    ReduceLogSumExp: inFloat(logSumExp),
    ReduceMax: over((node, x, axes) => reduce(node, x, "max", axes)),
    ReduceMean: over(mean),
    ReduceMin: over((node, x, axes) => reduce(node, x, "min", axes)),
    ReduceProd: over((node, x, axes) => reduce(node, x, "prod", axes)),
    ReduceSum: over((node, x, axes) => reduce(node, x, "sum", axes)),
    ReduceSumSquare: over((node, x, axes) => reduce(node, square(node, x), "sum", axes)),
  };
}
