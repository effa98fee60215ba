/** The cases of spectralNormalization: its options, refusals, shapes and nets. */
import { layers, OptionError, type Layer } from "im2row";
import { COUNT, type Any } from "../support/options.ts";
import { chain, IMAGE, SEQUENCE, sequence, type LayerCases } from "./support/cases.ts";

const TYPES =
  "spectralNormalization: layer: expected a layer of the types conv1d, conv2d, depthwiseConv2d, dense; got";
const normalized = (layer: Layer, powerIterations = 1): Layer =>
  layers.spectralNormalization({ layer, powerIterations });

export const spectralNormalization: LayerCases = {
  defaults: [
    layers.spectralNormalization({ layer: layers.dense({ units: 3 }) }),
    {
      layer: {
        type: "dense",
        config: {
          units: 3,
          activation: "linear",
          useBias: true,
          kernelInitializer: "glorotUniform",
          biasInitializer: "zeros",
        },
      },
      powerIterations: 1,
    },
  ],
  shapes: [
    [normalized(layers.dense({ units: 3 })), [5, 4], [5, 3]],
    [normalized(layers.conv2d({ filters: 5, kernelSize: 3, strides: 2 })), [9, 8, 4], [4, 3, 5]],
    [normalized(layers.depthwiseConv2d({ kernelSize: 3, depthMultiplier: 2 })), [9, 8, 4], [7, 6, 8]],
    [normalized(layers.conv1d({ filters: 2, kernelSize: 3, padding: "causal" })), [11, 4], [11, 2]],
  ],
  refuses: {
    [`${TYPES} "flatten"`]: () => normalized(layers.flatten()),
    [`${TYPES} "conv2dTranspose"`]: () => normalized(layers.conv2dTranspose({ filters: 1, kernelSize: 1 })),
    [`${TYPES} "dense"`]: () => layers.spectralNormalization({ layer: { type: "dense" } } as Any),
    [`${TYPES} undefined`]: () => layers.spectralNormalization({} as Any),
    [`${TYPES} 3`]: () => layers.spectralNormalization({ layer: 3 } as Any),
    "dense: units: expected a positive integer, got 0": () =>
      layers.spectralNormalization({ layer: { type: "dense", config: { units: 0 } } }),
    [`spectralNormalization: powerIterations: ${COUNT}, got 0`]: () =>
      normalized(layers.dense({ units: 3 }), 0),
  },
  refusesInputs: {
    "spectralNormalization: expected an image [height, width, channels], got 5×6": [
      normalized(layers.conv2d({ filters: 2, kernelSize: 1 })),
      [5, 6],
    ],
    "spectralNormalization: groups: expected a divisor of 3 input channels and 2 filters, got 2": [
      normalized(layers.conv2d({ filters: 2, kernelSize: 1, groups: 2 })),
      [5, 6, 3],
      OptionError,
    ],
  },
  // The vectors are constants in the gradient, and at the end of so many iterations the slope has none of them left.
  gradients: {
    "spectralNormalization of conv2d": () =>
      normalized(layers.conv2d({ filters: 5, kernelSize: 3, activation: "tanh" }), 60),
    "spectralNormalization of depthwiseConv2d": () =>
      normalized(layers.depthwiseConv2d({ kernelSize: 2 }), 60),
    "spectralNormalization of conv1d": (x) =>
      normalized(layers.conv1d({ filters: 3, kernelSize: 3, useBias: false }), 60).apply(sequence(x)),
    "spectralNormalization of dense": () => normalized(layers.dense({ units: 3, activation: "mish" }), 60),
  },
  models: [
    chain("spectralNormalization of conv2d", IMAGE, () => [
      normalized(layers.conv2d({ filters: 5, kernelSize: 3, padding: "same", activation: "relu" })),
      layers.batchNormalization(),
    ]),
    chain("spectralNormalization of depthwiseConv2d", IMAGE, () => [
      normalized(layers.depthwiseConv2d({ kernelSize: 2, depthMultiplier: 2 }), 2),
    ]),
    chain("spectralNormalization of conv1d", SEQUENCE, () => [
      normalized(layers.conv1d({ filters: 2, kernelSize: 3, useBias: false })),
    ]),
    chain("spectralNormalization of dense", [5, 6], () => [
      normalized(layers.dense({ units: 4, activation: "tanh" })),
    ]),
  ],
  digest: "b52781a3ba07e0bb",
};
