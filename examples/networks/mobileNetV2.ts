import { input, layers, model, type Model, type SymbolicTensor } from "im2row";
import { normalized } from "./normalized.ts";
import type { ImageNetworkOptions } from "./options.ts";

/** Table 2 of the paper: expansion, filters, number of blocks, strides of the first. */
const STAGES = [
  [1, 16, 1, 1],
  [6, 24, 2, 2],
  [6, 32, 3, 2],
  [6, 64, 4, 2],
  [6, 96, 3, 1],
  [6, 160, 3, 2],
  [6, 320, 1, 1],
] as const;

/** 1×1 to more channels, 3×3 on each channel, 1×1 back to few and no activation; a sum with its input if the shapes agree. */
function invertedResidual(
  x: SymbolicTensor,
  expansion: number,
  filters: number,
  strides: number,
): SymbolicTensor {
  const channels = x.shape.at(-1)!;
  const wide =
    expansion === 1
      ? x
      : normalized(x, { filters: expansion * channels, kernelSize: 1, activation: "relu6" });
  const seen = normalized(wide, { kernelSize: 3, strides, activation: "relu6" });
  const y = normalized(seen, { filters, kernelSize: 1 });
  return strides === 1 && channels === filters ? layers.add().apply([x, y]) : y;
}

/**
 * MobileNetV2 of width 1, for ImageNet.
 *
 * Sandler, Howard, Zhu, Zhmoginov, Chen, "MobileNetV2: inverted residuals and linear bottlenecks", 2018; as in torchvision.
 *
 * `[224, 224, 3]` → `[112, 112, 16]` → `[56, 56, 24]` → `[28, 28, 32]` → `[14, 14, 96]` → `[7, 7, 1280]` → 1280 →
 * `[classes]`, 1000 by default.
 */
export function mobileNetV2(options: ImageNetworkOptions = {}): Model {
  const { classes = 1000, imageSize = 224, seed = 0 } = options;
  const image = input({ shape: [imageSize, imageSize, 3], name: "image" });
  let x = normalized(image, { filters: 32, kernelSize: 3, strides: 2, activation: "relu6" });
  for (const [expansion, filters, depth, strides] of STAGES) {
    for (let i = 0; i < depth; i++) x = invertedResidual(x, expansion, filters, i === 0 ? strides : 1);
  }
  x = normalized(x, { filters: 1280, kernelSize: 1, activation: "relu6" });
  x = layers.dropout({ rate: 0.2 }).apply(layers.globalAveragePooling2d().apply(x));
  return model({ inputs: image, outputs: layers.dense({ units: classes }).apply(x), seed });
}
