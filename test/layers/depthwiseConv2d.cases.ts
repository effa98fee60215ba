/** The cases of depthwiseConv2d: its options, refusals, shapes and nets. */
import { layers } from "im2row";
import { COUNT, SIZE, type Any } from "../support/options.ts";
import { chain, IMAGE, margins, type LayerCases } from "./support/cases.ts";

export const depthwiseConv2d: LayerCases = {
  defaults: [
    layers.depthwiseConv2d({ kernelSize: 3 }),
    {
      kernelSize: [3, 3],
      depthMultiplier: 1,
      strides: [1, 1],
      padding: "valid",
      dilationRate: [1, 1],
      activation: "linear",
      useBias: true,
      kernelInitializer: "glorotUniform",
      biasInitializer: "zeros",
    },
  ],
  // As Keras: as many channels as the image has, times the multiplier.
  shapes: [
    [layers.depthwiseConv2d({ kernelSize: [3, 2] }), [7, 6, 3], [5, 5, 3]],
    [layers.depthwiseConv2d({ kernelSize: 3, strides: 2, padding: "same" }), [7, 6, 3], [4, 3, 3]],
    [layers.depthwiseConv2d({ kernelSize: 2, depthMultiplier: 4, dilationRate: 3 }), [7, 6, 3], [4, 3, 12]],
  ],
  refuses: {
    [`depthwiseConv2d: depthMultiplier: ${COUNT}, got 0`]: () =>
      layers.depthwiseConv2d({ kernelSize: 1, depthMultiplier: 0 }),
    [`biasInitializer, kernelRegularizer, biasRegularizer, name; got "filters"`]: () =>
      layers.depthwiseConv2d({ kernelSize: 1, filters: 2 } as Any),
    [`depthwiseConv2d: kernelSize: ${SIZE}, got 0`]: () => layers.depthwiseConv2d({ kernelSize: 0 }),
  },
  refusesInputs: {
    "depthwiseConv2d: width: expected an image of at least 5 with its padding, got 4 + 0 + 0": [
      layers.depthwiseConv2d({ kernelSize: 3, dilationRate: 2 }),
      [7, 4, 3],
    ],
    "depthwiseConv2d: expected an image [height, width, channels], got 7×3": [
      layers.depthwiseConv2d({ kernelSize: 1 }),
      [7, 3],
    ],
  },
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
