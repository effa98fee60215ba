import type { Layer } from "../../../layers/contract.ts";
import { layerOf } from "../../../layers/symbolic.ts";
import type { Shape } from "../../../tensor.ts";

/** A layer for one image as one for a tensor of `images` of them. */
export function overImages(layer: Layer, images: number): Layer {
  const image = (shape: Shape): Shape => shape.slice(1);
  const { config: _, ...rest } = layer;
  return layerOf({
    ...rest,
    imagesPerImage: images,
    outputShape: (inputs, where) => [images, ...layer.outputShape(inputs.map(image), where)],
    weights: (inputs) => layer.weights(inputs.map(image)),
    checkAlgorithm: (inputs, where, algorithm) => layer.checkAlgorithm?.(inputs.map(image), where, algorithm),
  });
}
