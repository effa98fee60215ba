/** Functions of each element: activations, which are fused into the layer before them, and others. */
import type { Activation } from "../../../kernels/activation.ts";
import * as layers from "../../../layers/index.ts";
import type { Layer } from "../../../layers/contract.ts";
import type { UnaryKind } from "../../../layers/unary.ts";
import { Unsupported } from "../node.ts";
import { checkType, NUMBERS, type Node } from "../operator.ts";
import { isConstant, type Value } from "../values.ts";
import { eachOnHost } from "./broadcasting.ts";
import { fold } from "./fold.ts";

/** Applies an elementwise layer; to a constant immediately. */
function apply(node: Node, layer: Layer, x: Value): Value {
  if (!isConstant(x)) return node.builder.apply(layer, [x], x, x.order);
  return fold(node, layer, x);
}

/** Applies an activation to a value. */
export function activate(node: Node, x: Value, kind: Activation): Value {
  if (x.type !== "float32") throw new Unsupported(`expected float32, got ${x.type}`);
  const y = apply(node, layers.activation({ activation: kind }), x);
  if (!isConstant(x) && !isConstant(y)) node.builder.origins.set(y, { activation: { kind, of: x } });
  return y;
}

/** Rounds to the nearest integer, ties to even. */
function nearest(x: number): number {
  const below = Math.floor(x);
  const even = below % 2 === 0 ? below : below + 1;
  return x - below === 0.5 ? even : Math.round(x);
}

/** Functions for which the host has the same bits as the kernel, because each result is rounded once. */
const EXACT: { readonly [Kind in UnaryKind]?: (x: number, alpha: number, beta: number) => number } = {
  abs: Math.abs,
  neg: (x) => -x,
  sqrt: Math.sqrt,
  reciprocal: (x) => 1 / x,
  clip: (x, low, high) => Math.min(Math.max(x, low), high),
  floor: Math.floor,
  ceil: Math.ceil,
  round: nearest,
  sign: Math.sign,
};

/** The functions whose results for integers are integers. */
const WHOLE: ReadonlySet<UnaryKind> = new Set(["abs", "neg", "clip", "sign"]);

/** The functions that do not change integers. */
const ROUNDS: ReadonlySet<UnaryKind> = new Set(["floor", "ceil", "round"]);

/** Applies a function to each element. */
export function unary(node: Node, value: Value, kind: UnaryKind, alpha = 0, beta = 0): Value {
  const { type } = value;
  const exact = EXACT[kind];
  const float = type === "float32";
  if (!float && !WHOLE.has(kind)) throw new Unsupported(`expected float32, got ${type}`);
  checkType("operand", value, NUMBERS);
  if (exact && (!float || isConstant(value))) {
    const holds = (y: number, x: number): boolean => ROUNDS.has(kind) && y === x;
    return eachOnHost(node, [value], type, (x) => exact(x!, alpha, beta), holds);
  }
  return apply(node, layers.unary({ kind, alpha, beta }), value);
}
