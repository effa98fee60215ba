import { OptionError } from "../errors.ts";
import type { Layer } from "../layers/contract.ts";
import { checkOptions, show } from "../options.ts";
import type { Shape } from "../tensor.ts";
import { chain } from "../graph/graph.ts";
import { input, readInputType, type InputType } from "../layers/symbolic.ts";
import { modelOf } from "./functional.ts";
import { Model } from "./model.ts";
import { checkSeed } from "./seed.ts";

export interface SequentialOptions {
  /** The shape of one image: `[height, width, channels]`. */
  inputShape: Shape;
  /** `"uint8"` for images of bytes, which `rescaling`, `resizing` and `centerCrop` read. Default: `"float32"`. */
  inputDtype?: InputType | undefined;
  layers: readonly Layer[];
  /** The seed of the weights, of the order of the images and of dropout: an integer from 0 to 2⁵³ − 1. Default: 0. */
  seed?: number | undefined;
}

/**
 * A model of a list of layers, each of which reads the output of the one before. Like any model it has weights of its own.
 * @throws OptionError, ShapeError naming the layer that does not fit.
 */
export function sequential(options: SequentialOptions): Model {
  checkOptions("sequential", options, ["inputShape", "inputDtype", "layers", "seed"]);
  const { inputShape, seed = 0 } = options;
  const layers: Layer[] = Array.isArray(options.layers) ? Array.from(options.layers) : [];
  if (layers.length === 0) {
    throw new OptionError(`sequential: layers: expected at least one layer, got ${show(options.layers)}`);
  }
  for (const [i, layer] of layers.entries()) {
    if (typeof layer?.build !== "function") {
      throw new OptionError(`sequential: layers[${i}]: expected one of layers.*, got ${show(layer)}`);
    }
  }
  const dtype = readInputType("sequential: inputDtype", options.inputDtype);
  checkSeed("sequential", seed);
  if (!layers.some(({ isComposed }) => isComposed)) return new Model(chain(inputShape, layers, dtype), seed);
  const first = input({ shape: inputShape, dtype });
  const outputs = layers.reduce((value, layer) => layer.apply(value), first);
  return modelOf({ inputs: first, outputs, seed });
}
