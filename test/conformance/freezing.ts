/** Frozen layers, moving statistics, and bounds on gradients, through models. */
import { layers, loadModel, losses, OptionError, optimizers, sequential, tensor } from "im2row";
import type { Layer, Model, Optimizer, Tensor } from "im2row";
import { normalize } from "../oracles/normalization.ts";
import { U, ulp } from "../support/float.ts";
import { noise, weightBits } from "../support/model.ts";
import type { Case, Context } from "./case.ts";
import { close, holds, same, sameBits, throws } from "./expect.ts";
import { normalized } from "./nets.ts";

const LABELS = [2, 0, 1];
const loss = losses.softmaxCrossEntropy();
const images = (step: number): Tensor => noise(step, LABELS.length, 12, 11, 8);

/** Convolutions by Winograd's algorithm and of depth, which keep packed filters, and a normalization. */
const trunk = (): Layer[] => [
  layers.conv2d({ filters: 8, kernelSize: 3, activation: "gelu" }),
  layers.batchNormalization(),
  layers.depthwiseConv2d({ kernelSize: 3, activation: "relu" }),
];

const build = (own: readonly Layer[], seed = 4): Model =>
  sequential({
    inputShape: [12, 11, 8],
    layers: [...own, layers.globalAveragePooling2d(), layers.dense({ units: 3 })],
    seed,
  });

const freeze = (own: readonly Layer[]): readonly Layer[] => {
  for (const layer of own) layer.trainable = false;
  return own;
};

function train(model: Model, { engine }: Context, optimizer: Optimizer, steps: number): void {
  model.compile({ engine, optimizer, loss });
  for (let step = 0; step < steps; step++) model.trainOnBatch(images(0), LABELS);
}

/** A head on a frozen trunk learns as a head of its own on the trunk's output, bit for bit; the trunk stays. */
function expectFrozenTrunk(context: Context): void {
  const { engine } = context;
  const model = build(freeze(trunk()));
  // Moving statistics that are not those of the start.
  const warm = build(trunk());
  train(warm, context, optimizers.sgd({ learningRate: 0.1 }), 3);
  model.setWeights(warm.weights);
  const before = weightBits(model);
  const features = sequential({ inputShape: [12, 11, 8], layers: trunk() });
  const ofTrunk = [...model.weights].filter(([name]) => !name.startsWith("dense."));
  features.setWeights(new Map(ofTrunk));
  features.compile({ engine });
  const head = sequential({
    inputShape: features.outputShape,
    layers: [layers.globalAveragePooling2d(), layers.dense({ units: 3 })],
  });
  head.setWeights(new Map([...model.weights].filter(([name]) => name.startsWith("dense."))));
  const optimizer = optimizers.adam({ learningRate: 0.01 });
  head.compile({ engine, optimizer, loss });
  model.compile({ engine, optimizer, loss });
  for (let step = 0; step < 4; step++) {
    const expected = head.trainOnBatch(features.predict(images(step)), LABELS);
    same(`the loss of step ${step}`, model.trainOnBatch(images(step), LABELS), expected);
  }
  const after = weightBits(model);
  same(
    "what learned",
    Object.keys(after).filter((name) => String(after[name]) !== String(before[name])),
    ["dense.kernel", "dense.bias"],
  );
  for (const [name, { data }] of head.weights) sameBits(name, model.weights.get(name)!.data, data);
  same("gradients", [...model.gradients.keys()], ["dense.kernel", "dense.bias"]);
  // Filters that are packed once are packed again for other weights.
  const others = build(trunk(), 9).weights;
  model.setWeights(others);
  features.setWeights(new Map([...others].filter(([name]) => !name.startsWith("dense."))));
  head.setWeights(new Map([...others].filter(([name]) => name.startsWith("dense."))));
  const expected = head.trainOnBatch(features.predict(images(9)), LABELS);
  same("the loss with other weights", model.trainOnBatch(images(9), LABELS), expected);
  for (const each of [model, warm, features, head]) each.dispose();
}

/** A frozen layer behind one that learns passes the gradient on, as if it learned. */
function expectFrozenMiddle(context: Context): void {
  const own = trunk();
  freeze(own.slice(2));
  const [model, free] = [build(own), build(trunk())];
  const optimizer = optimizers.sgd({ learningRate: 0 });
  for (const each of [model, free]) train(each, context, optimizer, 1);
  const expected = free.gradients;
  const { gradients } = model;
  same(
    "frozen",
    [...expected.keys()].filter((name) => !gradients.has(name)),
    ["depthwiseConv2d.kernel", "depthwiseConv2d.bias"],
  );
  for (const [name, { data }] of gradients) sameBits(name, data, expected.get(name)!.data);
  // Freezing counts from the next compilation on.
  own[2]!.trainable = true;
  model.trainOnBatch(images(0), LABELS);
  same("gradients before compiling again", model.gradients.size, gradients.size);
  train(model, context, optimizer, 1);
  same("gradients after it", model.gradients.size, expected.size);
  for (const each of [model, free]) each.dispose();
}

/** Batch statistics in training, moving ones in inference, and how they move. */
function expectStatistics({ engine }: Context): void {
  const momentum = 0.75;
  const [n, rows, c] = [3, 20, 5];
  // Nothing learns in front of it, or in it: the statistics move all the same.
  const model = sequential({
    inputShape: [4, 5, c],
    layers: [
      layers.batchNormalization({ momentum, scale: false, center: false }),
      layers.conv2d({ filters: 40, kernelSize: 3, padding: "same", activation: "gelu" }),
      layers.globalAveragePooling2d(),
      layers.dense({ units: 3 }),
    ],
  });
  model.compile({ engine, optimizer: optimizers.sgd({ learningRate: 0.1 }), loss });
  let [mean, variance] = [Array<number>(c).fill(0), Array<number>(c).fill(1)];
  const count = n * rows;
  for (let step = 0; step < 4; step++) {
    const x = noise(step, n, 4, 5, c);
    model.trainOnBatch(x, LABELS);
    const column = (j: number): number[] => [...x.data].filter((_, i) => i % c === j);
    const means = mean.map((_, j) => column(j).reduce((a, b) => a + b, 0) / count);
    const spreads = means.map((m, j) => column(j).reduce((sum, v) => sum + (v - m) ** 2, 0) / (count - 1));
    mean = mean.map((old, j) => momentum * old + (1 - momentum) * means[j]!);
    variance = variance.map((old, j) => momentum * old + (1 - momentum) * spreads[j]!);
    // The batch's are rounded and so is the new value, whose old one has a share of its errors: 1u + 1u / (1 − ¾).
    const { weights } = model;
    const bound = (value: number): number => 5 * U * Math.max(1, Math.abs(value));
    const found = (name: string): Float32Array => weights.get(`batchNormalization.${name}`)!.data;
    close(`moving mean ${step}`, found("movingMean"), mean, (j) => bound(mean[j]!));
    close(`moving variance ${step}`, found("movingVariance"), variance, (j) => bound(variance[j]!));
  }
  model.dispose();
}

/** Inference normalizes by the moving statistics, which files hold. */
function expectInference(context: Context): void {
  const c = 6;
  const own = layers.batchNormalization();
  const model = sequential({ inputShape: [c], layers: [own], seed: 1 });
  const data = noise(5, 4, c).data;
  const [gamma, beta, mean, spread] = [0, 1, 2, 3].map((i) => data.slice(i * c, i * c + c));
  const weights = { gamma: gamma!, beta: beta!, movingMean: mean!, movingVariance: spread!.map(Math.abs) };
  model.setWeights(
    new Map(
      Object.entries(weights).map(([name, values]) => [`batchNormalization.${name}`, tensor(values, [c])]),
    ),
  );
  const again = loadModel(model.toSafetensors());
  same("weights of the file", weightBits(again), weightBits(model));
  again.compile({ engine: context.engine });
  const x = noise(6, 7, c);
  const y = again.predict(x).data;
  const statistics = { mean: [...weights.movingMean], variance: [...weights.movingVariance] };
  const affine = { epsilon: Math.fround(0.001), gamma: gamma!, beta: beta! };
  const expected = normalize({ images: 1, rows: 7, c, groups: c }, x.data, statistics, affine);
  const scaled = (i: number): number => Math.abs(expected[i]! - beta![i % c]!);
  close("output", y, expected, (i) => 4 * U * scaled(i) + U * Math.abs(expected[i]!));
  again.dispose();
}

/** The gradients with bounds are those without, scaled by their common length and cut. */
function expectClipping(context: Context): void {
  const [norm, value] = [0.25, 2 ** -7];
  const [plain, clipped] = [normalized(3), normalized(3)];
  const take = (model: Model, more: object): ReadonlyMap<string, Tensor> => {
    const optimizer = optimizers.sgd({ learningRate: 0.5, ...more });
    model.compile({ engine: context.engine, optimizer, loss });
    model.trainOnBatch(noise(1, 3, 9, 8, 4), LABELS);
    return model.gradients;
  };
  const start = clipped.weights;
  const free = take(plain, {});
  const length = Math.sqrt([...free.values()].reduce((sum, { data }) => sum + Math.hypot(...data) ** 2, 0));
  holds("length", length > 2 * norm, `more than ${2 * norm}`, length);
  const scale = norm / length;
  for (const more of [
    { globalClipNorm: norm },
    { clipValue: value },
    { globalClipNorm: norm, clipValue: value },
  ]) {
    clipped.setWeights(start);
    const found = take(clipped, more);
    const factor = "globalClipNorm" in more ? scale : 1;
    const limit = "clipValue" in more ? value : Infinity;
    let cut = 0;
    for (const [name, { data }] of free) {
      const expected = data.map((g) => Math.min(Math.max(factor * g, -limit), limit));
      cut += expected.filter((g) => Math.abs(g) === limit).length;
      // The factor is rounded, and the product.
      close(name, found.get(name)!.data, expected, (i) => 2 * ulp(expected[i]!));
      const stepped = start.get(name)!.data.map((w, i) => w - Math.fround(0.5 * found.get(name)!.data[i]!));
      sameBits(`${name} after the step`, clipped.weights.get(name)!.data, stepped);
    }
    holds("cut", cut > 0 || limit === Infinity, "numbers at the limit", cut);
  }
  clipped.setWeights(start);
  const wide = take(clipped, { globalClipNorm: 2 * length, clipValue: 1e9 });
  for (const [name, { data }] of free) sameBits(`${name} within bounds`, wide.get(name)!.data, data);
  for (const each of [plain, clipped]) each.dispose();
}

function expectAllFrozen({ engine }: Context): void {
  const own = trunk();
  const dense = layers.dense({ units: 3 });
  const list = [...own, layers.globalAveragePooling2d(), dense];
  const model = sequential({ inputShape: [12, 11, 8], layers: list });
  same("layers", model.layers, list);
  freeze(list);
  const compile = () => model.compile({ engine, optimizer: optimizers.adam(), loss });
  const frozen = "compile: optimizer: expected a layer that learns, got all of them frozen";
  throws("all frozen", compile, OptionError, frozen);
  // The layer that is left has statistics alone, which no gradient changes.
  const bare = layers.batchNormalization({ center: false, scale: false });
  const still = sequential({ inputShape: [12, 11, 8], layers: [...list, bare] });
  const compileStill = () => still.compile({ engine, optimizer: optimizers.adam(), loss });
  throws("all that learns frozen", compileStill, OptionError, frozen);
  dense.trainable = "yes" as never;
  throws("yes", compile, OptionError, `compile: dense: trainable: expected true or false, got "yes"`);
  // Inference does not mind.
  model.compile({ engine });
  same("output", model.predict(images(1)).shape, [3, 3]);
  model.dispose();
}

export const freezingCases: readonly Case[] = [
  { name: "a frozen trunk stays, and its head learns as on the trunk's output", run: expectFrozenTrunk },
  { name: "a frozen layer passes the gradient on", run: expectFrozenMiddle },
  { name: "a model of frozen layers is refused for training", run: expectAllFrozen },
  { name: "moving statistics follow those of the batches", run: expectStatistics },
  { name: "batch normalization infers by moving statistics, which files hold", run: expectInference },
  { name: "gradients are scaled and cut to their bounds", run: expectClipping },
];
