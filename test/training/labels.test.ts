/**
 * Losses take as labels each type of whole numbers and values in their range, as the arrays hold them when they are
 * copied.
 */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  layers,
  load,
  losses,
  metrics,
  OptionError,
  optimizers,
  sequential,
  ShapeError,
  tensor,
  type Engine,
  type Labels,
  type Loss,
  type Model,
  type Tensor,
} from "../../src/index.ts";
import { noise } from "../support/model.ts";

let engine: Engine;
beforeAll(async () => {
  engine = await load();
});
afterAll(() => engine.dispose());

function compiled(loss: Loss, units = 3): Model {
  const model = sequential({ inputShape: [4], layers: [layers.dense({ units })], seed: 1 });
  model.compile({ engine, loss, optimizer: optimizers.sgd({ learningRate: 0.1 }) });
  return model;
}

const x = noise(1, 3, 4);

describe("class numbers", () => {
  const types = [
    Int8Array,
    Uint8Array,
    Uint8ClampedArray,
    Int16Array,
    Uint16Array,
    Int32Array,
    Uint32Array,
    Float32Array,
    Float64Array,
  ] as const;
  const arrays: [name: string, labels: Labels][] = [
    ...types.map((type): [string, Labels] => [type.name, type.of(2, 0, 1)]),
    ["BigInt64Array", BigInt64Array.of(2n, 0n, 1n)],
    ["BigUint64Array", BigUint64Array.of(2n, 0n, 1n)],
    ["a tensor", tensor([2, 0, 1], [3])],
    ["Int32Array on shared memory", new Int32Array(new SharedArrayBuffer(12)).map((_, i) => [2, 0, 1][i]!)],
  ];

  it.each(arrays)("may be %s", async (_, labels) => {
    const [ours, theirs] = [compiled(losses.softmaxCrossEntropy()), compiled(losses.softmaxCrossEntropy())];
    expect(ours.trainOnBatch(x, labels)).toBe(theirs.trainOnBatch(x, [2, 0, 1]));
    const history = await ours.fit(x, labels, { validationData: [x, labels] });
    expect(history).toEqual(await theirs.fit(x, [2, 0, 1], { validationData: [x, [2, 0, 1]] }));
    expect(ours.evaluate(x, labels)).toEqual(theirs.evaluate(x, [2, 0, 1]));
    const logits = ours.predict(x);
    expect(engine.softmaxCrossEntropy(logits, labels)).toEqual(engine.softmaxCrossEntropy(logits, [2, 0, 1]));
    expect(metrics.accuracy(logits, labels)).toBe(metrics.accuracy(logits, [2, 0, 1]));
    ours.dispose();
    theirs.dispose();
  });

  it("are read once, so that what was checked is what is used", () => {
    const lying = (): number[] => {
      const labels = [0, 0, 0];
      let reads = 0;
      Object.defineProperty(labels, 1, { get: () => (reads++ === 0 ? 2 : 1e6) });
      return labels;
    };
    const model = compiled(losses.softmaxCrossEntropy());
    const logits = model.predict(x);
    expect(engine.softmaxCrossEntropy(logits, lying())).toEqual(
      engine.softmaxCrossEntropy(logits, [0, 2, 0]),
    );
    expect(model.evaluate(x, lying())).toEqual(model.evaluate(x, [0, 2, 0]));
    expect(model.trainOnBatch(x, lying())).toBe(engine.softmaxCrossEntropy(logits, [0, 2, 0]).loss);
    model.dispose();
  });

  it("are as many as the array has, whatever its length says", () => {
    const model = compiled(losses.softmaxCrossEntropy());
    for (const [size, length] of [
      [1, 3],
      [5, 3],
    ] as const) {
      const labels = Object.defineProperty(new Int32Array(size), "length", { value: length });
      expect(() => model.trainOnBatch(x, labels)).toThrow(ShapeError);
      expect(() => engine.softmaxCrossEntropy(model.predict(x), labels)).toThrow(
        `softmaxCrossEntropy: labels: expected 3, got ${size}`,
      );
    }
    model.dispose();
  });
});

describe("values", () => {
  const { sigmoidCrossEntropy, softmaxCrossEntropy, meanSquaredError, meanAbsoluteError, huber } = losses;
  const refused: [name: string, loss: Loss, row: number[], says: string][] = [
    [
      "sigmoidCrossEntropy",
      sigmoidCrossEntropy(),
      [255, 0],
      "[0, 0]: expected a number from 0 to 1, got 255",
    ],
    [
      "sigmoidCrossEntropy",
      sigmoidCrossEntropy(),
      [0, -0.25],
      "[0, 1]: expected a number from 0 to 1, got -0.25",
    ],
    [
      "sigmoidCrossEntropy",
      sigmoidCrossEntropy(),
      [NaN, 0],
      "[0, 0]: expected a number from 0 to 1, got NaN",
    ],
    [
      "softmaxCrossEntropy",
      softmaxCrossEntropy(),
      [1, 1],
      "[0]: expected numbers that sum to 1, got a sum of 2",
    ],
    [
      "softmaxCrossEntropy",
      softmaxCrossEntropy(),
      [0, 0],
      "[0]: expected numbers that sum to 1, got a sum of 0",
    ],
    ["softmaxCrossEntropy", softmaxCrossEntropy(), [2, -1], "[0, 0]: expected a number from 0 to 1, got 2"],
    ["softmaxCrossEntropy", softmaxCrossEntropy(), [0.5, 0.502], "[0]: expected numbers that sum to 1"],
    ["meanSquaredError", meanSquaredError(), [0, NaN], "[0, 1]: expected a finite number, got NaN"],
    [
      "meanAbsoluteError",
      meanAbsoluteError(),
      [Infinity, 0],
      "[0, 0]: expected a finite number, got Infinity",
    ],
    ["huber", huber(), [-Infinity, 0], "[0, 0]: expected a finite number, got -Infinity"],
  ];

  it.each(
    refused.map(
      ([name, loss, row, says]) => [`${name} gets ${row.join(", ")}: ${says}`, loss, row, says] as const,
    ),
  )("%s", async (_, loss, row, says) => {
    const model = compiled(loss, 2);
    const labels = tensor([...row, 0.5, 0.5, 0.5, 0.5], [3, 2]);
    for (const [where, call] of [
      ["trainOnBatch", () => model.trainOnBatch(x, labels)],
      ["evaluate", () => model.evaluate(x, labels)],
    ] as const) {
      expect(call).toThrow(OptionError);
      expect(call).toThrow(`${where}: labels${says}`);
    }
    await expect(model.fit(x, labels)).rejects.toThrow(`fit: labels${says}`);
    if (loss.type === "softmaxCrossEntropy") {
      expect(() => engine.softmaxCrossEntropy(model.predict(x), labels)).toThrow(
        `softmaxCrossEntropy: labels${says}`,
      );
    }
    model.dispose();
  });

  it.each<[string, Loss, number[]]>([
    ["0 and 1 of sigmoidCrossEntropy", sigmoidCrossEntropy(), [0, 1]],
    ["rows of softmaxCrossEntropy that are rounded", softmaxCrossEntropy(), [0.3333, 0.6663]],
    ["rows of softmaxCrossEntropy a bit above one", softmaxCrossEntropy(), [0, 1.0000001]],
    ["any finite numbers of huber", huber(), [-3e38, 255]],
  ])("are taken: %s", (_, loss, row) => {
    const model = compiled(loss, 2);
    expect(model.trainOnBatch(x, tensor([...row, ...row, ...row], [3, 2]))).toBeGreaterThan(0);
    model.dispose();
  });

  it("may change after fit began", async () => {
    const labels: Tensor = tensor([1, 0, 0, 1, 1, 0], [3, 2]);
    const [ours, theirs] = [compiled(sigmoidCrossEntropy(), 2), compiled(sigmoidCrossEntropy(), 2)];
    const options = { batchSize: 1, epochs: 2 };
    const expected = await theirs.fit(x, tensor([1, 0, 0, 1, 1, 0], [3, 2]), options);
    const spoiled = await ours.fit(x, labels, { ...options, onBatchEnd: () => labels.data.fill(0.5) });
    expect(spoiled).toEqual(expected);
    ours.dispose();
    theirs.dispose();
  });
});
