import { input, layers, model, type Model, type SymbolicTensor } from "im2row";
import { around, normalized } from "./normalized.ts";
import type { ImageNetworkOptions } from "./options.ts";

/**
 * The branch of a block, which is added to the block's input; `strides` of its first block make a stage's resolution.
 */
type Residual = (x: SymbolicTensor, width: number, strides: number) => SymbolicTensor;

/** Two 3×3 convolutions. */
const basic: Residual = (x, width, strides) => {
  const y = normalized(x, { filters: width, kernelSize: 3, strides, activation: "relu" });
  return normalized(y, { filters: width, kernelSize: 3 });
};

/**
 * 1×1, 3×3, 1×1 with four times the filters. The 3×3 has the strides, as in torchvision; in the paper the first 1×1.
 */
const bottleneck: Residual = (x, width, strides) => {
  const narrow = normalized(x, { filters: width, kernelSize: 1, activation: "relu" });
  const y = normalized(narrow, { filters: width, kernelSize: 3, strides, activation: "relu" });
  return normalized(y, { filters: 4 * width, kernelSize: 1 });
};

/** relu(residual + x), where a 1×1 convolution brings x to the residual's shape if it has another. */
function block(x: SymbolicTensor, residual: Residual, width: number, strides: number): SymbolicTensor {
  const y = residual(x, width, strides);
  const filters = y.shape.at(-1)!;
  const fits = strides === 1 && x.shape.at(-1) === filters;
  const shortcut = fits ? x : normalized(x, { filters, kernelSize: 1, strides });
  return layers.activation({ activation: "relu" }).apply(layers.add().apply([y, shortcut]));
}

function resnet(residual: Residual, depths: readonly number[], options: ImageNetworkOptions): Model {
  const { classes = 1000, imageSize = 224, seed = 0 } = options;
  const image = input({ shape: [imageSize, imageSize, 3], name: "image" });
  let x = normalized(image, { filters: 64, kernelSize: 7, strides: 2, activation: "relu" });
  x = layers.maxPooling2d({ poolSize: 3, strides: 2, padding: around(3) }).apply(x);
  for (const [stage, depth] of depths.entries()) {
    for (let i = 0; i < depth; i++) x = block(x, residual, 64 * 2 ** stage, i === 0 && stage > 0 ? 2 : 1);
  }
  const features = layers.globalAveragePooling2d().apply(x);
  return model({ inputs: image, outputs: layers.dense({ units: classes }).apply(features), seed });
}

/**
 * ResNet-18, for ImageNet.
 *
 * He, Zhang, Ren, Sun, "Deep residual learning for image recognition", 2016; as in torchvision.
 *
 * `[224, 224, 3]` → `[112, 112, 64]` → `[56, 56, 64]` → `[28, 28, 128]` → `[14, 14, 256]` → `[7, 7, 512]` → 512 →
 * `[classes]`, 1000 by default.
 */
export function resnet18(options: ImageNetworkOptions = {}): Model {
  return resnet(basic, [2, 2, 2, 2], options);
}

/**
 * ResNet-50, for ImageNet: the paper of ResNet-18; as in torchvision, where it is known as version 1.5.
 *
 * `[224, 224, 3]` → `[112, 112, 64]` → `[56, 56, 256]` → `[28, 28, 512]` → `[14, 14, 1024]` → `[7, 7, 2048]` → 2048 →
 * `[classes]`, 1000 by default.
 */
export function resnet50(options: ImageNetworkOptions = {}): Model {
  return resnet(bottleneck, [3, 4, 6, 3], options);
}
