/** The nets with conv1d. */
import { layers } from "im2row";
import { chain, SEQUENCE, sequence, type LayerCases } from "./support/cases.ts";

export const CONV1D: LayerCases = {
  gradients: {
    "conv1d, valid": (x) =>
      layers.conv1d({ filters: 5, kernelSize: 3, strides: 2, activation: "tanh" }).apply(sequence(x)),
    "conv1d, same": (x) =>
      layers.conv1d({ filters: 3, kernelSize: 4, padding: "same", useBias: false }).apply(sequence(x)),
    "conv1d, causal and dilated": (x) =>
      layers.conv1d({ filters: 4, kernelSize: 3, padding: "causal", dilationRate: 4 }).apply(sequence(x)),
    "conv1d, padded and grouped": (x) =>
      layers.conv1d({ filters: 6, kernelSize: 2, padding: [0, 3], groups: 2 }).apply(sequence(x)),
  },
  models: [
    chain("conv1d", SEQUENCE, () => [layers.conv1d({ filters: 5, kernelSize: 3, activation: "relu" })]),
    chain("conv1d, same at strides", SEQUENCE, () => [
      layers.conv1d({ filters: 5, kernelSize: 4, strides: 3, padding: "same" }),
    ]),
    chain("conv1d, causal and dilated", SEQUENCE, () => [
      layers.conv1d({ filters: 5, kernelSize: 3, dilationRate: 2, padding: "causal", useBias: false }),
    ]),
    chain("conv1d in groups, softmax of its channels", SEQUENCE, () => [
      layers.conv1d({
        filters: 6,
        kernelSize: 3,
        strides: 2,
        groups: 2,
        padding: [1, 3],
        activation: "softmax",
      }),
    ]),
  ],
};
