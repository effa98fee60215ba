import type { BuildContext, Layer, LayerDefinition, Pass } from "../../../layers/layer.ts";
import { defineLayer } from "../../../layers/symbolic.ts";
import type { Shape } from "../../../tensor.ts";

/** A layer for one image as one for a tensor of `images` of them. */
export function overImages(layer: Layer, images: number): Layer {
  const image = (shape: Shape): Shape => shape.slice(1);
  const definition: LayerDefinition = {
    ...layer,
    outputShape: (inputs, where) => [images, ...layer.outputShape(inputs.map(image), where)],
    weights: (inputs) => layer.weights(inputs.map(image)),
    checkAlgorithm: (inputs, where, algorithm) => layer.checkAlgorithm?.(inputs.map(image), where, algorithm),
    build: (context) => passOverImages(layer, context, images),
  };
  return defineLayer(definition);
}

function passOverImages(layer: Layer, context: BuildContext, images: number): Pass {
  const { forward, backward, prepare, update } = layer.build({
    ...context,
    capacity: context.capacity * images,
    inputs: context.inputs.map((shape) => shape.slice(1)),
    output: context.output.slice(1),
  });
  return {
    ...(prepare && { prepare }),
    forward: (n) => forward(n * images),
    ...(backward && { backward: (n: number) => backward(n * images) }),
    ...(update && { update: (n: number, commit: boolean) => update(n * images, commit) }),
  };
}
