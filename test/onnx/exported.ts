/** The nets whose files are tested: those of every layer, and some with several layers whose files are of their own kind. */
import { input, layers, model } from "im2row";
import { LAYER_CASES } from "../layers/all.ts";
import { IMAGE, type ModelCase } from "../layers/support/cases.ts";

const SHARED: ModelCase = [
  "layers that are used more than once",
  () => {
    const [a, b] = [input({ shape: IMAGE, name: "a" }), input({ shape: [4], name: "b" })];
    const conv = layers.conv2d({ filters: 4, kernelSize: 3, padding: "same", activation: "elu" });
    const norm = layers.groupNormalization({ groups: 2 });
    const units = layers.dense({ units: 3, name: "units" });
    const y = norm.apply(conv.apply(norm.apply(conv.apply(a))));
    return model({ inputs: [a, b], outputs: [units.apply(y), units.apply(b), norm.apply(b)] });
  },
];

/** Those that no test of a layer runs. */
export const GRAPH_CASES: readonly ModelCase[] = [SHARED];

export const EXPORTED: readonly ModelCase[] = [
  ...Object.values(LAYER_CASES).flatMap(({ models }) => models),
  ...GRAPH_CASES,
];
