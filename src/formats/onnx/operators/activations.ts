import type { Activation } from "../../../engine/activation.ts";
import * as layers from "../../../layers/index.ts";
import { Unsupported } from "../node.ts";
import { known, required, type Node, type Operator } from "../operator.ts";
import { combine, scalar } from "./arithmetic.ts";
import type { Computed, Value } from "../values.ts";

/** An activation of a value, element by element. */
export function activate({ builder }: Node, value: Value, kind: Activation): Computed {
  if (value.type !== "float32") throw new Unsupported(`expected float32, got ${value.type}`);
  const x = builder.computed(value);
  const { shape, order } = x;
  const y = builder.apply(layers.activation({ activation: kind }), [x], { type: "float32", shape }, order);
  builder.origins.set(y.symbol, { activation: { kind, of: x } });
  return y;
}

/** An operator that is an activation, as its attributes say. */
function activation(kindOf: (node: Node) => Activation): Operator {
  return {
    inputs: [1, 1],
    lower: (node) => [activate(node, required(node, 0), kindOf(node))],
  };
}

const hardSigmoid = ({ attributes }: Node): Activation => {
  const beta = attributes.float("beta", 0.5);
  if (beta !== 0.5) throw new Unsupported(`beta: expected 0.5, got ${beta}`);
  return { hardSigmoid: attributes.float("alpha", 0.2) };
};

/** The constants of Klambauer et al. 2017, as float32. */
const SELU_ALPHA = Math.fround(1.6732632423543772);
const SELU_GAMMA = Math.fround(1.0507009873554805);

/** Where the constants are others than those of Klambauer et al. 2017, it is γ times an elu. */
function selu(node: Node): readonly Value[] {
  const { attributes } = node;
  const [alpha, gamma] = [attributes.float("alpha", SELU_ALPHA), attributes.float("gamma", SELU_GAMMA)];
  const close = Math.abs(alpha - SELU_ALPHA) < 1e-4 && Math.abs(gamma - SELU_GAMMA) < 1e-4;
  const x = required(node, 0);
  if (close) return [activate(node, x, "selu")];
  return [combine(node, "mul", activate(node, x, { elu: alpha }), scalar(gamma))];
}

const gelu = ({ attributes }: Node): Activation =>
  attributes.choice("approximate", ["none", "tanh"]) === "tanh" ? "geluTanh" : "gelu";

/** Of opset 6 to 10 the bounds are attributes, later inputs. */
function clip(node: Node): readonly Value[] {
  const { attributes } = node;
  const bound = (name: string, index: number, absent: number): number =>
    known(node, index, name)?.[0] ?? attributes.float(name, absent);
  const [low, high] = [bound("min", 1, -Infinity), bound("max", 2, Infinity)];
  const x = required(node, 0);
  if (low === 0 && high === 6) return [activate(node, x, "relu6")];
  if (low === 0 && high === Infinity) return [activate(node, x, "relu")];
  throw new Unsupported(`expected bounds 0 and 6 or none, got ${low} and ${high}`);
}

export const ACTIVATIONS: Readonly<Record<string, Operator>> = {
  Relu: activation(() => "relu"),
  LeakyRelu: activation(({ attributes }) => ({ leakyRelu: attributes.float("alpha", 0.01) })),
  Sigmoid: activation(() => "sigmoid"),
  Tanh: activation(() => "tanh"),
  Elu: activation(({ attributes }) => ({ elu: attributes.float("alpha", 1) })),
  Selu: { inputs: [1, 1], lower: selu },
  HardSigmoid: activation(hardSigmoid),
  HardSwish: activation(() => "hardSwish"),
  Softplus: activation(() => "softplus"),
  Gelu: activation(gelu),
  Mish: activation(() => "mish"),
  Clip: { inputs: [1, 3], lower: clip },
};
