/** The nets with the normalizations. */
import { layers, type Layer, type SymbolicTensor } from "im2row";
import { chain, IMAGE, RANKS, type Between, type LayerCases, type ModelCase } from "./support/cases.ts";

/**
 * A normalization times its input: by itself it takes away what the first layer multiplies and adds, whose slopes would
 * be zero.
 */
const timesInput =
  (layer: () => Layer): Between =>
  (x: SymbolicTensor) =>
    layers.multiply().apply([layer().apply(x), x]);

/** With and without each of the weights, for values of each rank. */
function ofEachRank(name: string, make: (options: object) => Layer): ModelCase[] {
  const partial = [{ scale: false }, { center: false }, { scale: false, center: false, epsilon: 0.1 }];
  return RANKS.flatMap((shape) =>
    [{}, ...partial].map((options) =>
      chain(`${name} of ${shape.join("×")} ${JSON.stringify(options)}`, shape, () => [make(options)]),
    ),
  );
}

export const BATCH_NORMALIZATION: LayerCases = {
  gradients: {
    batchNormalization: timesInput(() => layers.batchNormalization()),
    "batchNormalization without weights": timesInput(() =>
      layers.batchNormalization({ scale: false, center: false }),
    ),
    "batchNormalization, frozen": timesInput(() =>
      Object.assign(layers.batchNormalization(), { trainable: false }),
    ),
  },
  models: ofEachRank("batchNormalization", layers.batchNormalization),
};

export const GROUP_NORMALIZATION: LayerCases = {
  gradients: {
    "groupNormalization, no gamma": timesInput(() => layers.groupNormalization({ groups: 2, scale: false })),
  },
  models: ofEachRank("groupNormalization", (options) => layers.groupNormalization({ groups: 2, ...options })),
};

export const INSTANCE_NORMALIZATION: LayerCases = {
  gradients: {
    "instanceNormalization, no beta": timesInput(() => layers.instanceNormalization({ center: false })),
  },
  models: ofEachRank("instanceNormalization", layers.instanceNormalization),
};

export const LAYER_NORMALIZATION: LayerCases = {
  gradients: {
    "layerNormalization of channels": timesInput(() => layers.layerNormalization()),
    "layerNormalization of images": timesInput(() => layers.layerNormalization({ axis: [-3, -2, -1] })),
  },
  models: [
    ...ofEachRank("layerNormalization", layers.layerNormalization),
    ...[
      [-1, -2],
      [-1, -2, -3],
    ].map((axis) =>
      chain(`layerNormalization over ${axis.length} axes`, IMAGE, () => [
        layers.layerNormalization({ axis }),
      ]),
    ),
  ],
};
