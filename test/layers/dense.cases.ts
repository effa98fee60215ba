/** The nets with dense. */
import { layers } from "im2row";
import { chain, RANKS, type LayerCases } from "./support/cases.ts";

export const DENSE: LayerCases = {
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
