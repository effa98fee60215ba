/** The cases of separableConv1d: its options, refusals, shapes and nets. */
import { layers, type Layer } from "im2row";
import { COUNT, PAIR, type Any } from "../support/options.ts";
import { chain, SEQUENCE, sequence, type LayerCases } from "./support/cases.ts";

const separable = (more: object): Layer =>
  layers.separableConv1d({ filters: 2, kernelSize: 1, ...more } as Any);

export const separableConv1d: LayerCases = {
  defaults: [
    layers.separableConv1d({ filters: 2, kernelSize: 3 }),
    {
      filters: 2,
      kernelSize: 3,
      depthMultiplier: 1,
      strides: 1,
      padding: "valid",
      dilationRate: 1,
      activation: "linear",
      useBias: true,
      depthwiseInitializer: "glorotUniform",
      pointwiseInitializer: "glorotUniform",
      biasInitializer: "zeros",
    },
  ],
  shapes: [
    [separable({ filters: 5, kernelSize: 3 }), [11, 4], [9, 5]],
    [separable({ kernelSize: 4, strides: 3, padding: "same" }), [11, 4], [4, 2]],
    [separable({ kernelSize: 3, dilationRate: 4, padding: "causal" }), [11, 4], [11, 2]],
    [separable({ kernelSize: 2, padding: [0, 3], depthMultiplier: 3 }), [11, 4], [13, 2]],
  ],
  refuses: {
    [`separableConv1d: filters: ${COUNT}, got undefined`]: () =>
      layers.separableConv1d({ kernelSize: 1 } as Any),
    [`separableConv1d: kernelSize: ${COUNT}, got [3,3]`]: () => separable({ kernelSize: [3, 3] }),
    [`separableConv1d: padding: expected "same", "valid", "causal" or ${PAIR}, got 1`]: () =>
      separable({ padding: 1 }),
    "separableConv1d: depthwiseInitializer: expected one of": () => separable({ depthwiseInitializer: "he" }),
    [`got "kernelInitializer"`]: () => separable({ kernelInitializer: "ones" }),
  },
  refusesInputs: {
    "separableConv1d: expected a sequence [steps, channels], got 7×7×3": [separable({}), [7, 7, 3]],
    "separableConv1d: expected at least 8 steps with their padding, got 7 + 0 + 0": [
      separable({ kernelSize: 8 }),
      [7, 3],
    ],
  },
  gradients: {
    separableConv1d: (x) =>
      layers
        .separableConv1d({ filters: 5, kernelSize: 3, padding: "same", activation: "tanh" })
        .apply(sequence(x)),
    "separableConv1d, multiplied at strides": (x) =>
      layers
        .separableConv1d({ filters: 3, kernelSize: 3, strides: 2, depthMultiplier: 2, activation: "mish" })
        .apply(sequence(x)),
    "separableConv1d, causal and dilated": (x) =>
      layers
        .separableConv1d({ filters: 4, kernelSize: 2, dilationRate: 3, padding: "causal", useBias: false })
        .apply(sequence(x)),
  },
  models: [
    chain("separableConv1d", SEQUENCE, () => [
      layers.separableConv1d({ filters: 5, kernelSize: 3, strides: 2, padding: "same", activation: "tanh" }),
    ]),
    chain("separableConv1d, multiplied", SEQUENCE, () => [
      layers.separableConv1d({
        filters: 5,
        kernelSize: 3,
        depthMultiplier: 3,
        dilationRate: 2,
        padding: "causal",
        useBias: false,
      }),
    ]),
  ],
  digest: "98c3dbee09839e58",
};
