import { layers, type SymbolicTensor } from "im2row";

/**
 * Padding with the same on each side, as in PyTorch's nets; `"same"` would put the odd row below, as TensorFlow does.
 */
export function around(kernelSize: number) {
  const size = (kernelSize - 1) / 2;
  return [
    [size, size],
    [size, size],
  ] as const;
}

export interface NormalizedOptions {
  /** Each channel has one of its own unless their number is given. */
  filters?: number;
  kernelSize: number;
  strides?: number;
  activation?: "relu" | "relu6" | "linear";
}

/** A convolution without biases, batch normalization with torchvision's numbers, an activation. */
export function normalized(x: SymbolicTensor, options: NormalizedOptions): SymbolicTensor {
  const { filters, kernelSize, strides = 1, activation = "linear" } = options;
  const shared = {
    kernelSize,
    strides,
    padding: around(kernelSize),
    useBias: false,
    kernelInitializer: "heNormal",
  } as const;
  const convolution =
    filters === undefined ? layers.depthwiseConv2d(shared) : layers.conv2d({ filters, ...shared });
  const y = layers.batchNormalization({ epsilon: 1e-5, momentum: 0.9 }).apply(convolution.apply(x));
  return activation === "linear" ? y : layers.activation({ activation }).apply(y);
}
