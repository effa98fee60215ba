/** The cases of conv2d: its options, refusals, shapes and nets. */
import { layers, OptionError } from "im2row";
import { conv, COUNT, NUMBER, PADDINGS, SIZE, type Any } from "../support/options.ts";
import { chain, IMAGE, margins, type LayerCases } from "./support/cases.ts";

export const conv2d: LayerCases = {
  defaults: [
    layers.conv2d({ filters: 2, kernelSize: 3 }),
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
  // As Keras: "same" gives ⌈size / stride⌉, "valid" ⌊(size − reach) / stride⌋ + 1.
  shapes: [
    [layers.conv2d({ filters: 5, kernelSize: [3, 2] }), [7, 6, 3], [5, 5, 5]],
    [layers.conv2d({ filters: 5, kernelSize: 3, strides: [2, 3], padding: "same" }), [7, 6, 3], [4, 2, 5]],
    [layers.conv2d({ filters: 4, kernelSize: 3, dilationRate: [3, 1] }), [7, 6, 3], [1, 4, 4]],
    [
      layers.conv2d({ filters: 2, kernelSize: 4, strides: 2, padding: margins(1, 0, 2, 1) }),
      [7, 6, 3],
      [3, 3, 2],
    ],
  ],
  refuses: {
    "conv2d: expected an object of options { filters: … }, got undefined": () =>
      layers.conv2d(undefined as Any),
    "conv2d: expected an object of options { filters: … }, got [2,3]": () => layers.conv2d([2, 3] as Any),
    // Only what is left out has a default.
    [`conv2d: groups: ${COUNT}, got null`]: () =>
      layers.conv2d({ filters: 1, kernelSize: 1, groups: null } as Any),
    [`options filters, groups, algorithm, kernelSize, strides, padding, dilationRate, activation`]: () =>
      layers.conv2d({ filters: 1, kernelSize: 1, stride: 2 } as Any),
    [`conv2d: filters: ${COUNT}, got 0`]: () => layers.conv2d({ filters: 0, kernelSize: 1 }),
    [`conv2d: filters: ${COUNT}, got undefined`]: () => layers.conv2d({ kernelSize: 1 } as Any),
    [`conv2d: filters: ${COUNT}, got NaN`]: () => layers.conv2d({ filters: NaN, kernelSize: 1 }),
    [`conv2d: kernelSize: ${SIZE}, got undefined`]: () => layers.conv2d({ filters: 2 } as Any),
    [`conv2d: kernelSize: ${SIZE}, got [3,0]`]: () => layers.conv2d({ filters: 2, kernelSize: [3, 0] }),
    [`conv2d: kernelSize: ${SIZE}, got 1.5`]: () => layers.conv2d({ filters: 2, kernelSize: 1.5 }),
    [`conv2d: strides: ${SIZE}, got 0`]: () => conv({ strides: 0 }),
    [`conv2d: strides: ${SIZE}, got [1,1,1]`]: () => conv({ strides: [1, 1, 1] }),
    [`conv2d: dilationRate: ${SIZE}, got -1`]: () => conv({ dilationRate: -1 }),
    [`conv2d: padding: ${PADDINGS}, got "full"`]: () => conv({ padding: "full" }),
    [`conv2d: padding: ${PADDINGS}, got [[0,-1],[0,0]]`]: () => conv({ padding: margins(0, -1, 0, 0) }),
    [`conv2d: groups: ${COUNT}, got 0`]: () => conv({ groups: 0 }),
    [`conv2d: useBias: expected true or false, got "no"`]: () => conv({ useBias: "no" }),
    [`conv2d: activation: expected one of "linear", "relu", "leakyRelu", "sigmoid", "tanh", "softmax", "relu6", "elu", "selu", "hardSigmoid", "softplus", "silu", "swish", "hardSwish", "gelu", "geluTanh", "mish"; got "swoosh"`]:
      () => conv({ activation: "swoosh" }),
    [`conv2d: activation: leakyRelu: ${NUMBER}, got -1`]: () => conv({ activation: { leakyRelu: -1 } }),
    [`conv2d: activation: elu: ${NUMBER}, got NaN`]: () => conv({ activation: { elu: NaN } }),
    [`conv2d: activation: hardSigmoid: ${NUMBER}, got "1"`]: () => conv({ activation: { hardSigmoid: "1" } }),
    [`got {"gelu":1}`]: () => conv({ activation: { gelu: 1 } }),
    [`got {"elu":1,"leakyRelu":1}`]: () => conv({ activation: { elu: 1, leakyRelu: 1 } }),
    'conv2d: kernelInitializer: expected one of "zeros", "ones", "glorotUniform"': () =>
      conv({ kernelInitializer: "he" }),
    "conv2d: biasInitializer: constant: expected a finite float32, got NaN": () =>
      conv({ biasInitializer: { constant: NaN } }),
  },
  refusesInputs: {
    "conv2d: height: expected an image of at least 9 with its padding, got 5 + 0 + 0": [
      conv({ kernelSize: 9 }),
      [5, 7, 3],
    ],
    "conv2d: expected an image [height, width, channels], got 147": [conv({}), [147]],
    "conv2d: expected an image [height, width, channels], got 7×7": [conv({}), [7, 7]],
    "conv2d: groups: expected a divisor of 3 input channels and 2 filters, got 2": [
      conv({ groups: 2 }),
      [7, 7, 3],
      OptionError,
    ],
  },
  gradients: {
    "conv2d, same": () => layers.conv2d({ filters: 5, kernelSize: 3, padding: "same", activation: "tanh" }),
    "conv2d, valid": () => layers.conv2d({ filters: 3, kernelSize: [3, 2], activation: "sigmoid" }),
    "conv2d, strided": () => layers.conv2d({ filters: 5, kernelSize: 3, strides: 2, activation: "tanh" }),
    "conv2d, dilated": () => layers.conv2d({ filters: 4, kernelSize: 2, dilationRate: [3, 2] }),
    "conv2d, grouped": () => layers.conv2d({ filters: 6, kernelSize: 3, groups: 2, useBias: false }),
    "conv2d, padded": () =>
      layers.conv2d({ filters: 2, kernelSize: 3, strides: [2, 1], padding: margins(2, 0, 1, 1) }),
    "conv2d, softmax over channels": () =>
      layers.conv2d({ filters: 4, kernelSize: 2, activation: "softmax" }),
    "conv2d, gelu": () => layers.conv2d({ filters: 3, kernelSize: 2, activation: "gelu" }),
  },
  models: [
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
  ],
};
