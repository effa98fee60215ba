/** Activations with parameters that the layers for them do not accept, composed of other layers. */
import { Unsupported } from "../../node.ts";
import type { Node, OperatorTable } from "../../operator.ts";
import type { Value } from "../../values.ts";
import { ofOne, SELU_ALPHA, SELU_GAMMA, slopesOf } from "./common.ts";
import { combine } from "../arithmetic/common.ts";
import { scalar } from "../broadcasting.ts";
import { activate, unary } from "../pointwise.ts";

/** `min(max(alpha·x + beta, 0), 1)`. */
function hardSigmoid(node: Node, x: Value): Value {
  const [alpha, beta] = [node.attributes.float("alpha", 0.2), node.attributes.float("beta", 0.5)];
  const line = combine(node, "add", combine(node, "mul", x, scalar(alpha)), scalar(beta));
  return unary(node, line, "clip", 0, 1);
}

/** `x > 0 ? x : alpha·(e^x − 1)`. */
function elu(node: Node, x: Value, alpha = node.attributes.float("alpha", 1)): Value {
  return unary(node, x, "exponential", alpha, 1);
}

/** `x > 0 ? x : alpha·(e^(x / alpha) − 1)`. */
function celu(node: Node, x: Value): Value {
  const alpha = node.attributes.float("alpha", 1);
  if (alpha === 1) return activate(node, x, { elu: 1 });
  if (alpha > 0) return unary(node, x, "exponential", alpha, 1 / alpha);
  throw new Unsupported(`alpha: expected a number > 0, got ${alpha}`);
}

/** γ times an elu. */
function selu(node: Node, x: Value): Value {
  const { attributes } = node;
  const [alpha, gamma] = [attributes.float("alpha", SELU_ALPHA), attributes.float("gamma", SELU_GAMMA)];
  const y = alpha >= 0 ? activate(node, x, { elu: alpha }) : elu(node, x, alpha);
  return combine(node, "mul", y, scalar(gamma));
}

/** `x / (1 + e^(−alpha·x))`. */
function swish(node: Node, x: Value): Value {
  const steep = combine(node, "mul", x, scalar(node.attributes.float("alpha", 1)));
  return combine(node, "mul", x, activate(node, steep, "sigmoid"));
}

/** `x > 0 ? x : slope·x`, as `relu(x) − slope·relu(−x)`. */
function slopes(node: Node, x: Value, slope: Value): Value {
  const below = activate(node, unary(node, x, "neg"), "relu");
  return combine(node, "sub", activate(node, x, "relu"), combine(node, "mul", slope, below));
}

export function rareActivations(): OperatorTable {
  return {
    Celu: ofOne(celu),
    Elu: ofOne(elu),
    HardSigmoid: ofOne(hardSigmoid),
    LeakyRelu: ofOne((node, x) => slopes(node, x, scalar(node.attributes.float("alpha", 0.01)))),
    PRelu: { inputs: [2, 2], lower: (node) => [slopes(node, ...slopesOf(node))] },
    Selu: ofOne(selu),
    Swish: ofOne(swish),
    ThresholdedRelu: ofOne((node, x) => unary(node, x, "threshold", node.attributes.float("alpha", 1))),
  };
}
