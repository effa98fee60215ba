/** Nets with every convolution and pooling, each with all of its options. */
import { layers } from "im2row";
import { chain, IMAGE, margins, type ExportCase } from "./exportCase.ts";

/** An odd number of steps, so that strides leave some over. */
const SEQUENCE = [11, 4];

const CONVOLUTIONS: ExportCase[] = [
  chain("conv2d", IMAGE, () => [layers.conv2d({ filters: 5, kernelSize: [3, 2], activation: "relu" })]),
  chain("conv2d, same at strides", IMAGE, () => [
    layers.conv2d({ filters: 5, kernelSize: 4, strides: [2, 3], padding: "same" }),
  ]),
  chain("conv2d, rows left over", IMAGE, () => [
    layers.conv2d({ filters: 3, kernelSize: 2, strides: [4, 3] }),
  ]),
  chain("conv2d, padded more than it reads", IMAGE, () => [
    layers.conv2d({ filters: 3, kernelSize: 3, strides: 4, padding: margins(1, 3, 0, 2) }),
  ]),
  chain("conv2d, dilated", IMAGE, () => [
    layers.conv2d({ filters: 5, kernelSize: 3, dilationRate: [2, 1], padding: "same", useBias: false }),
  ]),
  chain("conv2d in groups", IMAGE, () => [
    layers.conv2d({ filters: 6, kernelSize: 3, groups: 2, activation: "tanh" }),
  ]),
  chain("conv2d, softmax of its channels", IMAGE, () => [
    layers.conv2d({ filters: 3, kernelSize: 1, activation: "softmax" }),
  ]),
  chain("depthwiseConv2d", IMAGE, () => [
    layers.depthwiseConv2d({
      kernelSize: 3,
      strides: 2,
      padding: margins(0, 1, 2, 0),
      activation: "sigmoid",
    }),
  ]),
  chain("depthwiseConv2d, multiplied", IMAGE, () => [
    layers.depthwiseConv2d({ kernelSize: [2, 3], depthMultiplier: 3, dilationRate: 2, useBias: false }),
  ]),
];

const SEQUENCE_CONVOLUTIONS: ExportCase[] = [
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
];

/** Outputs that are smaller than all that the filters reach, as large, and larger. */
const TRANSPOSED_CONVOLUTIONS: ExportCase[] = [
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
      layers.conv2dTranspose({ filters: 3, kernelSize: 3, strides: [3, 2], padding, outputPadding: [2, 0] }),
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
];

const SEPARABLE_CONVOLUTIONS: ExportCase[] = [
  chain("separableConv2d", IMAGE, () => [
    layers.separableConv2d({
      filters: 5,
      kernelSize: [3, 2],
      strides: 2,
      padding: "same",
      activation: "tanh",
    }),
  ]),
  chain("separableConv2d, multiplied", IMAGE, () => [
    layers.separableConv2d({
      filters: 5,
      kernelSize: 3,
      depthMultiplier: 3,
      dilationRate: [1, 2],
      useBias: false,
    }),
  ]),
];

const POOLINGS: ExportCase[] = (["maxPooling2d", "averagePooling2d"] as const).flatMap((type) => [
  chain(type, IMAGE, () => [layers[type]()]),
  chain(`${type}, same`, IMAGE, () => [layers[type]({ poolSize: [3, 2], strides: [2, 3], padding: "same" })]),
  chain(`${type}, padded`, IMAGE, () => [
    layers[type]({ poolSize: 3, strides: 2, padding: margins(2, 1, 0, 1) }),
  ]),
]);

const SEQUENCE_POOLINGS: ExportCase[] = (["maxPooling1d", "averagePooling1d"] as const).flatMap((type) => [
  chain(type, SEQUENCE, () => [layers[type]()]),
  chain(`${type}, same`, SEQUENCE, () => [layers[type]({ poolSize: 4, strides: 3, padding: "same" })]),
  chain(`${type}, padded`, SEQUENCE, () => [layers[type]({ poolSize: 3, strides: 2, padding: [2, 1] })]),
]);

const GLOBAL_POOLINGS: ExportCase[] = [
  chain("globalMaxPooling2d", IMAGE, () => [layers.globalMaxPooling2d()]),
  chain("globalAveragePooling2d", IMAGE, () => [layers.globalAveragePooling2d()]),
  chain("globalMaxPooling1d", SEQUENCE, () => [layers.globalMaxPooling1d()]),
  chain("globalAveragePooling1d", SEQUENCE, () => [layers.globalAveragePooling1d()]),
];

export const WINDOW_CASES: readonly ExportCase[] = [
  ...CONVOLUTIONS,
  ...SEQUENCE_CONVOLUTIONS,
  ...TRANSPOSED_CONVOLUTIONS,
  ...SEPARABLE_CONVOLUTIONS,
  ...POOLINGS,
  ...SEQUENCE_POOLINGS,
  ...GLOBAL_POOLINGS,
];
