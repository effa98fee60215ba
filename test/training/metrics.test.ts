/** Metrics, by themselves and through `evaluate` and `fit`. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  input,
  layers,
  load,
  losses,
  metrics,
  model as graph,
  OptionError,
  optimizers,
  sequential,
  ShapeError,
  tensor,
  type Engine,
  type Model,
} from "../../src/index.ts";
import { oneHot } from "../oracles/loss.ts";
import { random } from "../support/random.ts";
import { noise } from "../support/model.ts";

type Any = never;

/** Three classes: right, second, third, and a tie that the first wins. */
const outputs = tensor([0.7, 0.2, 0.1, 0.5, 0.4, 0.1, 0.6, 0.3, 0.1, 0.4, 0.4, 0.2], [4, 3]);
const labels = [0, 1, 2, 1];

/** Columns in the order of a stable sort, largest first. */
const ranking = (row: readonly number[]): number[] =>
  row.map((_, j) => j).sort((a, b) => row[b]! - row[a]! || a - b);

describe("metrics of predictions", () => {
  it("count by hand", () => {
    expect(metrics.accuracy(outputs, labels)).toBe(0.25);
    expect(metrics.topKAccuracy(outputs, labels, { k: 2 })).toBe(0.75);
    expect(metrics.topKAccuracy(outputs, labels, { k: 3 })).toBe(1);
    expect(metrics.topKAccuracy(outputs, labels)).toBe(1);
    expect(metrics.confusionMatrix(outputs, labels)).toEqual([
      [1, 0, 0],
      [2, 0, 0],
      [1, 0, 0],
    ]);
  });

  it("take labels in all of their forms", () => {
    const rows = tensor(oneHot(labels, 3), [4, 3]);
    const numbers = [labels, Int32Array.from(labels), Uint8Array.from(labels), tensor(labels, [4])];
    for (const given of [...numbers, rows]) {
      expect(metrics.accuracy(outputs, given)).toBe(0.25);
      expect(metrics.confusionMatrix(outputs, given)[1]).toEqual([2, 0, 0]);
    }
    const pixels = tensor(outputs.data, [2, 2, 3]);
    expect(metrics.topKAccuracy(pixels, tensor(rows.data, [2, 2, 3]), { k: 2 })).toBe(0.75);
  });

  it("rank as a stable sort does", () => {
    const [rows, columns] = [200, 7];
    const data = random(1);
    // Few values, so that there are ties.
    const values = Float32Array.from(data.integers(rows * columns, 0, 4));
    const classes = data.integers(rows, 0, columns - 1);
    for (let k = 1; k <= columns; k++) {
      const hits = Array.from({ length: rows }, (_, i) => {
        const row = [...values.subarray(i * columns, (i + 1) * columns)];
        return ranking(row).indexOf(classes[i]!) < k;
      });
      const expected = hits.filter(Boolean).length / rows;
      expect(metrics.topKAccuracy(tensor(values, [rows, columns]), classes, { k })).toBe(expected);
    }
  });

  it("take NaN for the largest, as the losses do", () => {
    const row = tensor([NaN, 5, NaN], [1, 3]);
    expect([0, 1, 2].map((label) => metrics.accuracy(row, [label]))).toEqual([1, 0, 0]);
    expect(metrics.topKAccuracy(row, [2], { k: 2 })).toBe(1);
    expect(metrics.confusionMatrix(row, [1])[1]).toEqual([1, 0, 0]);
  });

  it.each<[message: string, type: typeof OptionError | typeof ShapeError, call: () => unknown]>([
    ["topK: k: expected a positive integer, got 0", OptionError, () => metrics.topK({ k: 0 })],
    [`topK: expected the options k; got "n"`, OptionError, () => metrics.topK({ n: 1 } as Any)],
    [
      "topKAccuracy: k: expected a positive integer, got 1.5",
      OptionError,
      () => metrics.topKAccuracy(outputs, labels, { k: 1.5 }),
    ],
    ["accuracy: labels: expected 4, got 1", ShapeError, () => metrics.accuracy(outputs, [1])],
    [
      "confusionMatrix: labels[3]: expected a class from 0 to 2, got 3",
      OptionError,
      () => metrics.confusionMatrix(outputs, [0, 1, 2, 3]),
    ],
    [
      "accuracy: labels[1]: expected a class from 0 to 2, got 0.5",
      OptionError,
      () => metrics.accuracy(outputs, tensor([0, 0.5, 1, 2], [4])),
    ],
    [
      "accuracy: labels: expected shape 4×3, got 3×4",
      ShapeError,
      () => metrics.accuracy(outputs, tensor(outputs.data, [3, 4])),
    ],
    [
      "accuracy: outputs: expected rows of several classes, got 4×1",
      ShapeError,
      () => metrics.accuracy(tensor([1, 2, 3, 4], [4, 1]), labels),
    ],
    [
      "accuracy: outputs: expected rows of several classes, got 12",
      ShapeError,
      () => metrics.accuracy(tensor(outputs.data, [12]), labels),
    ],
    [
      "accuracy: outputs.shape: expected a shape of positive integers, got undefined",
      ShapeError,
      () => metrics.accuracy([1, 2] as Any, labels),
    ],
  ])("refuse: %s", (message, type, call) => {
    expect(call).toThrow(type);
    expect(call).toThrow(message);
  });
});

describe("evaluate and fit", () => {
  let engine: Engine;
  beforeAll(async () => {
    engine = await load();
  });
  afterAll(() => {
    expect(engine.memory.used).toBe(0);
    engine.dispose();
  });

  const loss = losses.softmaxCrossEntropy();
  const count = 150;
  const images = noise(1, count, 6);
  const classes = random(2).integers(count, 0, 3);
  const net = (): Model =>
    sequential({ inputShape: [6], layers: [layers.dense({ units: 8 }), layers.dense({ units: 4 })] });

  it("tells what the metrics tell of the predictions, over batches of any size", () => {
    const model = net();
    model.compile({ engine, loss, metrics: [metrics.topK({ k: 2 }), metrics.confusionMatrix()] });
    const predicted = model.predict(images);
    for (const batchSize of [1, 7, 64, 200]) {
      for (const given of [classes, tensor(oneHot(classes, 4), [count, 4])]) {
        const found = model.evaluate(images, given, { batchSize });
        expect(Object.keys(found)).toEqual(["loss", "accuracy", "topK2", "confusionMatrix"]);
        expect(found.accuracy).toBe(metrics.accuracy(predicted, classes));
        expect(found.topK2).toBe(metrics.topKAccuracy(predicted, classes, { k: 2 }));
        expect(found.confusionMatrix).toEqual(metrics.confusionMatrix(predicted, classes));
      }
    }
    model.dispose();
  });

  it("counts the rows of pixels", () => {
    const model = sequential({ inputShape: [3, 2, 5], layers: [layers.dense({ units: 3 })] });
    model.compile({ engine, loss, metrics: [metrics.topK({ k: 2 })] });
    const pixels = noise(3, 9, 3, 2, 5);
    const rows = engine.activation(noise(4, 9, 3, 2, 3), "softmax");
    const expected = metrics.topKAccuracy(model.predict(pixels), rows, { k: 2 });
    expect(model.evaluate(pixels, rows, { batchSize: 4 }).topK2).toBe(expected);
    model.dispose();
  });

  it("tells each output's by name", () => {
    const image = input({ shape: [6], name: "image" });
    const heads = [layers.dense({ units: 4, name: "kind" }), layers.dense({ units: 1, name: "angle" })];
    const model = graph({ inputs: image, outputs: heads.map((head) => head.apply(image)) });
    const own = { kind: loss, angle: losses.meanSquaredError() };
    model.compile({ engine, loss: own, metrics: { kind: [metrics.confusionMatrix()], angle: [] } });
    const found = model.evaluate({ image: images }, { kind: classes, angle: noise(5, count, 1) });
    const { kind } = model.predict({ image: images });
    expect(Object.keys(found)).toEqual(["loss", "accuracy", "outputs"]);
    expect(found.outputs!["kind"]!.confusionMatrix).toEqual(metrics.confusionMatrix(kind!, classes));
    expect(Object.keys(found.outputs!["angle"]!)).toEqual(["loss", "accuracy"]);
    const all = [metrics.topK()];
    expect(() => model.compile({ engine, loss: own, metrics: all })).toThrow(
      "compile: metrics: topK5: expected rows of at least 2 columns, got 1 in angle",
    );
    model.dispose();
  });

  it("are told of the validation data after each epoch", async () => {
    const model = net();
    const optimizer = optimizers.adam();
    model.compile({ engine, optimizer, loss, metrics: [metrics.topK({ k: 2 }), metrics.confusionMatrix()] });
    let told = 0;
    await model.fit(images, classes, {
      epochs: 2,
      validationData: [images, classes],
      onEpochEnd({ validation }) {
        expect(Object.keys(validation!)).toEqual(["loss", "accuracy", "topK2", "confusionMatrix"]);
        expect(validation).toEqual(model.evaluate(images, classes));
        told++;
      },
    });
    expect(told).toBe(2);
    model.dispose();
  });

  it("accuracy is of the outputs whose rows can be right", async () => {
    const image = input({ shape: [6], name: "image" });
    const ends = [4, 1, 1].map((units, i) => layers.dense({ units, name: "abc"[i]! }).apply(image));
    const model = graph({ inputs: image, outputs: ends });
    const own = { a: loss, b: losses.meanSquaredError(), c: losses.sigmoidCrossEntropy() };
    const optimizer = optimizers.adam();
    model.compile({ engine, optimizer, loss: own });
    const flags = tensor(
      Float32Array.from(classes, (label) => label % 2),
      [count, 1],
    );
    const targets = { a: classes, b: noise(5, count, 1), c: flags };
    const { accuracy, outputs: found } = model.evaluate({ image: images }, targets);
    expect(accuracy).toBe((found!["a"]!.accuracy + found!["c"]!.accuracy) / 2);
    expect(found!["b"]!.accuracy).toBe(0);
    // In one batch an epoch: the figures are those before its step.
    const history = await model.fit({ image: images }, targets, { batchSize: count });
    expect(history.accuracy).toEqual([accuracy]);
    model.dispose();
    const values = sequential({ inputShape: [6], layers: [layers.dense({ units: 1 })] });
    values.compile({ engine, optimizer, loss: own.b });
    expect((await values.fit(images, targets.b)).accuracy).toEqual([0]);
    values.dispose();
  });

  it.each<[message: string, given: unknown]>([
    ["compile: metrics: expected a list of metrics.*, got {}", {}],
    [`compile: metrics: expected a list of metrics.*, got ["accuracy"]`, ["accuracy"]],
    ["compile: metrics: expected a list of metrics.*, got {", metrics.topK()],
    ["compile: metrics: expected each once, got topK5, topK5", [metrics.topK(), metrics.topK({ k: 5 })]],
    ["compile: metrics: expected a list of metrics.*, got null", null],
    [
      "compile: metrics: expected none of loss, accuracy, outputs, which every evaluation has, got accuracy",
      [{ ...metrics.topK({ k: 1 }), name: "accuracy" }],
    ],
  ])("is refused by compile: %s", (message, given) => {
    const compile = () => net().compile({ engine, loss, metrics: given as Any });
    expect(compile).toThrow(OptionError);
    expect(compile).toThrow(message);
  });

  it("needs a loss beside the metrics", () => {
    expect(() => net().compile({ engine, metrics: [] })).toThrow(
      "compile: loss: expected one beside the metrics, got none",
    );
  });
});
