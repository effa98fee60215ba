/** The nets with separableConv2d. */
import { layers } from "im2row";
import { chain, IMAGE, type LayerCases } from "./support/cases.ts";

export const SEPARABLE_CONV2D: LayerCases = {
  gradients: {
    separableConv2d: () =>
      layers.separableConv2d({ filters: 5, kernelSize: 3, padding: "same", activation: "tanh" }),
    "separableConv2d, multiplier 2": () =>
      layers.separableConv2d({
        filters: 3,
        kernelSize: 3,
        strides: 2,
        depthMultiplier: 2,
        activation: "mish",
      }),
    "separableConv2d, dilated": () =>
      layers.separableConv2d({ filters: 4, kernelSize: 2, dilationRate: [3, 2], useBias: false }),
  },
  models: [
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
  ],
};
