import { layers, sequential, type Layer, type Model } from "im2row";
import type { NetworkOptions } from "./options.ts";

/** Two 3×3 convolutions, then half the resolution. */
function stage(filters: number): Layer[] {
  const options = { filters, kernelSize: 3, padding: "same", activation: "relu" } as const;
  return [layers.conv2d(options), layers.conv2d(options), layers.maxPooling2d({ poolSize: 2 })];
}

/**
 * A small VGG for CIFAR-10's images: the first two stages of the large ones, with fewer filters.
 *
 * Simonyan, Zisserman, "Very deep convolutional networks for large-scale image recognition", 2015.
 *
 * `[32, 32, 3]` → `[16, 16, 32]` → `[8, 8, 64]` → 4096 → 256 → `[classes]`, 10 by default.
 */
export function cifarVgg({ classes = 10, seed = 0 }: NetworkOptions = {}): Model {
  return sequential({
    inputShape: [32, 32, 3],
    layers: [
      ...stage(32),
      ...stage(64),
      layers.flatten(),
      layers.dense({ units: 256, activation: "relu" }),
      layers.dense({ units: classes }),
    ],
    seed,
  });
}
