/** Arithmetic of two or more values, whose shapes are broadcast. */
import { ShapeError } from "../../../../errors.ts";
import * as layers from "../../../../layers/index.ts";
import { rowPair } from "../../../../layers/perChannel.ts";
import { sameShape, sizeOf, type Shape } from "../../../../tensor.ts";
import type { Builder } from "../../builder.ts";
import { besideImages } from "../../constants.ts";
import type { BroadcastKind } from "../../../../layers/broadcast.ts";
import { CONSTANT } from "../../../../layers/constant.ts";
import { OtherForm, Unsupported } from "../../node.ts";
import {
  axisOf,
  checkType,
  NUMBERS,
  required,
  type Node,
  type Operator,
  type OperatorTable,
} from "../../operator.ts";
import type { Constant } from "../../../file/constant.ts";
import { isComputed, isConstant, type Computed, type Value } from "../../values.ts";
import { withWeights } from "../../weights.ts";
import { broadcastShape, eachOnHost, filled, onlyNumber, padShape, type Holds } from "../broadcasting.ts";
import { activate, unary } from "../pointwise.ts";

/** The operations on integers and constants; float32 results are rounded once. */
const ON_HOST = {
  add: (a: number, b: number): number => a + b,
  sub: (a: number, b: number): number => a - b,
  mul: (a: number, b: number): number => a * b,
  div: (a: number, b: number): number => a / b,
  min: Math.min,
  max: Math.max,
};

type Kind = keyof typeof ON_HOST;

/** By operation: checks that an integer result holds for any number of images; see `Holds`. */
const HOLDS: { readonly [K in Kind]?: Holds } = {
  add: (y, a, b) => b === y - a! && a === y - b!,
  sub: (y, a, b) => a === y + b! && b === a! - y,
  mul: (_, a, b) => Number.isInteger(a) && Number.isInteger(b),
  div: (y, a, b) => a === y * b! && Number.isInteger(y),
};

function divideIntegers(a: number, b: number): number {
  if (b === 0) throw new ShapeError("expected a divisor other than 0, got 0");
  return Math.trunc(a / b);
}

/** Combines two values element by element. */
export function combine(node: Node, kind: Kind, a: Value, b: Value): Value {
  const { type } = a;
  if (type !== b.type) throw new Unsupported(`expected two values of one type, got ${type} and ${b.type}`);
  checkType("operands", a, NUMBERS);
  if (type === "float32" && !(isConstant(a) && isConstant(b))) {
    return fused(node, kind, a, b) ?? fused(node, kind, b, a) ?? broadcast(node, kind, a, b);
  }
  const whole = kind === "div" && type !== "float32";
  return eachOnHost(node, [a, b], type, whole ? divideIntegers : ON_HOST[kind], HOLDS[kind]);
}

/**
 * A layer that includes both the operation and the layer that computed `a`: one with a bias, or silu and hard swish for the
 * product of an activation and its input. Undefined when there is none.
 */
function fused(node: Node, kind: Kind, a: Value, b: Value): Value | undefined {
  if (isConstant(a)) return undefined;
  const origin = node.builder.originOf(a);
  if (isConstant(b)) return kind === "add" ? origin?.withBias?.(b) : undefined;
  const activation = kind === "mul" ? origin?.activation : undefined;
  if (!activation || activation.of !== b) return undefined;
  if (activation.kind === "sigmoid") return activate(node, b, "silu");
  const slope = typeof activation.kind === "object" && "hardSigmoid" in activation.kind;
  const isSixth =
    slope && Math.fround(1 / 6) === Math.fround((activation.kind as { hardSigmoid: number }).hardSigmoid);
  return isSixth ? activate(node, b, "hardSwish") : undefined;
}

/** The shape for one image of a constant that is the same for all images, with its axes in this order. */
export function seenConstant({ batch }: Builder, { shape }: Constant, order: readonly number[]): Shape {
  const sizes = order.map((axis) => shape[axis]!).slice(batch === undefined ? 0 : 1);
  return sizes.length === 0 ? [1] : sizes;
}

/** The larger of two values; the smaller one is brought to the order of its axes, which costs less. */
export const bigger = (a: Computed, b: Computed): Computed =>
  Math.abs(sizeOf(b.shape)) > Math.abs(sizeOf(a.shape)) ? b : a;

/**
 * Combines two float32 values by a kernel; at least one is computed. Both are brought to the order in memory of the larger
 * computed one.
 */
export function broadcast(node: Node, kind: BroadcastKind, a: Value, b: Value): Value {
  const { builder } = node;
  const shape = broadcastShape(a.shape, b.shape);
  if (sizeOf(shape) === 0) return filled(node, shape, 0);
  const rank = shape.length;
  const operands = [a, b].map((value) => builder.reshaped(value, padShape(value.shape, rank)));
  const computed = operands.filter(isComputed);
  const { order } = computed.reduce(bigger);
  const values = operands
    .map((value) => besideImages(builder, value, order))
    .map((value) => (isConstant(value) ? value : builder.ordered(value, order)));
  const seen = values.map((value) =>
    isConstant(value) ? seenConstant(builder, value, order) : value.symbol.shape,
  ) as [Shape, Shape];
  const type = { type: "float32", shape } as const;
  const constant = values.findIndex(isConstant);
  if (constant < 0 && (kind === "add" || kind === "mul") && (sameShape(...seen) || rowPair(seen))) {
    return builder.apply(
      kind === "add" ? layers.add() : layers.multiply(),
      values as Computed[],
      type,
      order,
    );
  }
  const layer = layers.broadcast({
    kind,
    operands: seen,
    ...(constant >= 0 && { constant: constant as 0 | 1 }),
  });
  const loaded =
    constant < 0
      ? layer
      : withWeights(builder, layer, { [CONSTANT]: { constant: values[constant] as Constant, order } });
  return builder.apply(loaded, values.filter(isComputed), type, order);
}

/** Both operands. Up to opset 6 the axes of the second are those of the first from `axis` on. */
export function operandsOf(node: Node): [Value, Value] {
  const { attributes, builder } = node;
  const [a, b] = [required(node, 0), required(node, 1)];
  if (attributes.version >= 7) return [a, b];
  const axis = attributes.int("axis");
  if (!attributes.flag("broadcast", false) || axis === undefined) return [a, b];
  const behind = a.shape.length - axisOf(axis, a.shape.length) - b.shape.length;
  if (behind < 0) {
    const [rank, own] = [a.shape.length, b.shape.length];
    throw new Unsupported(`axis: expected ${own} of ${rank} axes from there on, got ${axis}`);
  }
  return [a, builder.reshaped(b, [...b.shape, ...Array.from({ length: behind }, () => 1)])];
}

function binary(kind: Kind): Operator {
  return { inputs: [2, 2], resizable: true, lower: (node) => [combine(node, kind, ...operandsOf(node))] };
}

/** Combines all inputs from left to right. */
export function combineAll(node: Node, kind: Kind): Value {
  return node.inputs
    .map((_, i) => required(node, i))
    .reduce((left, right) => combine(node, kind, left, right));
}

function variadic(kind: Kind): Operator {
  return { inputs: [1, Infinity], resizable: true, lower: (node) => [combineAll(node, kind)] };
}

/** Powers that other layers compute. @throws OtherForm for other exponents */
function pow(node: Node): readonly Value[] {
  const [base, exponent] = operandsOf(node);
  const one = exponent.shape.length <= base.shape.length ? onlyNumber(exponent) : undefined;
  if (base.type === "float32") {
    if (one === 1) return [base];
    if (one === 2) return [combine(node, "mul", base, base)];
    if (one === 0.5) return [unary(node, base, "sqrt")];
    if (one === -1) return [unary(node, base, "reciprocal")];
  }
  throw new OtherForm();
}

export function commonArithmetic(): OperatorTable {
  return {
    Add: binary("add"),
    Div: binary("div"),
    Max: variadic("max"),
    Min: variadic("min"),
    Mul: binary("mul"),
    Pow: { inputs: [2, 2], lower: pow },
    Sub: binary("sub"),
    Sum: variadic("add"),
  };
}
