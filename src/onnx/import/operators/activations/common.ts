/** Operators that are functions of one element: activations, which layers fuse, and others. */
import type { Activation } from "../../../../kernels/activation.ts";
import * as layers from "../../../../layers/index.ts";
import { shapeText, sizeOf } from "../../../../tensor.ts";
import type { UnaryKind } from "../../../../layers/unary.ts";
import { eachImage } from "../../constants.ts";
import { OtherForm, Unsupported } from "../../node.ts";
import { checkType, required, type Node, type Operator, type OperatorTable } from "../../operator.ts";
import { channelsLast } from "../../order.ts";
import type { Constant } from "../../../file/constant.ts";
import { isComputed, isConstant, type Computed, type Value } from "../../values.ts";
import { withWeights } from "../../weights.ts";
import { combine, seenConstant } from "../arithmetic/common.ts";
import { checkBroadcasts, onlyNumber, padShape } from "../broadcasting.ts";
import { activate, unary } from "../pointwise.ts";

/** Makes an operator with one input. */
export function ofOne(lower: (node: Node, x: Value) => Value): Operator {
  return { inputs: [1, 1], lower: (node) => [lower(node, required(node, 0))] };
}

/** Makes an operator that is the activation which its attributes describe. */
function activation(kindOf: (node: Node) => Activation): Operator {
  return { ...ofOne((node, x) => activate(node, x, kindOf(node))), resizable: true };
}

function functionOf(kind: UnaryKind): Operator {
  return { ...ofOne((node, x) => unary(node, x, kind)), resizable: true };
}

/** `min(max(alpha·x + beta, 0), 1)`. */
function hardSigmoid({ attributes }: Node): Activation {
  const [alpha, beta] = [attributes.float("alpha", 0.2), attributes.float("beta", 0.5)];
  if (beta === 0.5 && alpha >= 0) return { hardSigmoid: alpha };
  throw new OtherForm();
}

/** Checks the parameter of an activation, which must be ≥ 0. @throws OtherForm for a negative one */
function atLeast0(alpha: number): number {
  if (alpha >= 0) return alpha;
  throw new OtherForm();
}

/** The constants of Klambauer et al. 2017, as float32. */
export const SELU_ALPHA = Math.fround(1.6732632423543772);
export const SELU_GAMMA = Math.fround(1.0507009873554805);

function selu({ attributes }: Node): Activation {
  const [alpha, gamma] = [attributes.float("alpha", SELU_ALPHA), attributes.float("gamma", SELU_GAMMA)];
  const close = Math.abs(alpha - SELU_ALPHA) < 1e-4 && Math.abs(gamma - SELU_GAMMA) < 1e-4;
  if (close) return "selu";
  throw new OtherForm();
}

const gelu = ({ attributes }: Node): Activation =>
  attributes.choice("approximate", ["none", "tanh"]) === "tanh" ? "geluTanh" : "gelu";

/** `x / (1 + e^(−alpha·x))`. */
function swish({ attributes }: Node): Activation {
  if (attributes.float("alpha", 1) === 1) return "silu";
  throw new OtherForm();
}

/** A prelu layer; undefined when its slopes are not shared along just the leading axes in memory, as the layer needs. */
function prelu(node: Node, x: Computed, slope: Constant): Computed | undefined {
  const { builder } = node;
  const { type, shape } = x;
  const { length: rank } = shape;
  if (slope.shape.length > rank) return undefined;
  const order = channelsLast(rank);
  const constant = eachImage(builder, { ...slope, shape: padShape(slope.shape, rank) });
  const sizes = seenConstant(builder, constant, order);
  const from = builder.ordered(x, order);
  const first = sizes.findIndex((size) => size > 1);
  const shared = first < 0 ? sizes.length : first;
  if (sizes.some((size, axis) => axis >= shared && size !== from.symbol.shape[axis])) return undefined;
  const layer = layers.prelu({ sharedAxes: Array.from({ length: shared }, (_, axis) => axis + 1) });
  const loaded = withWeights(builder, layer, { alpha: { constant, order } });
  return builder.apply(loaded, [from], { type, shape }, order);
}

/** A node's input and its slopes. Up to opset 6 a list of slopes has one for each channel. */
export function slopesOf(node: Node): [x: Value, slope: Value] {
  const [x, slope] = [required(node, 0), required(node, 1)];
  const behind = node.attributes.version < 7 && slope.shape.length === 1 ? x.shape.length - 2 : 0;
  const shape = [...slope.shape, ...Array.from({ length: Math.max(behind, 0) }, () => 1)];
  const seen = node.builder.reshaped(slope, shape);
  checkBroadcasts("slope", seen, x.shape);
  return [x, seen];
}

function parametricRelu(node: Node): readonly Value[] {
  const [x, slope] = slopesOf(node);
  const y = isConstant(slope) && isComputed(x) ? prelu(node, x, slope) : undefined;
  if (y) return [y];
  throw new OtherForm();
}

/** In opsets 6 to 10 the bounds are attributes, later inputs. */
function clip(node: Node): readonly Value[] {
  const { attributes, inputs } = node;
  const [low, high] = [attributes.anyFloat("min", -Infinity), attributes.anyFloat("max", Infinity)];
  const x = required(node, 0);
  const bounds = [inputs[1], inputs[2]] as const;
  for (const bound of bounds) {
    if (!bound) continue;
    checkType("bounds", bound, [x.type]);
    if (bound.shape.length > 1 || sizeOf(bound.shape) !== 1) {
      throw new Unsupported(`bounds: expected a single number, got ${shapeText(bound.shape)}`);
    }
  }
  const [least, most] = [inputs[1] ? onlyNumber(inputs[1]) : low, inputs[2] ? onlyNumber(inputs[2]) : high];
  if (least === undefined || most === undefined) {
    const above = bounds[0] ? combine(node, "max", x, bounds[0]) : x;
    return [bounds[1] ? combine(node, "min", above, bounds[1]) : above];
  }
  if (x.type === "float32" && isComputed(x) && least === 0 && (most === 6 || most === Infinity)) {
    return [activate(node, x, most === 6 ? "relu6" : "relu")];
  }
  return [unary(node, x, "clip", least, most)];
}

export function commonActivations(): OperatorTable {
  return {
    Abs: functionOf("abs"),
    Ceil: functionOf("ceil"),
    Clip: { inputs: [1, 3], resizable: true, lower: clip },
    Elu: activation(({ attributes }) => ({ elu: atLeast0(attributes.float("alpha", 1)) })),
    Erf: functionOf("erf"),
    Exp: functionOf("exp"),
    Floor: functionOf("floor"),
    Gelu: activation(gelu),
    HardSigmoid: activation(hardSigmoid),
    HardSwish: activation(() => "hardSwish"),
    LeakyRelu: activation(({ attributes }) => ({ leakyRelu: atLeast0(attributes.float("alpha", 0.01)) })),
    Log: functionOf("log"),
    Mish: activation(() => "mish"),
    Neg: functionOf("neg"),
    PRelu: { inputs: [2, 2], lower: parametricRelu },
    Reciprocal: functionOf("reciprocal"),
    Relu: activation(() => "relu"),
    Round: functionOf("round"),
    Selu: activation(selu),
    Sigmoid: activation(() => "sigmoid"),
    Sign: functionOf("sign"),
    Softplus: activation(() => "softplus"),
    Softsign: functionOf("softsign"),
    Sqrt: functionOf("sqrt"),
    Swish: activation(swish),
    Tanh: activation(() => "tanh"),
  };
}
