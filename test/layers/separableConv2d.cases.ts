/** The cases of separableConv2d: its options, refusals, shapes and nets. */
import { layers, type Layer } from "im2row";
import { COUNT, type Any } from "../support/options.ts";
import { chain, IMAGE, type LayerCases } from "./support/cases.ts";

const separable = (more: object): Layer =>
  layers.separableConv2d({ filters: 2, kernelSize: 1, ...more } as Any);

export const separableConv2d: LayerCases = {
  defaults: [
    layers.separableConv2d({ filters: 2, kernelSize: 3 }),
    {
      filters: 2,
      kernelSize: [3, 3],
      depthMultiplier: 1,
      strides: [1, 1],
      padding: "valid",
      dilationRate: [1, 1],
      activation: "linear",
      useBias: true,
      depthwiseInitializer: "glorotUniform",
      pointwiseInitializer: "glorotUniform",
      biasInitializer: "zeros",
    },
  ],
  // As Keras: the sizes of the depthwise convolution, the channels of the pointwise one.
  shapes: [
    [layers.separableConv2d({ filters: 5, kernelSize: [3, 2] }), [7, 6, 3], [5, 5, 5]],
    [
      layers.separableConv2d({ filters: 2, kernelSize: 3, strides: 2, padding: "same" }),
      [7, 6, 3],
      [4, 3, 2],
    ],
    [layers.separableConv2d({ filters: 4, kernelSize: 2, depthMultiplier: 2 }), [7, 6, 3], [6, 5, 4]],
  ],
  refuses: {
    [`separableConv2d: filters: ${COUNT}, got undefined`]: () =>
      layers.separableConv2d({ kernelSize: 1 } as Any),
    [`separableConv2d: kernelSize: expected a positive integer or [height, width] of such, got 0`]: () =>
      separable({ kernelSize: 0 }),
    [`separableConv2d: depthMultiplier: ${COUNT}, got 0.5`]: () => separable({ depthMultiplier: 0.5 }),
    "separableConv2d: depthwiseInitializer: expected one of": () => separable({ depthwiseInitializer: "he" }),
    "separableConv2d: pointwiseInitializer: constant: expected a finite float32, got NaN": () =>
      separable({ pointwiseInitializer: { constant: NaN } }),
    [`activation, useBias, biasInitializer, biasRegularizer, name; got "kernelInitializer"`]: () =>
      separable({ kernelInitializer: "ones" }),
    [`separableConv2d: useBias: expected true or false, got 1`]: () => separable({ useBias: 1 }),
  },
  refusesInputs: {
    "separableConv2d: expected an image [height, width, channels], got 7×3": [separable({}), [7, 3]],
    "separableConv2d: width: expected an image of at least 8 with its padding, got 7 + 0 + 0": [
      separable({ kernelSize: 8 }),
      [9, 7, 3],
    ],
  },
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
