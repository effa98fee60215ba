/** The cases of the layers of several values: their options, refusals, shapes and nets. */
import { layers, type Layer, type SymbolicTensor } from "im2row";
import type { Any } from "../support/options.ts";
import { gate, merged, RANKS, tanhConv, type LayerCases, type ModelCase } from "./support/cases.ts";

/** So many values of one shape, of each rank. */
const ofEachRank = (name: string, count: number, layer: () => Layer): ModelCase[] =>
  RANKS.map((shape) => merged(name, Array<number[]>(count).fill(shape), layer));

/** Images beside rows of both forms, on either side; sizes are such that rows at another axis do not fit. */
const withRows = (name: string, layer: () => Layer): ModelCase[] =>
  [...RANKS.slice(1), [1, 1, 4]].flatMap((image) => {
    const row = image.slice(-1);
    const pixel = image.map((size, axis) => (axis < image.length - 1 ? 1 : size));
    return [
      [image, row],
      [row, image],
      [image, pixel],
      [pixel, image],
    ].map((shapes) => merged(name, shapes, layer));
  });

const pixelGate = (x: SymbolicTensor): SymbolicTensor =>
  layers.reshape({ targetShape: [1, 1, -1] }).apply(gate(x));

export const add: LayerCases = {
  defaults: [layers.add(), {}],
  shapes: [
    [layers.add(), [[5], [5], [5]], [5]],
    [layers.add(), [[4, 5, 3], [3]], [4, 5, 3]],
    [
      layers.add(),
      [
        [1, 1, 3],
        [4, 5, 3],
      ],
      [4, 5, 3],
    ],
  ],
  refuses: {
    [`add: expected the options name; got "axis"`]: () => layers.add({ axis: 1 } as Any),
  },
  refusesInputs: {
    "add: expected at least two inputs, got 1": [layers.add(), [[3]]],
    "add: expected inputs of one shape, or an image and a row of its channels, got 4×5×3 and 5": [
      layers.add(),
      [[4, 5, 3], [5]],
    ],
  },
  gradients: {
    "add, a residual": (x) => layers.add().apply([x, tanhConv().apply(x)]),
    "add, of one value three times": (x) => layers.add().apply([x, x, x]),
    "add, of an image and a row": (x) => layers.add().apply([tanhConv().apply(x), gate(x)]),
    "add, of a row and an image": (x) => layers.add().apply([pixelGate(x), x]),
  },
  models: [...ofEachRank("add", 3, layers.add), ...withRows("add", layers.add)],
};

export const multiply: LayerCases = {
  defaults: [layers.multiply(), {}],
  shapes: [
    [layers.multiply(), [[5], [5], [5]], [5]],
    [layers.multiply(), [[3], [4, 5, 3]], [4, 5, 3]],
    [
      layers.multiply(),
      [
        [4, 5, 3],
        [1, 1, 3],
      ],
      [4, 5, 3],
    ],
  ],
  refuses: {
    [`multiply: expected the options name; got "axis"`]: () => layers.multiply({ axis: 1 } as Any),
  },
  refusesInputs: {
    "multiply: expected at least two inputs, got 1": [layers.multiply(), [[3]]],
    "multiply: expected inputs of one shape, or an image and a row of its channels, got 3 and 4": [
      layers.multiply(),
      [[3], [4]],
    ],
  },
  gradients: {
    multiply: (x) => layers.multiply().apply([tanhConv().apply(x), x]),
    "multiply, of three values": (x) => layers.multiply().apply([x, tanhConv().apply(x), x]),
    "multiply, by a row": (x) => layers.multiply().apply([x, gate(x)]),
    "multiply, of a row and an image": (x) => layers.multiply().apply([pixelGate(x), tanhConv().apply(x)]),
  },
  models: [...ofEachRank("multiply", 2, layers.multiply), ...withRows("multiply", layers.multiply)],
};

export const subtract: LayerCases = {
  defaults: [layers.subtract(), {}],
  shapes: [
    [
      layers.subtract(),
      [
        [4, 5],
        [4, 5],
      ],
      [4, 5],
    ],
  ],
  refuses: {
    [`subtract: expected the options name; got "axis"`]: () => layers.subtract({ axis: 1 } as Any),
  },
  refusesInputs: {
    "subtract: expected two inputs, got 3": [layers.subtract(), [[3], [3], [3]]],
    "subtract: expected inputs of one shape, got 3 and 4": [layers.subtract(), [[3], [4]]],
  },
  gradients: { subtract: (x) => layers.subtract().apply([tanhConv().apply(x), x]) },
  models: ofEachRank("subtract", 2, layers.subtract),
};

export const average: LayerCases = {
  defaults: [layers.average(), {}],
  shapes: [
    [
      layers.average(),
      [
        [4, 5],
        [4, 5],
        [4, 5],
      ],
      [4, 5],
    ],
  ],
  refuses: {
    [`average: expected the options name; got "axis"`]: () => layers.average({ axis: 1 } as Any),
  },
  refusesInputs: {
    "average: expected inputs of one shape, got 4×3 and 3": [layers.average(), [[4, 3], [3]]],
  },
  gradients: { "average, of three values": (x) => layers.average().apply([x, tanhConv().apply(x), x]) },
  models: ofEachRank("average", 3, layers.average),
};

export const maximum: LayerCases = {
  defaults: [layers.maximum(), {}],
  shapes: [
    [
      layers.maximum(),
      [
        [4, 5],
        [4, 5],
      ],
      [4, 5],
    ],
  ],
  refuses: {
    [`maximum: expected the options name; got "axis"`]: () => layers.maximum({ axis: 1 } as Any),
  },
  refusesInputs: {
    "maximum: expected at least two inputs, got 1": [layers.maximum(), [[3]]],
  },
  gradients: {
    "maximum, of three pairs of rows": (x) => {
      // Each has one channel, so that no weight of the first layer changes their order.
      const pairs = [0, 2, 4].map((top) =>
        layers
          .cropping2d({
            cropping: [
              [top, 4 - top],
              [0, 0],
            ],
          })
          .apply(x),
      );
      return layers.maximum().apply(pairs);
    },
  },
  models: ofEachRank("maximum", 3, layers.maximum),
};

export const concatenate: LayerCases = {
  defaults: [layers.concatenate(), { axis: -1 }],
  // As Keras: axis 0 is the batch.
  shapes: [
    [
      layers.concatenate(),
      [
        [4, 5, 3],
        [4, 5, 2],
      ],
      [4, 5, 5],
    ],
    [
      layers.concatenate({ axis: 1 }),
      [
        [4, 5, 3],
        [1, 5, 3],
        [4, 5, 3],
      ],
      [9, 5, 3],
    ],
    [
      layers.concatenate({ axis: -2 }),
      [
        [4, 5, 3],
        [4, 6, 3],
      ],
      [4, 11, 3],
    ],
  ],
  refuses: {
    [`concatenate: axis: expected an integer other than 0, the batch, got 1.5`]: () =>
      layers.concatenate({ axis: 1.5 }),
    [`concatenate: axis: expected an integer other than 0, the batch, got 0`]: () =>
      layers.concatenate({ axis: 0 }),
  },
  refusesInputs: {
    "concatenate: expected at least two inputs, got 1": [layers.concatenate(), [[3]]],
    "concatenate: axis: expected from 1 to 2 or from -2 to -1 for 2 dimensions besides the batch, got 3": [
      layers.concatenate({ axis: 3 }),
      [
        [4, 5],
        [4, 5],
      ],
    ],
  },
  gradients: {
    "concatenate, channels": (x) => layers.concatenate().apply([x, tanhConv().apply(x), x]),
    "concatenate, rows": (x) =>
      layers.concatenate({ axis: 1 }).apply([layers.maxPooling2d({ poolSize: [2, 1] }).apply(x), x]),
    "concatenate, columns": (x) => layers.concatenate({ axis: -2 }).apply([x, tanhConv().apply(x)]),
  },
  models: RANKS.flatMap((shape) =>
    [...shape.keys(), -1].map((i) => {
      const axis = i < 0 ? i : i + 1;
      return merged(`concatenate along ${axis}`, [shape, shape, shape], () => layers.concatenate({ axis }));
    }),
  ),
};
