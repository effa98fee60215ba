/** The cases of conv2dTranspose: its options, refusals, shapes and nets. */
import { layers, OptionError, type Conv2dTransposeLayerOptions, type Layer } from "im2row";
import { COUNT, PADDINGS, SIZE, type Any } from "../support/options.ts";
import { chain, IMAGE, margins, type LayerCases } from "./support/cases.ts";

/** The rows of an output, those of the input, and the options: in both directions alike. */
const ROWS: readonly (readonly [
  rows: number,
  h: number,
  options: Omit<Conv2dTransposeLayerOptions, "filters">,
])[] = [
  [5, 5, { kernelSize: 3, padding: "same" }],
  [7, 5, { kernelSize: 3 }],
  [10, 5, { kernelSize: 3, strides: 2, padding: "same" }],
  [11, 5, { kernelSize: 3, strides: 2 }],
  [15, 5, { kernelSize: 2, strides: 3 }],
  [15, 5, { kernelSize: 2, strides: 3, padding: "same" }],
  [9, 5, { kernelSize: 3, strides: 2, padding: "same", outputPadding: 0 }],
  [10, 5, { kernelSize: 3, strides: 2, padding: "same", outputPadding: 1 }],
  [8, 5, { kernelSize: 4, strides: 2, padding: "same", outputPadding: 0 }],
  [11, 5, { kernelSize: 3, strides: 2, outputPadding: 0 }],
  [12, 5, { kernelSize: 3, strides: 2, outputPadding: 1 }],
  [14, 5, { kernelSize: 2, strides: 3, outputPadding: 0 }],
  [9, 5, { kernelSize: 3, dilationRate: 2 }],
  [10, 5, { kernelSize: 3, strides: 2, dilationRate: 2, padding: "same" }],
  [14, 5, { kernelSize: 2, strides: 3, padding: margins(0, 0, 0, 0) }],
  [9, 5, { kernelSize: 3, strides: 2, padding: margins(1, 1, 1, 1) }],
  [10, 5, { kernelSize: 3, strides: 2, padding: margins(1, 1, 1, 1), outputPadding: 1 }],
  [1, 1, { kernelSize: 3, strides: 2, padding: margins(2, 0, 2, 0) }],
];

const transposed = (more: object): Layer =>
  layers.conv2dTranspose({ filters: 2, kernelSize: 1, ...more } as Any);

const EXTRA = "expected integers from 0 and below the strides";

export const conv2dTranspose: LayerCases = {
  defaults: [
    layers.conv2dTranspose({ filters: 2, kernelSize: 3 }),
    {
      filters: 2,
      kernelSize: [3, 3],
      strides: [1, 1],
      padding: "valid",
      dilationRate: [1, 1],
      groups: 1,
      activation: "linear",
      useBias: true,
      kernelInitializer: "glorotUniform",
      biasInitializer: "zeros",
    },
  ],
  // As Keras or, with explicit padding, as PyTorch.
  shapes: ROWS.map(([rows, h, options]) => [
    layers.conv2dTranspose({ filters: 3, ...options }),
    [h, h, 2],
    [rows, rows, 3],
  ]),
  refuses: {
    [`conv2dTranspose: filters: ${COUNT}, got 0`]: () =>
      layers.conv2dTranspose({ filters: 0, kernelSize: 1 }),
    [`conv2dTranspose: kernelSize: ${SIZE}, got undefined`]: () =>
      layers.conv2dTranspose({ filters: 1 } as Any),
    [`conv2dTranspose: groups: ${COUNT}, got 1.5`]: () => transposed({ groups: 1.5 }),
    [`conv2dTranspose: padding: ${PADDINGS}, got "full"`]: () => transposed({ padding: "full" }),
    [`conv2dTranspose: outputPadding: ${EXTRA} 2×1, got [1,1]`]: () =>
      transposed({ strides: [2, 1], outputPadding: [1, 1] }),
    [`conv2dTranspose: outputPadding: ${EXTRA} 1×1, got 1`]: () => transposed({ outputPadding: 1 }),
    [`conv2dTranspose: outputPadding: ${EXTRA} 3×3, got -1`]: () =>
      transposed({ strides: 3, outputPadding: -1 }),
    [`conv2dTranspose: outputPadding: ${EXTRA} 3×3, got "same"`]: () =>
      transposed({ strides: 3, outputPadding: "same" }),
    [`options filters, groups, outputPadding, kernelSize, strides`]: () => transposed({ stride: 2 }),
  },
  refusesInputs: {
    "conv2dTranspose: expected at most 1073741824 elements in an image with its padding, got 65542×65542×2": [
      transposed({ kernelSize: 2 ** 16 }),
      [7, 7, 3],
    ],
    "conv2dTranspose: expected an image [height, width, channels], got 7×3": [transposed({}), [7, 3]],
    "conv2dTranspose: height: expected an output of at least 1 with its padding, got 0": [
      transposed({ padding: margins(1, 0, 0, 0) }),
      [1, 1, 3],
    ],
    "conv2dTranspose: groups: expected a divisor of 3 input channels and 2 filters, got 2": [
      transposed({ groups: 2 }),
      [7, 7, 3],
      OptionError,
    ],
  },
  gradients: {
    "conv2dTranspose, same": () =>
      layers.conv2dTranspose({ filters: 3, kernelSize: 3, strides: 2, padding: "same", activation: "tanh" }),
    "conv2dTranspose, valid": () =>
      layers.conv2dTranspose({ filters: 3, kernelSize: [2, 3], activation: "silu" }),
    "conv2dTranspose, strides beyond the filters": () =>
      layers.conv2dTranspose({ filters: 2, kernelSize: 2, strides: 3, useBias: false }),
    "conv2dTranspose, padded": () =>
      layers.conv2dTranspose({
        filters: 3,
        kernelSize: 3,
        strides: 2,
        padding: margins(2, 0, 1, 1),
        outputPadding: [0, 1],
      }),
    "conv2dTranspose, dilated and grouped": () =>
      layers.conv2dTranspose({ filters: 4, kernelSize: 2, dilationRate: [2, 3], groups: 2 }),
    "conv2dTranspose, depthwise": () =>
      layers.conv2dTranspose({ filters: 4, kernelSize: 3, groups: 4, strides: 2, padding: "same" }),
    "conv2dTranspose, softmax over channels": () =>
      layers.conv2dTranspose({ filters: 3, kernelSize: 2, activation: "softmax" }),
  },
  // Outputs are smaller than all that the filters reach, as large, and larger.
  models: [
    chain("conv2dTranspose", IMAGE, () => [
      layers.conv2dTranspose({ filters: 5, kernelSize: [3, 2], activation: "relu" }),
    ]),
    ...(["valid", "same"] as const).flatMap((padding) => [
      chain(`conv2dTranspose, ${padding} at strides`, IMAGE, () => [
        layers.conv2dTranspose({ filters: 5, kernelSize: 4, strides: [2, 3], padding }),
      ]),
      chain(`conv2dTranspose, ${padding} with gaps`, IMAGE, () => [
        layers.conv2dTranspose({ filters: 3, kernelSize: [2, 1], strides: [3, 4], padding }),
      ]),
      chain(`conv2dTranspose, ${padding} and output padding`, IMAGE, () => [
        layers.conv2dTranspose({
          filters: 3,
          kernelSize: 3,
          strides: [3, 2],
          padding,
          outputPadding: [2, 0],
        }),
      ]),
    ]),
    chain("conv2dTranspose, padded, with less output padding and with more", IMAGE, () => [
      layers.conv2dTranspose({
        filters: 3,
        kernelSize: 4,
        strides: 3,
        padding: margins(1, 2, 2, 0),
        outputPadding: [1, 2],
      }),
    ]),
    chain("conv2dTranspose in groups, dilated", IMAGE, () => [
      layers.conv2dTranspose({
        filters: 6,
        kernelSize: [3, 2],
        strides: 2,
        dilationRate: [2, 3],
        groups: 2,
        useBias: false,
      }),
    ]),
  ],
};
