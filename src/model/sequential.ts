import { OptionError } from "../errors.ts";
import type { Layer } from "../layers/layer.ts";
import { checkOptions, show } from "../options.ts";
import type { Shape } from "../tensor.ts";
import { chain } from "../graph/graph.ts";
import { Model } from "./model.ts";

export interface SequentialOptions {
  /** Shape of one image: `[height, width, channels]`. */
  inputShape: Shape;
  layers: readonly Layer[];
  /** Draws the weights, the order of the images and dropout: an integer from 0 to 2⁵³ − 1. Default: 0. */
  seed?: number;
}

/** @throws OptionError unless `seed` is an integer from 0 to 2⁵³ − 1. */
export function checkSeed(where: string, seed: unknown): void {
  if (!Number.isSafeInteger(seed) || (seed as number) < 0) {
    throw new OptionError(`${where}: seed: expected an integer from 0 to 2^53 - 1, got ${show(seed)}`);
  }
}

/**
 * A model of layers that each read the one before, with weights of its own, as `model`.
 * @throws OptionError, ShapeError naming the layer that does not fit.
 */
export function sequential(options: SequentialOptions): Model {
  checkOptions("sequential", options, ["inputShape", "layers", "seed"]);
  const { inputShape, layers: given, seed = 0 } = options;
  const layers: Layer[] = Array.isArray(given) ? Array.from(given) : [];
  if (layers.length === 0) {
    throw new OptionError(`sequential: layers: expected at least one layer, got ${show(given)}`);
  }
  for (const [i, layer] of layers.entries()) {
    if (typeof layer?.build !== "function") {
      throw new OptionError(`sequential: layers[${i}]: expected one of layers.*, got ${show(layer)}`);
    }
  }
  checkSeed("sequential", seed);
  return new Model(chain(inputShape, layers), seed);
}
