/** separableConv2d: what it is made with, refuses and gives. The nets with it are in `separableConv2d.cases.ts`. */
import { layers } from "../../src/index.ts";
import { COUNT, separable, type Any } from "../support/options.ts";
import { describeLayer } from "./support/describeLayer.ts";

describeLayer("separableConv2d", {
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
    [`filters, depthMultiplier, depthwiseInitializer, pointwiseInitializer; got "kernelInitializer"`]: () =>
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
});
