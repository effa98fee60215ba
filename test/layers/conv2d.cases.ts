/** The nets with conv2d. */
import { layers } from "im2row";
import { chain, IMAGE, margins, type LayerCases } from "./support/cases.ts";

export const CONV2D: LayerCases = {
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
