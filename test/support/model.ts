/** Data for the tests of the public API, and what they read off a model. */
import { tensor, type Model, type Tensor } from "im2row";
import { drawDigits } from "../../src/cli/digits.ts";
import { random } from "./random.ts";
import { bitsOf } from "./float.ts";

/** The bits of all weights by name, for comparisons in depth. */
export function weightBits(model: Model): Record<string, Int32Array> {
  return Object.fromEntries([...model.weights].map(([name, { data }]) => [name, bitsOf(data)]));
}

/** `count` drawn digits as a batch. */
export function digits(count: number, seed: number): { images: Tensor; labels: Int32Array } {
  const { images, labels } = drawDigits(count, seed);
  return { images: tensor(images, [count, 28, 28, 1]), labels };
}

/** Images of noise, uniform in [−1, 1). */
export function noise(seed: number, ...shape: number[]): Tensor {
  return tensor(random(seed).uniform(shape.reduce((a, b) => a * b)), shape);
}

/** Noise for each input of a model, by name: `count` images each, of values up to `magnitude`. */
export function feedsOf(model: Model, magnitude = 1, count = 2): Record<string, Tensor> {
  return Object.fromEntries(
    model.inputs.map(({ name, shape }, i) => {
      const { data } = noise(i + 1, count, ...shape);
      const values = data.map((value) => magnitude * value);
      return [name, tensor(values, [count, ...shape])];
    }),
  );
}

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
