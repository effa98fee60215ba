/** Weights of images and classes in `fit`, and its share for validation. The arithmetic is that of Keras. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  layers,
  load,
  losses,
  metrics,
  OptionError,
  optimizers,
  sequential,
  tensor,
  type Engine,
  type FitOptions,
  type LabelledBatch,
  type Loss,
  type Model,
  type Tensor,
} from "im2row";
import { loadOnnx } from "im2row/onnx";
import { tinyNet } from "../conformance/nets.ts";
import { noise, weightBits } from "../support/model.ts";

const COUNT = 10;
const images = noise(1, COUNT, 7, 7, 3);
const labels = Array.from({ length: COUNT }, (_, i) => (i * 7) % 3);
const weights = Array.from({ length: COUNT }, (_, i) => (i % 4) / 2);
const oneHot = tensor(
  labels.flatMap((label) => [0, 1, 2].map((i) => Number(i === label))),
  [COUNT, 3],
);

let engine: Engine;
beforeAll(async () => {
  engine = await load();
});
afterAll(() => {
  expect(engine.memory.used).toBe(0);
  engine.dispose();
});

const compiled = (net: Model = tinyNet(), loss: Loss = losses.softmaxCrossEntropy()): Model => {
  net.compile({ engine, loss, optimizer: optimizers.sgd({ learningRate: 0.1 }) });
  return net;
};

const imageOf = ({ data, shape }: Tensor, i: number): Tensor => {
  const size = data.length / shape[0]!;
  return tensor(data.slice(i * size, (i + 1) * size), [1, ...shape.slice(1)]);
};

async function trained(options: FitOptions, y: typeof labels | Tensor = labels): Promise<object> {
  const net = compiled();
  const history = await net.fit(images, y, { epochs: 2, batchSize: 4, ...options });
  const bits = weightBits(net);
  net.dispose();
  return { bits, loss: history.loss, accuracy: history.accuracy };
}

describe("sampleWeight", () => {
  const dense = (): Model =>
    sequential({ inputShape: [2, 2, 3], layers: [layers.conv2d({ filters: 2, kernelSize: 1 })] });
  const squares = noise(3, 4, 2, 2, 2);
  it.each([
    ["classes", () => compiled(), images, labels],
    ["rows of targets", () => compiled(), images, oneHot],
    [
      "several rows an image",
      () => compiled(dense(), losses.meanSquaredError()),
      noise(2, 4, 2, 2, 3),
      squares,
    ],
  ] as const)("makes the loss Σ weight·loss / n, and the gradient, of %s", async (_, make, x, y) => {
    const n = x.shape[0]!;
    const own = weights.slice(0, n);
    let [loss, correct] = [0, 0];
    const sums = new Map<string, Float64Array>();
    for (let i = 0; i < n; i++) {
      const single = make();
      const target = Array.isArray(y) ? [y[i]!] : imageOf(y as Tensor, i);
      const { accuracy } = single.evaluate(imageOf(x, i), target);
      loss += own[i]! * single.trainOnBatch(imageOf(x, i), target);
      correct += accuracy;
      for (const [name, { data }] of single.gradients) {
        const sum = sums.get(name) ?? new Float64Array(data.length);
        data.forEach((value, j) => (sum[j]! += (own[i]! * value) / n));
        sums.set(name, sum);
      }
      single.dispose();
    }
    const model = make();
    const history = await model.fit(x, y as Tensor, { sampleWeight: own, shuffle: false });
    expect(history.loss).toEqual([loss / n]);
    expect(history.accuracy[0]).toBeCloseTo(correct / n, 12);
    for (const [name, { data }] of model.gradients) {
      data.forEach((value, j) => expect(value).toBeCloseTo(sums.get(name)![j]!, 6));
    }
    model.dispose();
  });

  it("of 1 for each leaves the bits as they are in batches of powers of two", async () => {
    expect(await trained({ sampleWeight: Array.from(labels, () => 1) })).toEqual(await trained({}));
  });

  it("goes with its image in any order, and comes as a third element of a stream's batches", async () => {
    const expected = await trained({ sampleWeight: weights, shuffle: false });
    const turned = images.shape.map((size) => size);
    const back = tensor(
      Array.from({ length: COUNT }, (_, i) => [...imageOf(images, COUNT - 1 - i).data]).flat(),
      turned,
    );
    const sums = async (x: Tensor, y: number[], sampleWeight: number[]): Promise<number> => {
      const net = compiled();
      const { loss } = await net.fit(x, y, { sampleWeight, batchSize: COUNT });
      net.dispose();
      return loss[0]!;
    };
    const one = await sums(images, labels, weights);
    expect(await sums(back, labels.toReversed(), weights.toReversed())).toBeCloseTo(one, 6);

    const part = (start: number, end: number) =>
      [
        tensor(images.data.slice(start * 147, end * 147), [end - start, 7, 7, 3]),
        labels.slice(start, end),
        weights.slice(start, end),
      ] as const;
    const parts = [part(0, 4), part(4, 8), part(8, 10)] as const;
    const records = parts.map(([x, y, sampleWeight]) => ({ images: x, labels: y, sampleWeight }));
    for (const stream of [parts, records] as readonly (readonly LabelledBatch[])[]) {
      const net = compiled();
      const { loss, accuracy } = await net.fit(stream, { epochs: 2 });
      expect({ bits: weightBits(net), loss, accuracy }).toEqual(expected);
      net.dispose();
    }
  });
});

describe("sampleWeight of evaluate", () => {
  it("makes the loss Σ weight·loss / n over all batches, and leaves accuracy and metrics as they are", async () => {
    const net = tinyNet();
    net.compile({ engine, loss: losses.softmaxCrossEntropy(), metrics: [metrics.confusionMatrix()] });
    const plain = net.evaluate(images, labels);
    let sum = 0;
    for (let i = 0; i < COUNT; i++) sum += weights[i]! * net.evaluate(imageOf(images, i), [labels[i]!]).loss;
    const weighted = net.evaluate(images, labels, { sampleWeight: weights, batchSize: 4 });
    expect(weighted.loss).toBeCloseTo(sum / COUNT, 12);
    expect({ ...weighted, loss: plain.loss }).toEqual(plain);
    const options = { sampleWeight: Float64Array.from(weights), batchSize: 4 };
    expect(await net.evaluateAsync(images, labels, options)).toEqual(weighted);
    const part = (start: number, end: number) =>
      [
        tensor(images.data.slice(start * 147, end * 147), [end - start, 7, 7, 3]),
        labels.slice(start, end),
        weights.slice(start, end),
      ] as const;
    const parts = [part(0, 4), part(4, 8), part(8, 10)];
    expect(net.evaluate(parts)).toEqual(weighted);
    expect(await net.evaluateAsync(parts)).toEqual(weighted);
    net.dispose();
  });

  it("is copied at once, and is refused unless there is one for each image", async () => {
    const net = compiled();
    const expected = net.evaluate(images, labels, { sampleWeight: weights });
    const own = weights.slice();
    const pending = net.evaluateAsync(images, labels, { sampleWeight: own });
    own.fill(NaN);
    expect(await pending).toEqual(expected);
    expect(() => net.evaluate(images, labels, { sampleWeight: [1, 2] })).toThrow(
      "evaluate: sampleWeight: expected 10 weights, got [1,2]",
    );
    expect(() => net.evaluate(images, labels, { sampleWeight: own })).toThrow(
      "evaluate: sampleWeight[0]: expected a finite number ≥ 0, got NaN",
    );
    const stream = [[images, labels]] as const;
    expect(() => net.evaluate(stream, { sampleWeight: weights } as object)).toThrow(OptionError);
    await expect(net.evaluateAsync(stream, { sampleWeight: weights } as object)).rejects.toThrow(
      "evaluateAsync: sampleWeight: expected none for a stream, whose batches have theirs",
    );
    expect(() => net.predict(images, { sampleWeight: weights } as object)).toThrow(
      "predict: expected the options batchSize; got",
    );
    net.dispose();
  });

  it("goes through a net from ONNX, and so do the weights of its validation", async () => {
    const origin = compiled();
    const net = await loadOnnx(origin.toOnnx({ layout: "NHWC" }), { engine });
    net.compile({ optimizer: optimizers.sgd({ learningRate: 0 }), loss: losses.softmaxCrossEntropy() });
    const { loss } = net.evaluate(images, labels, { sampleWeight: weights });
    expect(loss).toBeCloseTo(origin.evaluate(images, labels, { sampleWeight: weights }).loss, 6);
    expect(await net.evaluateAsync(images, labels, { sampleWeight: weights })).toMatchObject({ loss });
    const { validationLoss } = await net.fit(images, labels, { validationData: [images, labels, weights] });
    expect(validationLoss[0]).toBe(loss);
    net.dispose();
    origin.dispose();
  });
});

describe("classWeight", () => {
  const classWeight = { 0: 3, 2: 0.5 };
  const byClass = labels.map((label) => [3, 1, 0.5][label]!);

  it("is the weight of each image's class, and 1 for the classes that it leaves out", async () => {
    const expected = await trained({ sampleWeight: byClass });
    expect(await trained({ classWeight })).toEqual(expected);
    expect(await trained({ classWeight }, oneHot)).toEqual(await trained({ sampleWeight: byClass }, oneHot));
  });

  it("weighs a stream as well, and no validation", async () => {
    const [one, two] = [compiled(), compiled()];
    const validationData = [images, labels] as const;
    const expected = await one.fit(images, labels, { shuffle: false, classWeight, validationData });
    expect(
      await two.fit([[images, labels]], { classWeight, validationData: () => [validationData] }),
    ).toEqual(expected);
    expect(expected.validationLoss[0]).toBe(two.evaluate(images, labels).loss);
    for (const net of [one, two]) net.dispose();
  });
});

describe("validationSplit", () => {
  it("keeps the last share of the images, with their weights, before the order is drawn", async () => {
    const [one, two] = [compiled(), compiled()];
    const end = 7; // ⌊10 · (1 − 0.25)⌋
    const cut = (start: number, stop: number) =>
      [
        tensor(images.data.slice(start * 147, stop * 147), [stop - start, 7, 7, 3]),
        labels.slice(start, stop),
        weights.slice(start, stop),
      ] as const;
    const [x, y, sampleWeight] = cut(0, end);
    const options = { epochs: 3, earlyStopping: { patience: 9, restoreBestWeights: true } };
    const expected = await one.fit(x, y, { ...options, sampleWeight, validationData: cut(end, COUNT) });
    const split = { ...options, validationSplit: 0.25 };
    expect(await two.fit(images, labels, { ...split, sampleWeight: weights })).toEqual(expected);
    expect(weightBits(two)).toEqual(weightBits(one));
    const classed = await two.fit(images, labels, { validationSplit: 0.25, classWeight: { 0: 100 } });
    const [lastX, lastY] = cut(end, COUNT);
    expect(classed.validationLoss[0]).toBe(two.evaluate(lastX, lastY).loss);
    for (const net of [one, two]) net.dispose();
  });
});

it.each<[FitOptions, string]>([
  [{ sampleWeight: [1] }, "fit: sampleWeight: expected 10 weights, got [1]"],
  [{ sampleWeight: labels.map(() => -1) }, "fit: sampleWeight[0]: expected a finite number ≥ 0, got -1"],
  [{ classWeight: { 3: 1 } }, 'fit: classWeight: expected classes from 0 to 2, got "3"'],
  [{ classWeight: { 1: Infinity } }, "fit: classWeight: 1: expected a finite number ≥ 0, got Infinity"],
  [{ classWeight: [1] as never }, "fit: classWeight: expected { class: weight }, got [1]"],
  [{ classWeight: {}, sampleWeight: weights }, "fit: expected sampleWeight or classWeight, got both"],
  [{ validationSplit: 1 }, "fit: validationSplit: expected a number ≥ 0 and < 1, got 1"],
  [{ validationSplit: 0.99 }, "fit: validationSplit: expected images on either side, got 0.99 of 10"],
  [
    { validationSplit: 0.5, validationData: [images, labels] },
    "fit: expected validationData or validationSplit, got both",
  ],
])("refuses %j", async (options, message) => {
  const net = compiled();
  await expect(net.fit(images, labels, options)).rejects.toThrow(message);
  net.dispose();
});

it("refuses weights of classes without classes, and weights of images beside a stream", async () => {
  const net = compiled(
    sequential({ inputShape: [3], layers: [layers.dense({ units: 1 })] }),
    losses.meanSquaredError(),
  );
  const pair = [noise(1, 2, 3), noise(2, 2, 1)] as const;
  await expect(net.fit(...pair, { classWeight: { 0: 1 } })).rejects.toThrow(
    "fit: classWeight: expected a model with one output, a class an image",
  );
  const stream = net.fit([pair], { sampleWeight: [1, 2] } as object);
  await expect(stream).rejects.toThrow(OptionError);
  await expect(stream).rejects.toThrow("fit: sampleWeight: expected none for a stream");
  net.dispose();
});
