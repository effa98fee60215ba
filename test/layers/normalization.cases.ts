/** The cases of the normalizations: their options, refusals, shapes and nets. */
import { layers, type Layer, type SymbolicTensor } from "im2row";
import { COUNT, NUMBER, type Any } from "../support/options.ts";
import { chain, IMAGE, RANKS, type Between, type LayerCases, type ModelCase } from "./support/cases.ts";

const NORMALIZED = {
  epsilon: Math.fround(0.001),
  center: true,
  scale: true,
  betaInitializer: "zeros",
  gammaInitializer: "ones",
};

/**
 * A normalization times its input: by itself it takes away what the first layer multiplies and adds, whose slopes would
 * be zero.
 */
const timesInput =
  (layer: () => Layer): Between =>
  (x: SymbolicTensor) =>
    layers.multiply().apply([layer().apply(x), x]);

/** Nets with and without each of the weights, for values of each rank. */
function ofEachRank(name: string, make: (options: object) => Layer): ModelCase[] {
  const partial = [{ scale: false }, { center: false }, { scale: false, center: false, epsilon: 0.1 }];
  return RANKS.flatMap((shape) =>
    [{}, ...partial].map((options) =>
      chain(`${name} of ${shape.join("×")} ${JSON.stringify(options)}`, shape, () => [make(options)]),
    ),
  );
}

export const batchNormalization: LayerCases = {
  defaults: [layers.batchNormalization(), { momentum: 0.99, ...NORMALIZED }],
  shapes: [
    [layers.batchNormalization(), [5], [5]],
    [layers.batchNormalization({ scale: false }), [5, 4, 3], [5, 4, 3]],
  ],
  refuses: {
    [`batchNormalization: epsilon: ${NUMBER}, got -1`]: () => layers.batchNormalization({ epsilon: -1 }),
    "batchNormalization: momentum: expected a number from 0 to 1, got 1.5": () =>
      layers.batchNormalization({ momentum: 1.5 }),
    [`batchNormalization: momentum: ${NUMBER}, got "0.9"`]: () =>
      layers.batchNormalization({ momentum: "0.9" as Any }),
    "batchNormalization: center: expected true or false, got 1": () =>
      layers.batchNormalization({ center: 1 as Any }),
    "batchNormalization: gammaInitializer: expected one of": () =>
      layers.batchNormalization({ gammaInitializer: "one" as Any }),
    [`options momentum, epsilon, center, scale, betaInitializer, gammaInitializer, name; got "axis"`]: () =>
      layers.batchNormalization({ axis: 3 } as Any),
  },
  refusesInputs: {
    "batchNormalization: expected one input, got 2": [layers.batchNormalization(), [[3], [3]]],
  },
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

export const groupNormalization: LayerCases = {
  defaults: [layers.groupNormalization(), { groups: 32, ...NORMALIZED }],
  shapes: [
    [layers.groupNormalization(), [32], [32]],
    [layers.groupNormalization({ groups: 3 }), [5, 4, 6], [5, 4, 6]],
  ],
  refuses: {
    [`groupNormalization: groups: ${COUNT}, got 0`]: () => layers.groupNormalization({ groups: 0 }),
  },
  refusesInputs: {
    "groupNormalization: groups: expected a divisor of the 3 channels (7×7×3), got 2": [
      layers.groupNormalization({ groups: 2 }),
      [7, 7, 3],
    ],
  },
  gradients: {
    "groupNormalization, no gamma": timesInput(() => layers.groupNormalization({ groups: 2, scale: false })),
  },
  models: ofEachRank("groupNormalization", (options) => layers.groupNormalization({ groups: 2, ...options })),
};

export const instanceNormalization: LayerCases = {
  defaults: [layers.instanceNormalization(), NORMALIZED],
  shapes: [[layers.instanceNormalization(), [5, 4, 3], [5, 4, 3]]],
  refuses: {
    "instanceNormalization: betaInitializer: expected one of": () =>
      layers.instanceNormalization({ betaInitializer: "no" as Any }),
    [`gammaInitializer, name; got "groups"`]: () => layers.instanceNormalization({ groups: 1 } as Any),
  },
  refusesInputs: {
    "instanceNormalization: expected one input, got 2": [layers.instanceNormalization(), [[3], [3]]],
  },
  gradients: {
    "instanceNormalization, no beta": timesInput(() => layers.instanceNormalization({ center: false })),
  },
  models: ofEachRank("instanceNormalization", layers.instanceNormalization),
};

export const layerNormalization: LayerCases = {
  defaults: [layers.layerNormalization(), { axis: [-1], ...NORMALIZED }],
  shapes: [
    [layers.layerNormalization(), [5], [5]],
    [layers.layerNormalization({ axis: [-2, -1] }), [5, 4, 3], [5, 4, 3]],
  ],
  refuses: {
    "layerNormalization: scale: expected true or false, got 0": () =>
      layers.layerNormalization({ scale: 0 as Any }),
    "layerNormalization: axis: expected negative integers, counted from the last axis, got 3": () =>
      layers.layerNormalization({ axis: 3 }),
    "layerNormalization: axis: expected negative integers, counted from the last axis, got []": () =>
      layers.layerNormalization({ axis: [] }),
    "layerNormalization: axis: expected the last axes, -1, -2 …, got [-1,-3]": () =>
      layers.layerNormalization({ axis: [-1, -3] }),
    "layerNormalization: axis: expected the last axes, -1, -2 …, got [-1,-1]": () =>
      layers.layerNormalization({ axis: [-1, -1] }),
  },
  refusesInputs: {
    "layerNormalization: expected at least 3 axes, got 7×3": [
      layers.layerNormalization({ axis: [-1, -2, -3] }),
      [7, 3],
    ],
  },
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
