/** The nets with the layers that make one value of several. */
import { layers, type Layer, type SymbolicTensor } from "im2row";
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

export const ADD: LayerCases = {
  gradients: {
    "add, a residual": (x) => layers.add().apply([x, tanhConv().apply(x)]),
    "add, of one value three times": (x) => layers.add().apply([x, x, x]),
    "add, of an image and a row": (x) => layers.add().apply([tanhConv().apply(x), gate(x)]),
    "add, of a row and an image": (x) => layers.add().apply([pixelGate(x), x]),
  },
  models: [...ofEachRank("add", 3, layers.add), ...withRows("add", layers.add)],
};

export const MULTIPLY: LayerCases = {
  gradients: {
    multiply: (x) => layers.multiply().apply([tanhConv().apply(x), x]),
    "multiply, of three values": (x) => layers.multiply().apply([x, tanhConv().apply(x), x]),
    "multiply, by a row": (x) => layers.multiply().apply([x, gate(x)]),
    "multiply, of a row and an image": (x) => layers.multiply().apply([pixelGate(x), tanhConv().apply(x)]),
  },
  models: [...ofEachRank("multiply", 2, layers.multiply), ...withRows("multiply", layers.multiply)],
};

export const SUBTRACT: LayerCases = {
  gradients: { subtract: (x) => layers.subtract().apply([tanhConv().apply(x), x]) },
  models: ofEachRank("subtract", 2, layers.subtract),
};

export const AVERAGE: LayerCases = {
  gradients: { "average, of three values": (x) => layers.average().apply([x, tanhConv().apply(x), x]) },
  models: ofEachRank("average", 3, layers.average),
};

export const MAXIMUM: LayerCases = {
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

export const CONCATENATE: LayerCases = {
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
