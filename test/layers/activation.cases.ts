/** The cases of activation: its options, refusals, shapes and nets. */
import { layers, type ActivationName } from "im2row";
import { ELEMENTWISE } from "../oracles/activation.ts";
import type { Any } from "../support/options.ts";
import { chain, IMAGE, RANKS, type LayerCases } from "./support/cases.ts";

/** The names of all activations; the compiler misses one that is not here. */
const ACTIVATIONS = Object.keys({
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

export const activation: LayerCases = {
  defaults: [layers.activation({ activation: "relu" }), { activation: "relu" }],
  shapes: [
    [layers.activation({ activation: "tanh" }), [5], [5]],
    [layers.activation({ activation: { elu: 0.5 } }), [2, 3, 4], [2, 3, 4]],
  ],
  refuses: {
    "activation: activation: expected one of": () => layers.activation({} as Any),
    [`activation: expected the options activation, name; got "alpha"`]: () =>
      layers.activation({ activation: "relu", alpha: 1 } as Any),
  },
  refusesInputs: {
    "activation: expected one input, got 2": [layers.activation({ activation: "relu" }), [[3], [3]]],
  },
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
    ...[...ACTIVATIONS, { leakyRelu: 0.3 }, { elu: 2 }, { hardSigmoid: 0.4 }].map((kind) => {
      const name = typeof kind === "string" ? kind : JSON.stringify(kind);
      // Inputs reach the curves' bends and flat parts.
      return chain(`activation ${name}`, IMAGE, () => [layers.activation({ activation: kind })], 8);
    }),
    ...RANKS.map((shape) =>
      chain(`activation softmax of ${shape.join("×")}`, shape, () => [
        layers.activation({ activation: "softmax" }),
      ]),
    ),
  ],
};
