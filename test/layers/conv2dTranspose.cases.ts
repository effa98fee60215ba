/** The nets with conv2dTranspose. */
import { layers } from "im2row";
import { chain, IMAGE, margins, type LayerCases } from "./support/cases.ts";

export const CONV2D_TRANSPOSE: LayerCases = {
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
