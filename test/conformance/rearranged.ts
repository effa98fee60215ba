/** A net whose pixels become channels and channels pixels, between kernels of a largest singular value of 1. */
import { layers, sequential, type Model } from "im2row";

export function rearranged(seed: number): Model {
  const one = { kernelSize: 3, strides: 2, padding: [1, 1] } as const;
  return sequential({
    inputShape: [8, 6, 4],
    layers: [
      layers.spectralNormalization({
        layer: layers.conv2d({ filters: 8, kernelSize: 3, padding: "same", activation: "tanh" }),
      }),
      layers.spaceToDepth({ blockSize: 2 }),
      layers.conv2d({ filters: 12, kernelSize: 1, activation: "tanh" }),
      layers.depthToSpace({ blockSize: 2 }),
      layers.reshape({ targetShape: [48, 3] }),
      layers.separableConv1d({ filters: 6, ...one, depthMultiplier: 2 }),
      layers.unitNormalization(),
      layers.conv1dTranspose({ filters: 4, ...one, outputPadding: 1, activation: "tanh" }),
      layers.flatten(),
      layers.spectralNormalization({ layer: layers.dense({ units: 5 }) }),
    ],
    seed,
  });
}
