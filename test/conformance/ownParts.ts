/** A run whose layer, activation, loss and optimizer are those of a user, on the mathematics of the package. */
import { defineActivation, defineLayer, defineLoss, defineOptimizer, layers, math, sequential } from "im2row";
import type { Engine } from "im2row";
import { Digest } from "../support/digest.ts";
import { noise } from "../support/model.ts";

const STEPS = 20;

/** y = x·e^w for a weight w of each channel. */
const scaled = defineLayer({
  type: "scaled",
  weights: ([shape]) => ({ w: { shape: shape!.slice(-1), initializer: "zeros" } }),
  forward({ x, y, weights }) {
    const factors = Array.from(weights["w"]!, math.exp);
    for (let i = 0; i < x.length; i++) y[i] = x[i]! * factors[i % factors.length]!;
  },
  backward({ x, dy, dx, weights, gradients }) {
    const [factors, dw] = [Array.from(weights["w"]!, math.exp), gradients["w"]];
    dw?.fill(0);
    for (let i = 0; i < x.length; i++) {
      const factor = factors[i % factors.length]!;
      if (dw) dw[i % factors.length]! += dy[i]! * x[i]! * factor;
      if (dx) dx[i] = dy[i]! * factor;
    }
  },
});

const squashed = defineActivation({
  type: "squashed",
  forward: ({ x, y }) => x.forEach((value, i) => (y[i] = math.tanh(value))),
  backward: ({ y, dy, dx }) => y.forEach((value, i) => (dx[i] = dy[i]! * (1 - value * value))),
});

/** The mean of log(1 + d²). */
const cauchy = defineLoss({
  type: "cauchy",
  compute({ y, targets, dy }) {
    let sum = 0;
    for (let i = 0; i < y.length; i++) {
      const d = y[i]! - targets[i]!;
      sum += math.log(1 + d * d);
      if (dy) dy[i] = (2 * d) / (1 + d * d) / y.length;
    }
    return sum / y.length;
  },
});

const decaying = defineOptimizer({
  type: "decaying",
  slots: ["squares"],
  update({ weights, gradient, slots, rate, step }) {
    const squares = slots["squares"]!;
    const correction = 1 - math.pow(0.9, step + 1);
    for (let i = 0; i < weights.length; i++) {
      squares[i] = 0.9 * squares[i]! + 0.1 * gradient[i]! * gradient[i]!;
      weights[i]! -= (rate * gradient[i]!) / (math.sqrt(squares[i]! / correction) + 1e-6);
    }
  },
});

/** The digest over the weights after some steps, and over the gradient of the loss by the images. */
export function ownPartsDigest(engine: Engine): string {
  const inputShape = [7, 6, 3];
  const model = sequential({
    inputShape,
    layers: [
      layers.conv2d({ filters: 5, kernelSize: 3, activation: squashed }),
      scaled(),
      layers.dropout({ rate: 0.2 }),
      layers.flatten(),
      layers.dense({ units: 2 }),
    ],
    seed: 9,
  });
  model.compile({ engine, optimizer: decaying({ learningRate: 0.01, globalClipNorm: 1 }), loss: cauchy() });
  const hash = new Digest();
  for (let step = 0; step < STEPS; step++) {
    hash.double(model.trainOnBatch(noise(step, 4, ...inputShape), noise(100 + step, 4, 2)));
  }
  for (const { data } of model.weights.values()) hash.elements(data);
  hash.elements(model.inputGradients(noise(1, 4, ...inputShape), noise(2, 4, 2)).data);
  model.dispose();
  return hash.toString();
}
