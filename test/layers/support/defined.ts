/** Layers of users, and nets with them that learn. */
import {
  defineLayer,
  layers,
  losses,
  optimizers,
  sequential,
  type Engine,
  type Layer,
  type Model,
} from "../../../src/index.ts";
import { noise, weightBits } from "../../support/model.ts";

/** `y = x·w`, with a weight for each channel. */
export const perChannel = defineLayer({
  type: "perChannel",
  config: { start: 1 },
  weights: ([shape], { start }) => ({
    w: { shape: [shape!.at(-1)!], initializer: { constant: start } },
  }),
  forward({ x, y, weights }) {
    const w = weights["w"]!;
    for (let i = 0; i < x.length; i++) y[i] = x[i]! * w[i % w.length]!;
  },
  backward({ x, dy, dx, weights, gradients }) {
    const [w, dw] = [weights["w"]!, gradients["w"]];
    dw?.fill(0);
    for (let i = 0; i < dy.length; i++) {
      const channel = i % w.length;
      if (dw) dw[channel]! += dy[i]! * x[i]!;
      if (dx) dx[i] = dy[i]! * w[channel]!;
    }
  },
});

/** The largest of two values, by arrays that are saved for the backward pass. */
export const larger = defineLayer({
  type: "larger",
  outputShape: ([first]) => first!,
  saved: ([first]) => ({ second: first!.reduce((a, b) => a * b, 1) }),
  forward({ xs: [a, b], y, saved }) {
    for (let i = 0; i < y.length; i++) {
      saved["second"]![i] = b![i]! > a![i]! ? 1 : 0;
      y[i] = Math.max(a![i]!, b![i]!);
    }
  },
  backward({ dy, dxs, saved }) {
    dxs.forEach((dx, side) => dx?.forEach((_, i) => (dx[i] = saved["second"]![i] === side ? dy[i]! : 0)));
  },
});

/** Two dense layers and the sum with what came in. */
export const residual = defineLayer({
  type: "residual",
  config: { units: 3 },
  compose({ units }) {
    const [inner, outer, sum] = [
      layers.dense({ units, activation: "tanh" }),
      layers.dense({ units, name: "outer" }),
      layers.add(),
    ];
    return (x) => sum.apply([x, outer.apply(inner.apply(x))]);
  },
});

export const images = noise(1, 6, 5, 3);
export const labels = [0, 1, 1, 0, 1, 0];

/** The net after some steps of training. */
export function trained(engine: Engine, net: Model, steps = 3): Model {
  net.compile({
    engine,
    optimizer: optimizers.sgd({ learningRate: 0.1, momentum: 0.9 }),
    loss: losses.softmaxCrossEntropy(),
  });
  for (let i = 0; i < steps; i++) net.trainOnBatch(images, labels);
  return net;
}

/** A net with a layer between layers that learn. */
export function around(...middle: Layer[]): Model {
  const ends = [layers.flatten(), layers.dense({ units: 2 })];
  return sequential({
    inputShape: [5, 3],
    layers: [layers.dense({ units: 3 }), ...middle, ...ends],
    seed: 4,
  });
}

/** The bits of all weights, whatever they are called. */
export const bitsOf = (net: Model): string => Object.values(weightBits(net)).join(" ");
