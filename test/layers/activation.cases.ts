/** The nets with activation: each of the functions, with and without a parameter. */
import { layers, type ActivationName } from "im2row";
import { ELEMENTWISE } from "../oracles/activation.ts";
import { chain, IMAGE, RANKS, type LayerCases } from "./support/cases.ts";

/** All of them, as the compiler sees to. */
export const ACTIVATIONS = Object.keys({
  linear: 0,
  relu: 0,
  leakyRelu: 0,
  sigmoid: 0,
  tanh: 0,
  softmax: 0,
  relu6: 0,
  elu: 0,
  selu: 0,
  hardSigmoid: 0,
  softplus: 0,
  silu: 0,
  swish: 0,
  hardSwish: 0,
  gelu: 0,
  geluTanh: 0,
  mish: 0,
} satisfies Record<ActivationName, 0>) as ActivationName[];

export const ACTIVATION: LayerCases = {
  gradients: {
    "activation softmax": () => layers.activation({ activation: "softmax" }),
    ...Object.fromEntries(
      ELEMENTWISE.map(({ name, kind }) => [
        `activation ${name}`,
        () => layers.activation({ activation: kind }),
      ]),
    ),
  },
  models: [
    ...[...ACTIVATIONS, { leakyRelu: 0.3 }, { elu: 2 }, { hardSigmoid: 0.4 }].map((activation) => {
      const name = typeof activation === "string" ? activation : JSON.stringify(activation);
      // Inputs reach the curves' bends and flat parts.
      return chain(`activation ${name}`, IMAGE, () => [layers.activation({ activation })], 8);
    }),
    ...RANKS.map((shape) =>
      chain(`activation softmax of ${shape.join("×")}`, shape, () => [
        layers.activation({ activation: "softmax" }),
      ]),
    ),
  ],
};
