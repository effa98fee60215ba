/** The cases of conv1d: its options, refusals, shapes and nets. */
import { layers, OptionError, type Layer } from "im2row";
import { COUNT, PAIR, type Any } from "../support/options.ts";
import { chain, margins, SEQUENCE, sequence, type LayerCases } from "./support/cases.ts";

const convolution = (more: object): Layer => layers.conv1d({ filters: 2, kernelSize: 1, ...more } as Any);

export const conv1d: LayerCases = {
  defaults: [
    layers.conv1d({ filters: 2, kernelSize: 3 }),
    {
      filters: 2,
      kernelSize: 3,
      strides: 1,
      padding: "valid",
      dilationRate: 1,
      groups: 1,
      activation: "linear",
      useBias: true,
      kernelInitializer: "glorotUniform",
      biasInitializer: "zeros",
    },
  ],
  // As Keras: "causal" keeps ⌈steps / stride⌉ of them, as "same" does.
  shapes: [
    [layers.conv1d({ filters: 5, kernelSize: 3 }), [11, 4], [9, 5]],
    [layers.conv1d({ filters: 5, kernelSize: 4, strides: 3, padding: "same" }), [11, 4], [4, 5]],
    [layers.conv1d({ filters: 2, kernelSize: 3, dilationRate: 4, padding: "causal" }), [11, 4], [11, 2]],
    [layers.conv1d({ filters: 2, kernelSize: 3, strides: 2, padding: "causal" }), [11, 4], [6, 2]],
    [layers.conv1d({ filters: 6, kernelSize: 2, padding: [0, 3], groups: 2 }), [11, 4], [13, 6]],
  ],
  refuses: {
    [`conv1d: filters: ${COUNT}, got undefined`]: () => layers.conv1d({ kernelSize: 1 } as Any),
    [`conv1d: kernelSize: ${COUNT}, got [1,3]`]: () =>
      layers.conv1d({ filters: 1, kernelSize: [1, 3] as Any }),
    [`conv1d: strides: ${COUNT}, got 0`]: () => convolution({ strides: 0 }),
    [`conv1d: dilationRate: ${COUNT}, got 1.5`]: () => convolution({ dilationRate: 1.5 }),
    [`conv1d: groups: ${COUNT}, got -1`]: () => convolution({ groups: -1 }),
    [`conv1d: padding: expected "same", "valid", "causal" or ${PAIR}, got [[0,0],[1,1]]`]: () =>
      convolution({ padding: margins(0, 0, 1, 1) }),
    [`conv1d: padding: expected "same", "valid", "causal" or ${PAIR}, got [0,-1]`]: () =>
      convolution({ padding: [0, -1] }),
    "conv1d: useBias: expected true or false, got 1": () => convolution({ useBias: 1 }),
    [`useBias, kernelInitializer, biasInitializer, kernelRegularizer, biasRegularizer, name; got "stride"`]:
      () => convolution({ stride: 2 }),
  },
  refusesInputs: {
    "conv1d: expected a sequence [steps, channels], got 7×7×3": [convolution({}), [7, 7, 3]],
    "conv1d: expected at least 7 steps with their padding, got 5 + 0 + 1": [
      convolution({ kernelSize: 3, dilationRate: 3, padding: [0, 1] }),
      [5, 3],
    ],
    "conv1d: groups: expected a divisor of 3 input channels and 2 filters, got 2": [
      convolution({ groups: 2 }),
      [7, 3],
      OptionError,
    ],
  },
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
