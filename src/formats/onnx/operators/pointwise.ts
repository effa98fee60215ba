/** Functions of each element: as activations, which fuse with the layer before, or as the rest of them. */
import type { Activation } from "../../../engine/activation.ts";
import * as layers from "../../../layers/index.ts";
import { unaryLayer, type UnaryKind } from "../layers/unary.ts";
import { Unsupported } from "../node.ts";
import type { Node } from "../operator.ts";
import { isConstant, type Computed, type Value } from "../values.ts";
import { eachOnHost } from "./broadcasting.ts";

/** An activation of a value, element by element. */
export function activate({ builder }: Node, value: Value, kind: Activation): Computed {
  if (value.type !== "float32") throw new Unsupported(`expected float32, got ${value.type}`);
  const x = builder.computed(value);
  const { shape, order } = x;
  const y = builder.apply(layers.activation({ activation: kind }), [x], { type: "float32", shape }, order);
  builder.origins.set(y, { activation: { kind, of: x } });
  return y;
}

/** Ties to even. */
function nearest(x: number): number {
  const below = Math.floor(x);
  const even = below % 2 === 0 ? below : below + 1;
  return x - below === 0.5 ? even : Math.round(x);
}

/** What the host computes as the kernel does, for constants and integers: each result is rounded once. */
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

/** Kinds that keep integers whole. */
const WHOLE: ReadonlySet<UnaryKind> = new Set(["abs", "neg", "clip", "sign"]);

/** A function of each element. */
export function unary(node: Node, value: Value, kind: UnaryKind, alpha = 0, beta = 0): Value {
  const { builder } = node;
  const { type, shape } = value;
  const exact = EXACT[kind];
  const float = type === "float32";
  if (!float && !WHOLE.has(kind)) throw new Unsupported(`expected float32, got ${type}`);
  if (exact && (!float || isConstant(value))) {
    return eachOnHost(node, [value], type, (x) => exact(x!, alpha, beta));
  }
  const x = builder.computed(value);
  return builder.apply(unaryLayer(kind, alpha, beta), [x], { type, shape }, x.order);
}
