/** The nets with depthwiseConv2d. */
import { layers } from "im2row";
import { chain, IMAGE, margins, type LayerCases } from "./support/cases.ts";

export const DEPTHWISE_CONV2D: LayerCases = {
  gradients: {
    depthwiseConv2d: () => layers.depthwiseConv2d({ kernelSize: 3, strides: 2, padding: "same" }),
    "depthwiseConv2d, multiplier 2": () => layers.depthwiseConv2d({ kernelSize: 3, depthMultiplier: 2 }),
    "depthwiseConv2d, multiplier 3, strided and dilated": () =>
      layers.depthwiseConv2d({ kernelSize: 2, depthMultiplier: 3, strides: [2, 1], dilationRate: [1, 2] }),
    "depthwiseConv2d, mish": () => layers.depthwiseConv2d({ kernelSize: 3, activation: "mish" }),
  },
  models: [
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
  ],
};
