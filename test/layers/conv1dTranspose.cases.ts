/** The cases of conv1dTranspose: its options, refusals, shapes and nets. */
import { layers, OptionError, type Layer } from "im2row";
import { COUNT, PAIR, type Any } from "../support/options.ts";
import { chain, SEQUENCE, sequence, type LayerCases } from "./support/cases.ts";

const transposed = (more: object): Layer =>
  layers.conv1dTranspose({ filters: 2, kernelSize: 1, ...more } as Any);

export const conv1dTranspose: LayerCases = {
  defaults: [
    layers.conv1dTranspose({ filters: 2, kernelSize: 3 }),
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
  // As the rows of conv2dTranspose.
  shapes: [
    [transposed({ kernelSize: 3 }), [5, 4], [7, 2]],
    [transposed({ kernelSize: 3, padding: "same" }), [5, 4], [5, 2]],
    [transposed({ kernelSize: 3, strides: 2 }), [5, 4], [11, 2]],
    [transposed({ kernelSize: 3, strides: 2, padding: "same" }), [5, 4], [10, 2]],
    [transposed({ kernelSize: 3, strides: 2, padding: "same", outputPadding: 0 }), [5, 4], [9, 2]],
    [transposed({ kernelSize: 3, strides: 2, padding: [1, 1], outputPadding: 1 }), [5, 4], [10, 2]],
    [transposed({ kernelSize: 3, dilationRate: 2 }), [5, 4], [9, 2]],
    [transposed({ kernelSize: 2, strides: 3, groups: 2 }), [5, 4], [15, 2]],
  ],
  refuses: {
    [`conv1dTranspose: filters: ${COUNT}, got undefined`]: () =>
      layers.conv1dTranspose({ kernelSize: 1 } as Any),
    [`conv1dTranspose: kernelSize: ${COUNT}, got [1,3]`]: () => transposed({ kernelSize: [1, 3] }),
    [`conv1dTranspose: padding: expected "same", "valid" or ${PAIR}, got "causal"`]: () =>
      transposed({ padding: "causal" }),
    "conv1dTranspose: outputPadding: expected an integer from 0 and below the strides, 2, got 2": () =>
      transposed({ strides: 2, outputPadding: 2 }),
    "conv1dTranspose: outputPadding: expected an integer from 0 and below the strides, 1, got [0]": () =>
      transposed({ outputPadding: [0] }),
  },
  refusesInputs: {
    "conv1dTranspose: expected a sequence [steps, channels], got 7×7×3": [transposed({}), [7, 7, 3]],
    "conv1dTranspose: groups: expected a divisor of 3 input channels and 2 filters, got 2": [
      transposed({ groups: 2 }),
      [7, 3],
      OptionError,
    ],
    "conv1dTranspose: width: expected an output of at least 1 with its padding, got 0": [
      transposed({ padding: [1, 0] }),
      [1, 3],
    ],
  },
  gradients: {
    "conv1dTranspose, strided": (x) =>
      layers
        .conv1dTranspose({ filters: 3, kernelSize: 3, strides: 2, activation: "tanh" })
        .apply(sequence(x)),
    "conv1dTranspose, same, in groups": (x) =>
      layers
        .conv1dTranspose({ filters: 4, kernelSize: 4, padding: "same", groups: 2, activation: "mish" })
        .apply(sequence(x)),
    "conv1dTranspose, padded and dilated": (x) =>
      layers
        .conv1dTranspose({ filters: 2, kernelSize: 3, dilationRate: 2, padding: [1, 2], useBias: false })
        .apply(sequence(x)),
  },
  models: [
    chain("conv1dTranspose", SEQUENCE, () => [
      layers.conv1dTranspose({ filters: 5, kernelSize: 3, strides: 2, activation: "relu" }),
    ]),
    chain("conv1dTranspose, same", SEQUENCE, () => [
      layers.conv1dTranspose({ filters: 5, kernelSize: 4, strides: 3, padding: "same", outputPadding: 1 }),
    ]),
    chain("conv1dTranspose, longer than its windows", SEQUENCE, () => [
      layers.conv1dTranspose({ filters: 6, kernelSize: 2, strides: 3, groups: 2, activation: "softmax" }),
    ]),
    chain("conv1dTranspose, dilated and padded", SEQUENCE, () => [
      layers.conv1dTranspose({ filters: 2, kernelSize: 3, dilationRate: 2, padding: [3, 1], useBias: false }),
    ]),
  ],
  digest: "4b42c0e6dc043008",
};
