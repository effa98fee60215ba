/** Helpers that make nets for onnxruntime. */
import { sequential, tensor, type Layer, type Model } from "im2row";
import { random } from "../support/random.ts";

/** A net's name, how it is built, and the magnitude of its inputs if that is not 1. */
export type ExportCase = [name: string, build: () => Model, magnitude?: number];

/** Weights that none is like another: biases, scales and moving means too. Variances are positive. */
export function scatter(net: Model, seed: number): Model {
  const numbers = random(seed);
  const weights = [...net.weights].map(([name, { shape, data }]) => {
    const low = name.endsWith(".movingVariance") ? 0.5 : -1;
    // A sum of k products keeps the size of its operands.
    const scale = shape.length > 1 ? Math.sqrt(3 / (data.length / shape.at(-1)!)) : 1;
    return [name, tensor(numbers.uniform(data.length, low * scale, scale), shape)] as const;
  });
  net.setWeights(new Map(weights));
  return net;
}

/** A net of a list of layers. */
export const chain = (name: string, inputShape: number[], list: () => Layer[], magnitude = 1): ExportCase => [
  name,
  () => sequential({ inputShape, layers: list(), seed: 1 }),
  magnitude,
];

export const IMAGE = [9, 8, 4];
/** Values of each rank: what an axis is called differs among them. */
export const RANKS = [[6], [5, 6], IMAGE, [2, 3, 2, 6]];

export const margins = (top: number, bottom: number, left: number, right: number) =>
  [
    [top, bottom],
    [left, right],
  ] as const;
