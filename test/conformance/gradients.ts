/**
 * Gradients by differences: of the oracles for the operators, of the loss for the layers.
 *
 * The backward pass of a layer is held against its own model's loss. For a direction d of ±1 over one weight tensor, the
 * slope is D(h) = (L(w + h·d) − L(w − h·d)) / 2h, with L as training computes it, dropout's mask included. It is
 * compared with Σ d·gradient. What may lie between:
 * - truncation, c·h² + O(h⁴): D(h) and D(h/2) are extrapolated, which takes c away, and |D(h) − D(h/2)| = ¾·c·h² is more
 *   than the rest;
 * - the rounding of L: a layer's sums of k ≤ 72 terms err by about √k·u ≤ 9u, which walks at random through at most
 *   three layers with weights: 32u of L in all. D(h/2) turns that into 32u·L / (h/2), and the extrapolation adds a third
 *   of it and more: 3·32u·L / h bounds it.
 * Kinks stay out of reach: the first layer multiplies each pixel, |x| ≥ ¼, by a weight within h of 1, so no relu changes
 * its side, and no maximum its place.
 */
import { input, layers, losses, model as graph, optimizers, sequential, tensor } from "im2row";
import type { Engine, Layer, Loss, Model, SymbolicTensor, Tensor } from "im2row";
import { ELEMENTWISE } from "../oracles/activation.ts";
import { U } from "../support/float.ts";
import { random } from "../support/random.ts";
import type { Case } from "./case.ts";
import { holds } from "./expect.ts";

const H = 2 ** -6;
const BATCH = 3;
const IMAGE = [6, 5, 4] as const;
const CLASSES = 3;

const PADDING = [
  [2, 0],
  [1, 1],
] as const;

const LAYERS: Record<string, () => Layer> = {
  "conv2d, same": () => layers.conv2d({ filters: 5, kernelSize: 3, padding: "same", activation: "tanh" }),
  "conv2d, valid": () => layers.conv2d({ filters: 3, kernelSize: [3, 2], activation: "sigmoid" }),
  "conv2d, strided": () => layers.conv2d({ filters: 5, kernelSize: 3, strides: 2, activation: "tanh" }),
  "conv2d, dilated": () => layers.conv2d({ filters: 4, kernelSize: 2, dilationRate: [3, 2] }),
  "conv2d, grouped": () => layers.conv2d({ filters: 6, kernelSize: 3, groups: 2, useBias: false }),
  "conv2d, padded": () => layers.conv2d({ filters: 2, kernelSize: 3, strides: [2, 1], padding: PADDING }),
  "conv2d, softmax over channels": () => layers.conv2d({ filters: 4, kernelSize: 2, activation: "softmax" }),
  depthwiseConv2d: () => layers.depthwiseConv2d({ kernelSize: 3, strides: 2, padding: "same" }),
  "depthwiseConv2d, multiplier 2": () => layers.depthwiseConv2d({ kernelSize: 3, depthMultiplier: 2 }),
  "depthwiseConv2d, multiplier 3, strided and dilated": () =>
    layers.depthwiseConv2d({ kernelSize: 2, depthMultiplier: 3, strides: [2, 1], dilationRate: [1, 2] }),
  separableConv2d: () =>
    layers.separableConv2d({ filters: 5, kernelSize: 3, padding: "same", activation: "tanh" }),
  "separableConv2d, multiplier 2": () =>
    layers.separableConv2d({ filters: 3, kernelSize: 3, strides: 2, depthMultiplier: 2, activation: "mish" }),
  "separableConv2d, dilated": () =>
    layers.separableConv2d({ filters: 4, kernelSize: 2, dilationRate: [3, 2], useBias: false }),
  "conv2dTranspose, same": () =>
    layers.conv2dTranspose({ filters: 3, kernelSize: 3, strides: 2, padding: "same", activation: "tanh" }),
  "conv2dTranspose, valid": () =>
    layers.conv2dTranspose({ filters: 3, kernelSize: [2, 3], activation: "silu" }),
  "conv2dTranspose, strides beyond the filters": () =>
    layers.conv2dTranspose({ filters: 2, kernelSize: 2, strides: 3, useBias: false }),
  "conv2dTranspose, padded": () =>
    layers.conv2dTranspose({
      filters: 3,
      kernelSize: 3,
      strides: 2,
      padding: PADDING,
      outputPadding: [0, 1],
    }),
  "conv2dTranspose, dilated and grouped": () =>
    layers.conv2dTranspose({ filters: 4, kernelSize: 2, dilationRate: [2, 3], groups: 2 }),
  "conv2dTranspose, depthwise": () =>
    layers.conv2dTranspose({ filters: 4, kernelSize: 3, groups: 4, strides: 2, padding: "same" }),
  "conv2dTranspose, softmax over channels": () =>
    layers.conv2dTranspose({ filters: 3, kernelSize: 2, activation: "softmax" }),
  maxPooling2d: () => layers.maxPooling2d({ poolSize: 2 }),
  "maxPooling2d, overlapping": () => layers.maxPooling2d({ poolSize: 3, strides: [2, 1], padding: "same" }),
  averagePooling2d: () => layers.averagePooling2d({ poolSize: [2, 3], strides: 1, padding: "same" }),
  globalAveragePooling2d: () => layers.globalAveragePooling2d(),
  globalMaxPooling2d: () => layers.globalMaxPooling2d(),
  reshape: () => layers.reshape({ targetShape: [3, -1, 8] }),
  permute: () => layers.permute({ dims: [3, 1, 2] }),
  "upSampling2d, nearest": () => layers.upSampling2d({ size: [2, 3] }),
  "upSampling2d, bilinear": () => layers.upSampling2d({ size: [3, 2], interpolation: "bilinear" }),
  zeroPadding2d: () => layers.zeroPadding2d({ padding: PADDING }),
  cropping2d: () =>
    layers.cropping2d({
      cropping: [
        [2, 1],
        [0, 1],
      ],
    }),
  "activation softmax": () => layers.activation({ activation: "softmax" }),
  prelu: () => layers.prelu({ alphaInitializer: { constant: 0.25 } }),
  "prelu, a slope a channel": () =>
    layers.prelu({ alphaInitializer: { constant: -0.5 }, sharedAxes: [1, 2] }),
  "prelu, one slope": () => layers.prelu({ sharedAxes: [3, 1, 2] }),
  ...Object.fromEntries(
    ELEMENTWISE.map(({ name, kind }) => [
      `activation ${name}`,
      () => layers.activation({ activation: kind }),
    ]),
  ),
  "conv2d, gelu": () => layers.conv2d({ filters: 3, kernelSize: 2, activation: "gelu" }),
  "depthwiseConv2d, mish": () => layers.depthwiseConv2d({ kernelSize: 3, activation: "mish" }),
  "dense, silu": () => layers.dense({ units: 6, activation: "silu" }),
  dropout: () => layers.dropout({ rate: 0.4 }),
  "dense over the last axis": () => layers.dense({ units: 6, activation: "tanh" }),
  "dense with softmax": () => layers.dense({ units: 4, activation: "softmax" }),
};

/** An image as a sequence of its pixels. */
const sequence = (x: SymbolicTensor): SymbolicTensor =>
  layers.reshape({ targetShape: [-1, IMAGE[2]] }).apply(x);

/** A row of channels made of an image. */
const gate = (x: SymbolicTensor): SymbolicTensor =>
  layers.dense({ units: IMAGE[2], activation: "sigmoid" }).apply(layers.globalAveragePooling2d().apply(x));

const tanhConv = (): Layer =>
  layers.conv2d({ filters: IMAGE[2], kernelSize: 3, padding: "same", activation: "tanh" });

const NORMALIZATIONS: Record<string, () => Layer> = {
  batchNormalization: () => layers.batchNormalization(),
  "batchNormalization without weights": () => layers.batchNormalization({ scale: false, center: false }),
  "batchNormalization, frozen": () => Object.assign(layers.batchNormalization(), { trainable: false }),
  "groupNormalization, no gamma": () => layers.groupNormalization({ groups: 2, scale: false }),
  "instanceNormalization, no beta": () => layers.instanceNormalization({ center: false }),
  "layerNormalization of channels": () => layers.layerNormalization(),
  "layerNormalization of images": () => layers.layerNormalization({ axis: [-3, -2, -1] }),
};

/** Graphs between the first layer's output and a dense layer. */
const GRAPHS: Record<string, (x: SymbolicTensor) => SymbolicTensor> = {
  "add, a residual": (x) => layers.add().apply([x, tanhConv().apply(x)]),
  "add, of one value three times": (x) => layers.add().apply([x, x, x]),
  multiply: (x) => layers.multiply().apply([tanhConv().apply(x), x]),
  "multiply, of three values": (x) => layers.multiply().apply([x, tanhConv().apply(x), x]),
  "multiply, by a row": (x) => layers.multiply().apply([x, gate(x)]),
  "multiply, of a row and an image": (x) =>
    layers
      .multiply()
      .apply([layers.reshape({ targetShape: [1, 1, -1] }).apply(gate(x)), tanhConv().apply(x)]),
  "add, of an image and a row": (x) => layers.add().apply([tanhConv().apply(x), gate(x)]),
  "add, of a row and an image": (x) =>
    layers.add().apply([layers.reshape({ targetShape: [1, 1, -1] }).apply(gate(x)), x]),
  "conv1d, valid": (x) =>
    layers.conv1d({ filters: 5, kernelSize: 3, strides: 2, activation: "tanh" }).apply(sequence(x)),
  "conv1d, same": (x) =>
    layers.conv1d({ filters: 3, kernelSize: 4, padding: "same", useBias: false }).apply(sequence(x)),
  "conv1d, causal and dilated": (x) =>
    layers.conv1d({ filters: 4, kernelSize: 3, padding: "causal", dilationRate: 4 }).apply(sequence(x)),
  "conv1d, padded and grouped": (x) =>
    layers.conv1d({ filters: 6, kernelSize: 2, padding: [0, 3], groups: 2 }).apply(sequence(x)),
  maxPooling1d: (x) => layers.maxPooling1d({ poolSize: 3, strides: 2, padding: "same" }).apply(sequence(x)),
  averagePooling1d: (x) => layers.averagePooling1d({ poolSize: 3, padding: [1, 2] }).apply(sequence(x)),
  globalMaxPooling1d: (x) => layers.globalMaxPooling1d().apply(sequence(x)),
  globalAveragePooling1d: (x) => layers.globalAveragePooling1d().apply(sequence(x)),
  subtract: (x) => layers.subtract().apply([tanhConv().apply(x), x]),
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
  "average, of three values": (x) => layers.average().apply([x, tanhConv().apply(x), x]),
  "concatenate, channels": (x) => layers.concatenate().apply([x, tanhConv().apply(x), x]),
  "concatenate, rows": (x) =>
    layers.concatenate({ axis: 1 }).apply([layers.maxPooling2d({ poolSize: [2, 1] }).apply(x), x]),
  "concatenate, columns": (x) => layers.concatenate({ axis: -2 }).apply([x, tanhConv().apply(x)]),
  // Times its input: by itself it takes away what the first layer multiplies and adds, whose slopes would be zero.
  ...Object.fromEntries(
    Object.entries(NORMALIZATIONS).map(([name, layer]) => [
      name,
      (x: SymbolicTensor) => layers.multiply().apply([layer().apply(x), x]),
    ]),
  ),
  "a layer used twice": (x) => {
    const shared = tanhConv();
    return layers.add().apply([shared.apply(x), shared.apply(shared.apply(x))]);
  },
  "a value with several readers, one of them a view": (x) => {
    const [first, second] = [layers.flatten().apply(x), layers.flatten().apply(tanhConv().apply(x))];
    return layers.concatenate().apply([first, second, layers.flatten().apply(x)]);
  },
};

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

interface Slopes {
  model: Model;
  engine: Engine;
  loss: Loss;
  labels: Int32Array | Tensor;
}

/** The loss in one training step that changes nothing; the model holds its gradients. */
function measure({ model, engine, loss, labels }: Slopes): number {
  model.compile({ engine, optimizer: optimizers.sgd({ learningRate: 0 }), loss });
  return model.trainOnBatch(images(), labels);
}

/** The slope in one direction of the weight `name`, and how far it may be from the gradient's. */
function slopeOf(given: Slopes, name: string, direction: Int32Array, lossHere: number): [number, number] {
  const { weights } = given.model;
  const { data, shape } = weights.get(name)!;
  const lossAt = (step: number): number => {
    const moved = data.map((w, i) => w + step * direction[i]!);
    given.model.setWeights(new Map([...weights, [name, tensor(moved, shape)]]));
    return measure(given);
  };
  const slope = (h: number): number => (lossAt(h) - lossAt(-h)) / (2 * h);
  const [wide, narrow] = [slope(H), slope(H / 2)];
  given.model.setWeights(weights);
  return [(4 * narrow - wide) / 3, Math.abs(wide - narrow) + (3 * 32 * U * lossHere) / H];
}

/** Compares slope and gradient of each weight tensor in three random directions. */
function expectSlopes(given: Slopes): void {
  const lossHere = measure(given);
  for (const [name, { data: gradient }] of given.model.gradients) {
    // The size of a slope in a random direction is about this.
    const size = Math.hypot(...gradient);
    for (let seed = 0; seed < 3; seed++) {
      const direction = random(seed)
        .integers(gradient.length, 0, 1)
        .map((bit) => 2 * bit - 1);
      const [slope, bound] = slopeOf(given, name, direction, lossHere);
      const expected = direction.reduce((sum, d, i) => sum + d * gradient[i]!, 0);
      holds(name, Math.abs(slope - expected) < bound, `a slope of ${expected} ± ${bound}`, slope);
      // A bound that says nothing would hold for a gradient of zero as well.
      holds(`${name}: bound`, bound < 0.1 * size, `less than ${0.1 * size}`, bound);
    }
  }
  given.model.dispose();
}

/** Multiplies each channel by a weight of its own: its gradient is what the next layer hands back. */
const front = (): Layer => layers.depthwiseConv2d({ kernelSize: 1, kernelInitializer: "ones" });

const model = (seed: number, ...behind: Layer[]): Model =>
  sequential({ inputShape: IMAGE, layers: [front(), ...behind], seed });

const drawn = (seed: number, make: (x: SymbolicTensor) => SymbolicTensor): Model => {
  const inputs = input({ shape: IMAGE });
  const flat = layers.flatten().apply(make(front().apply(inputs)));
  return graph({ inputs, outputs: layers.dense({ units: CLASSES }).apply(flat), seed });
};

export const gradientCases: readonly Case[] = [
  ...Object.entries(GRAPHS).map(([name, make]): Case => ({
    name: `the gradients are the slopes of the loss: ${name}`,
    run: ({ engine }) =>
      expectSlopes({
        model: drawn(5, make),
        engine,
        loss: losses.softmaxCrossEntropy(),
        labels: Int32Array.of(2, 0, 1),
      }),
  })),
  ...Object.entries(LAYERS).map(([name, layer]): Case => ({
    name: `the gradients are the slopes of the loss: ${name}`,
    run: ({ engine }) =>
      expectSlopes({
        model: model(5, layer(), layers.flatten(), layers.dense({ units: CLASSES })),
        engine,
        loss: losses.softmaxCrossEntropy(),
        labels: Int32Array.of(2, 0, 1),
      }),
  })),
  {
    name: "the gradients are the slopes of the mean squared error behind softmax",
    run: ({ engine }) =>
      expectSlopes({
        model: model(6, layers.flatten(), layers.dense({ units: CLASSES, activation: "softmax" })),
        engine,
        loss: losses.meanSquaredError(),
        labels: tensor([1, 0, 0, 0.5, 0.25, 0.25, 0, 0, 1], [BATCH, CLASSES]),
      }),
  },
  {
    name: "the gradients are the slopes of every loss as it is without options",
    run({ engine }) {
      // Rows that sum to one are labels for all of them.
      const labels = tensor([1, 0, 0, 0.5, 0.25, 0.25, 0.2, 0.2, 0.6], [BATCH, CLASSES]);
      for (const make of Object.values(losses)) {
        const behind = [layers.globalAveragePooling2d(), layers.dense({ units: CLASSES })];
        expectSlopes({ model: model(7, ...behind), engine, loss: make(), labels });
      }
    },
  },
  {
    name: "the gradients are the slopes of Huber's loss on both sides of delta, and the sigmoid cross-entropy of yes and no",
    run({ engine }) {
      const labels = tensor([1, 0, 1, 0, 1, 1, 0, 0, 1], [BATCH, CLASSES]);
      for (const loss of [losses.huber({ delta: 2 ** -4 }), losses.sigmoidCrossEntropy()]) {
        const behind = [layers.globalAveragePooling2d(), layers.dense({ units: CLASSES })];
        expectSlopes({ model: model(9, ...behind), engine, loss, labels });
      }
    },
  },
  {
    name: "the gradients are the slopes of cross-entropy with smoothed labels",
    run({ engine }) {
      const loss = losses.softmaxCrossEntropy({ labelSmoothing: 0.25 });
      const rows = tensor([0, 0, 1, 1, 0, 0, 0, 1, 0], [BATCH, CLASSES]);
      for (const labels of [Int32Array.of(2, 0, 1), rows]) {
        const behind = [layers.flatten(), layers.dense({ units: CLASSES })];
        expectSlopes({ model: model(8, ...behind), engine, loss, labels });
      }
    },
  },
  {
    name: "the gradients are the slopes of cross-entropy with rows as labels",
    run: ({ engine }) =>
      expectSlopes({
        model: model(7, layers.globalAveragePooling2d(), layers.dense({ units: CLASSES })),
        engine,
        loss: losses.softmaxCrossEntropy(),
        labels: tensor([1, 0, 0, 0.5, 0.25, 0.25, 0.2, 0.2, 0.6], [BATCH, CLASSES]),
      }),
  },
];
