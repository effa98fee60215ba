/** The cases of the poolings of sequences: their options, refusals, shapes and nets. */
import { layers } from "im2row";
import { COUNT, PAIR, type Any } from "../support/options.ts";
import { chain, SEQUENCE, sequence, type LayerCases, type ModelCase } from "./support/cases.ts";

const poolings = (type: "maxPooling1d" | "averagePooling1d"): ModelCase[] => [
  chain(type, SEQUENCE, () => [layers[type]()]),
  chain(`${type}, same`, SEQUENCE, () => [layers[type]({ poolSize: 4, strides: 3, padding: "same" })]),
  chain(`${type}, padded`, SEQUENCE, () => [layers[type]({ poolSize: 3, strides: 2, padding: [2, 1] })]),
];

export const maxPooling1d: LayerCases = {
  defaults: [layers.maxPooling1d(), { poolSize: 2, strides: 2, padding: "valid" }],
  // As Keras: "same" gives ⌈steps / stride⌉, "valid" ⌊(steps − size) / stride⌋ + 1.
  shapes: [
    [layers.maxPooling1d(), [11, 4], [5, 4]],
    [layers.maxPooling1d({ poolSize: 4, strides: 3, padding: "same" }), [11, 4], [4, 4]],
    [layers.maxPooling1d({ poolSize: 3, strides: 2, padding: [2, 1] }), [11, 4], [6, 4]],
  ],
  refuses: {
    [`maxPooling1d: poolSize: ${COUNT}, got 0`]: () => layers.maxPooling1d({ poolSize: 0 }),
    [`maxPooling1d: padding: expected "same", "valid" or ${PAIR}, got "causal"`]: () =>
      layers.maxPooling1d({ padding: "causal" as Any }),
  },
  refusesInputs: {
    "maxPooling1d: expected at least 6 steps with their padding, got 5 + 0 + 0": [
      layers.maxPooling1d({ poolSize: 6 }),
      [5, 3],
    ],
  },
  gradients: {
    maxPooling1d: (x) => layers.maxPooling1d({ poolSize: 3, strides: 2, padding: "same" }).apply(sequence(x)),
  },
  models: poolings("maxPooling1d"),
};

export const averagePooling1d: LayerCases = {
  defaults: [layers.averagePooling1d({ poolSize: 3 }), { poolSize: 3, strides: 3, padding: "valid" }],
  shapes: [
    [layers.averagePooling1d({ strides: 1 }), [11, 4], [10, 4]],
    [layers.averagePooling1d({ poolSize: 3, padding: [1, 2] }), [11, 4], [4, 4]],
  ],
  refuses: {
    [`averagePooling1d: strides: ${COUNT}, got [1,1]`]: () =>
      layers.averagePooling1d({ strides: [1, 1] as Any }),
    "averagePooling1d: padding: expected less than the pool size 2, got [0,2]": () =>
      layers.averagePooling1d({ padding: [0, 2] }),
  },
  refusesInputs: {
    "averagePooling1d: expected a sequence [steps, channels], got 7×7×3": [
      layers.averagePooling1d(),
      [7, 7, 3],
    ],
  },
  gradients: {
    averagePooling1d: (x) => layers.averagePooling1d({ poolSize: 3, padding: [1, 2] }).apply(sequence(x)),
  },
  models: poolings("averagePooling1d"),
};

export const globalMaxPooling1d: LayerCases = {
  defaults: [layers.globalMaxPooling1d(), {}],
  shapes: [[layers.globalMaxPooling1d(), [11, 4], [4]]],
  refuses: {
    [`globalMaxPooling1d: expected the options name; got "poolSize"`]: () =>
      layers.globalMaxPooling1d({ poolSize: 2 } as Any),
  },
  refusesInputs: {
    "globalMaxPooling1d: expected a sequence [steps, channels], got 7": [layers.globalMaxPooling1d(), [7]],
  },
  gradients: { globalMaxPooling1d: (x) => layers.globalMaxPooling1d().apply(sequence(x)) },
  models: [chain("globalMaxPooling1d", SEQUENCE, () => [layers.globalMaxPooling1d()])],
};

export const globalAveragePooling1d: LayerCases = {
  defaults: [layers.globalAveragePooling1d(), {}],
  shapes: [[layers.globalAveragePooling1d(), [11, 4], [4]]],
  refuses: {
    [`globalAveragePooling1d: expected the options name; got "poolSize"`]: () =>
      layers.globalAveragePooling1d({ poolSize: 2 } as Any),
  },
  refusesInputs: {
    "globalAveragePooling1d: expected a sequence [steps, channels], got 7×7×3": [
      layers.globalAveragePooling1d(),
      [7, 7, 3],
    ],
  },
  gradients: { globalAveragePooling1d: (x) => layers.globalAveragePooling1d().apply(sequence(x)) },
  models: [chain("globalAveragePooling1d", SEQUENCE, () => [layers.globalAveragePooling1d()])],
};
