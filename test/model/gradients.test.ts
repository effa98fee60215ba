/**
 * The backward pass of every layer against differences of its own model's loss.
 *
 * For a direction d of ±1 over one weight tensor, the slope is D(h) = (L(w + h·d) − L(w − h·d)) / 2h, with L as training
 * computes it, dropout's mask included. It is compared with Σ d·gradient. What may lie between:
 * - truncation, c·h² + O(h⁴): D(h) and D(h/2) are extrapolated, which takes c away, and |D(h) − D(h/2)| = ¾·c·h² is more
 *   than the rest;
 * - the rounding of L: a layer's sums of k ≤ 72 terms err by about √k·u ≤ 9u, which walks at random through at most
 *   three layers with weights: 32u of L in all. D(h/2) turns that into 32u·L / (h/2), and the extrapolation adds a third
 *   of it and more: 3·32u·L / h bounds it.
 * Kinks stay out of reach: the first layer multiplies each pixel, |x| ≥ ¼, by a weight within h of 1, so no relu changes
 * its side, and no maximum its place.
 */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  layers,
  load,
  losses,
  optimizers,
  sequential,
  tensor,
  type Engine,
  type Layer,
  type Loss,
  type Model,
  type Tensor,
} from "../../src/index.ts";
import { U } from "../support/float.ts";
import { random } from "../support/random.ts";

const H = 2 ** -6;
const BATCH = 3;
const IMAGE = [6, 5, 4] as const;
const CLASSES = 3;

const CASES: [name: string, layer: () => Layer][] = [
  ["conv2d, same", () => layers.conv2d({ filters: 5, kernelSize: 3, padding: "same", activation: "tanh" })],
  ["conv2d, valid", () => layers.conv2d({ filters: 3, kernelSize: [3, 2], activation: "sigmoid" })],
  ["conv2d, strided", () => layers.conv2d({ filters: 5, kernelSize: 3, strides: 2, activation: "tanh" })],
  ["conv2d, dilated", () => layers.conv2d({ filters: 4, kernelSize: 2, dilationRate: [3, 2] })],
  ["conv2d, grouped", () => layers.conv2d({ filters: 6, kernelSize: 3, groups: 2, useBias: false })],
  ["conv2d, padded", () => layers.conv2d({ filters: 2, kernelSize: 3, strides: [2, 1], padding: PADDING })],
  [
    "conv2d, softmax over channels",
    () => layers.conv2d({ filters: 4, kernelSize: 2, activation: "softmax" }),
  ],
  ["depthwiseConv2d", () => layers.depthwiseConv2d({ kernelSize: 3, strides: 2, padding: "same" })],
  ["depthwiseConv2d, multiplier 2", () => layers.depthwiseConv2d({ kernelSize: 3, depthMultiplier: 2 })],
  ["maxPooling2d", () => layers.maxPooling2d({ poolSize: 2 })],
  ["maxPooling2d, overlapping", () => layers.maxPooling2d({ poolSize: 3, strides: [2, 1], padding: "same" })],
  ["averagePooling2d", () => layers.averagePooling2d({ poolSize: [2, 3], strides: 1, padding: "same" })],
  ["globalAveragePooling2d", () => layers.globalAveragePooling2d()],
  ["activation relu", () => layers.activation({ activation: "relu" })],
  ["activation leakyRelu", () => layers.activation({ activation: { leakyRelu: 0.3 } })],
  ["activation sigmoid", () => layers.activation({ activation: "sigmoid" })],
  ["activation tanh", () => layers.activation({ activation: "tanh" })],
  ["activation softmax", () => layers.activation({ activation: "softmax" })],
  ["activation linear", () => layers.activation({ activation: "linear" })],
  ["dropout", () => layers.dropout({ rate: 0.4 })],
  ["dense over the last axis", () => layers.dense({ units: 6, activation: "tanh" })],
  ["dense with softmax", () => layers.dense({ units: 4, activation: "softmax" })],
];

const PADDING = [
  [2, 0],
  [1, 1],
] as const;

/** Images whose pixels stay away from zero and from each other. */
function images(): Tensor {
  const data = random(3);
  const count = BATCH * IMAGE[0] * IMAGE[1] * IMAGE[2];
  const pixels = Array.from({ length: count }, (_, i) => ({
    x: (i % 2 ? 1 : -1) * (0.25 + i / count),
    key: data.next(),
  }));
  pixels.sort((a, b) => a.key - b.key);
  return tensor(
    Float32Array.from(pixels, ({ x }) => x),
    [BATCH, ...IMAGE],
  );
}

/** The loss in one training step that changes nothing; the model holds its gradients. */
function measure(model: Model, engine: Engine, loss: Loss, labels: Int32Array | Tensor): number {
  model.compile({ engine, optimizer: optimizers.sgd({ learningRate: 0 }), loss });
  return model.trainOnBatch(images(), labels);
}

/** Compares slope and gradient of each weight tensor in three random directions. */
function checkModel(model: Model, engine: Engine, loss: Loss, labels: Int32Array | Tensor): void {
  const lossHere = measure(model, engine, loss, labels);
  const { weights, gradients } = model;
  for (const [name, { shape, data }] of weights) {
    const gradient = gradients.get(name)!.data;
    // What a slope in a random direction is like.
    const size = Math.hypot(...gradient);
    for (let seed = 0; seed < 3; seed++) {
      const direction = random(seed)
        .integers(data.length, 0, 1)
        .map((bit) => 2 * bit - 1);
      const lossAt = (step: number): number => {
        const moved = tensor(
          data.map((w, i) => w + step * direction[i]!),
          shape,
        );
        model.setWeights(new Map([...weights, [name, moved]]));
        return measure(model, engine, loss, labels);
      };
      const slope = (h: number): number => (lossAt(h) - lossAt(-h)) / (2 * h);
      const [wide, narrow] = [slope(H), slope(H / 2)];
      const expected = direction.reduce((sum, d, i) => sum + d * gradient[i]!, 0);
      const bound = Math.abs(wide - narrow) + (3 * 32 * U * lossHere) / H;
      const error = Math.abs((4 * narrow - wide) / 3 - expected);
      expect(error, `${name}: slope ${narrow}, gradient ${expected}, bound ${bound}`).toBeLessThan(bound);
      // A bound that says nothing would hold for a gradient of zero as well.
      expect(bound).toBeLessThan(0.1 * size);
    }
    model.setWeights(weights);
  }
  model.dispose();
}

describe("the gradients are the slopes of the loss", () => {
  let engine: Engine;
  beforeAll(async () => {
    engine = await load();
  });
  afterAll(() => engine.dispose());

  /** Multiplies each channel by a weight of its own: its gradient is what the next layer hands back. */
  const front = (): Layer => layers.depthwiseConv2d({ kernelSize: 1, kernelInitializer: "ones" });

  it.each(CASES)("of %s", (_, layer) => {
    const model = sequential({
      inputShape: IMAGE,
      layers: [front(), layer(), layers.flatten(), layers.dense({ units: CLASSES })],
      seed: 5,
    });
    checkModel(model, engine, losses.softmaxCrossEntropy(), Int32Array.of(2, 0, 1));
  });

  it("of the mean squared error behind softmax", () => {
    const model = sequential({
      inputShape: IMAGE,
      layers: [front(), layers.flatten(), layers.dense({ units: CLASSES, activation: "softmax" })],
      seed: 6,
    });
    const rows = Float32Array.of(1, 0, 0, 0.5, 0.25, 0.25, 0, 0, 1);
    checkModel(model, engine, losses.meanSquaredError(), tensor(rows, [BATCH, CLASSES]));
  });

  it("of cross-entropy with rows as labels", () => {
    const model = sequential({
      inputShape: IMAGE,
      layers: [front(), layers.globalAveragePooling2d(), layers.dense({ units: CLASSES })],
      seed: 7,
    });
    const rows = Float32Array.of(1, 0, 0, 0.5, 0.25, 0.25, 0.2, 0.2, 0.2);
    checkModel(model, engine, losses.softmaxCrossEntropy(), tensor(rows, [BATCH, CLASSES]));
  });
});
