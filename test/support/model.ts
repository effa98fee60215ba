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
