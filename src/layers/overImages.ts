import type { Shape } from "../tensor.ts";
import type { Layer } from "./contract.ts";
import { layerOf } from "./symbolic.ts";

/** A layer for one image as one for a tensor whose first axis counts `images` of them. */
export function overImages(layer: Layer, images: number): Layer {
  const image = (shape: Shape): Shape => shape.slice(1);
  return layerOf({
    ...layer,
    imagesPerImage: images,
    outputShape: (inputs, where) => [images, ...layer.outputShape(inputs.map(image), where)],
    weights: (inputs) => layer.weights(inputs.map(image)),
    checkAlgorithm: (inputs, where, algorithm) => layer.checkAlgorithm?.(inputs.map(image), where, algorithm),
  });
}
