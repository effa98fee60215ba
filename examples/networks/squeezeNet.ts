import { input, layers, model, type Model, type SymbolicTensor } from "im2row";
import type { ImageNetworkOptions } from "./options.ts";

/** The fire modules between two poolings: filters that squeeze, and of each kind that expands. */
const STAGES = [
  [
    [16, 64],
    [16, 64],
  ],
  [
    [32, 128],
    [32, 128],
  ],
  [
    [48, 192],
    [48, 192],
    [64, 256],
    [64, 256],
  ],
] as const;

function convolution(x: SymbolicTensor, filters: number, kernelSize: number, strides = 1): SymbolicTensor {
  const padding = kernelSize === 3 && strides === 1 ? "same" : "valid";
  return layers
    .conv2d({ filters, kernelSize, strides, padding, activation: "relu", kernelInitializer: "heUniform" })
    .apply(x);
}

/** 1×1 to few channels; from them 1×1 and 3×3, side by side. */
function fire(x: SymbolicTensor, squeeze: number, expand: number): SymbolicTensor {
  const few = convolution(x, squeeze, 1);
  return layers.concatenate().apply([convolution(few, expand, 1), convolution(few, expand, 3)]);
}

/** Maxima of 3×3 pixels at strides of 2. A last window that lies half outside counts as well, torchvision's `ceil_mode`. */
function pool(x: SymbolicTensor): SymbolicTensor {
  const odd = x.shape[0]! % 2 === 0 ? 1 : 0;
  const padding = [
    [0, odd],
    [0, odd],
  ] as const;
  return layers.maxPooling2d({ poolSize: 3, strides: 2, padding }).apply(x);
}

/**
 * SqueezeNet 1.1, for ImageNet.
 *
 * Iandola, Han, Moskewicz, Ashraf, Dally, Keutzer, "SqueezeNet: AlexNet-level accuracy with 50x fewer parameters and
 * < 0.5 MB model size", 2016; version 1.1 is the authors' later one, with the same accuracy for 2.4 times less work. As in
 * torchvision, whose last relu is the paper's: no logit is below zero.
 *
 * `[224, 224, 3]` → `[111, 111, 64]` → `[55, 55, 128]` → `[27, 27, 256]` → `[13, 13, 512]` → `[13, 13, classes]` →
 * `[classes]`, 1000 by default.
 */
export function squeezeNet(options: ImageNetworkOptions = {}): Model {
  const { classes = 1000, imageSize = 224, seed = 0 } = options;
  const image = input({ shape: [imageSize, imageSize, 3], name: "image" });
  let x = convolution(image, 64, 3, 2);
  for (const stage of STAGES) {
    x = pool(x);
    for (const [squeeze, expand] of stage) x = fire(x, squeeze, expand);
  }
  const maps = convolution(layers.dropout({ rate: 0.5 }).apply(x), classes, 1);
  return model({ inputs: image, outputs: layers.globalAveragePooling2d().apply(maps), seed });
}
