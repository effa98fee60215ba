import type { BuildContext, GradientContext, Layer, Pass } from "../../../layers/contract.ts";
import { layerOf } from "../../../layers/symbolic.ts";
import { buildTrainingPass, gradientOf } from "../../../layers/trainingPasses.ts";
import type { Shape } from "../../../tensor.ts";

/** The shape of one of the images that the first axis counts. */
const image = (shape: Shape): Shape => shape.slice(1);

/** The context of a layer for one image, where the first axis counts `images` of them. */
function perImage<Context extends BuildContext>(context: Context, images: number): Context {
  return {
    ...context,
    capacity: context.capacity * images,
    inputs: context.inputs.map(image),
    output: image(context.output),
  };
}

/** A layer for one image as one for a tensor whose first axis counts `images` of them. */
export function overImages(layer: Layer, images: number): Layer {
  const { config: _, ...rest } = layer;
  return layerOf({
    ...rest,
    hasTrainingPass: false,
    outputShape: (inputs, where) => [images, ...layer.outputShape(inputs.map(image), where)],
    weights: (inputs) => layer.weights(inputs.map(image)),
    checkAlgorithm: (inputs, where, algorithm) => layer.checkAlgorithm?.(inputs.map(image), where, algorithm),
    build: (context) => passOverImages(layer, context, images),
  });
}

function passOverImages(layer: Layer, context: BuildContext, images: number): Pass {
  const pass = buildTrainingPass(layer, perImage(context, images));
  const { prepare, update } = pass;
  const gradient = gradientOf(layer, pass);
  return {
    ...(prepare && { prepare }),
    forward: (n) => pass.forward(n * images),
    ...(update && { update: (n: number, commit: boolean) => update(n * images, commit) }),
    ...(gradient && {
      gradient(outer: GradientContext) {
        const backward = gradient(perImage(outer, images));
        return (n: number): void => backward(n * images);
      },
    }),
  };
}
