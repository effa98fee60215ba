/** The cases of dense: its options, refusals, shapes and nets. */
import { layers } from "im2row";
import { COUNT, type Any } from "../support/options.ts";
import { chain, RANKS, type LayerCases } from "./support/cases.ts";

export const dense: LayerCases = {
  defaults: [
    layers.dense({ units: 2 }),
    {
      units: 2,
      activation: "linear",
      useBias: true,
      kernelInitializer: "glorotUniform",
      biasInitializer: "zeros",
    },
  ],
  // As Keras: it works over the last axis of any value.
  shapes: [
    [layers.dense({ units: 2 }), [5], [2]],
    [layers.dense({ units: 2 }), [4, 5], [4, 2]],
    [layers.dense({ units: 7 }), [3, 4, 5], [3, 4, 7]],
  ],
  refuses: {
    [`dense: units: ${COUNT}, got 0`]: () => layers.dense({ units: 0 }),
    "dense: useBias: expected true or false, got 0": () => layers.dense({ units: 1, useBias: 0 as Any }),
    [`"mish"; got null`]: () => layers.dense({ units: 1, activation: null as Any }),
    "dense: kernelInitializer: expected one of": () =>
      layers.dense({ units: 1, kernelInitializer: {} as Any }),
    [`useBias, kernelInitializer, biasInitializer, kernelRegularizer, biasRegularizer, name; got "filters"`]:
      () => layers.dense({ units: 1, filters: 1 } as Any),
    // What Keras's spelling is here.
    "dense: expected an object of options { units: 10 }, got 10": () => layers.dense(10 as Any),
    [`biasInitializer, kernelRegularizer, biasRegularizer, name; got "inputShape", an option of sequential`]:
      () => layers.dense({ units: 1, inputShape: [4] } as Any),
  },
  refusesInputs: {
    "dense: expected one input, got 2": [layers.dense({ units: 1 }), [[3], [3]]],
  },
  gradients: {
    "dense, silu": () => layers.dense({ units: 6, activation: "silu" }),
    "dense over the last axis": () => layers.dense({ units: 6, activation: "tanh" }),
    "dense with softmax": () => layers.dense({ units: 4, activation: "softmax" }),
  },
  models: RANKS.flatMap((shape) => [
    chain(`dense of ${shape.join("×")}`, shape, () => [layers.dense({ units: 3, activation: "softmax" })]),
    chain(`dense without biases of ${shape.join("×")}`, shape, () => [
      layers.dense({ units: 3, useBias: false }),
    ]),
  ]),
};
