import { layers, sequential, type Model } from "im2row";
import type { NetworkOptions } from "./options.ts";

/**
 * LeNet-5 with relu and max pooling in place of its sigmoids and means.
 *
 * LeCun, Bottou, Bengio, Haffner, "Gradient-based learning applied to document recognition", 1998.
 *
 * `[28, 28, 1]` → `[14, 14, 6]` → `[5, 5, 16]` → 400 → 120 → 84 → `[classes]`, 10 by default.
 */
export function lenet5({ classes = 10, seed = 0 }: NetworkOptions = {}): Model {
  return sequential({
    inputShape: [28, 28, 1],
    layers: [
      layers.conv2d({ filters: 6, kernelSize: 5, padding: "same", activation: "relu" }),
      layers.maxPooling2d({ poolSize: 2 }),
      layers.conv2d({ filters: 16, kernelSize: 5, activation: "relu" }),
      layers.maxPooling2d({ poolSize: 2 }),
      layers.flatten(),
      layers.dense({ units: 120, activation: "relu" }),
      layers.dense({ units: 84, activation: "relu" }),
      layers.dense({ units: classes }),
    ],
    seed,
  });
}
