/**
 * The defaults that the documentation states: what is left out is as if it had been written. The values are those of Keras
 * (https://keras.io/api), where its options have the same names; others say whose they are.
 */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  layers,
  load,
  losses,
  metrics,
  optimizers,
  schedules,
  sequential,
  tensor,
  type Engine,
  type Loss,
  type Optimizer,
} from "../../src/index.ts";
import { noise, weightBits } from "../support/model.ts";

let engine: Engine;
beforeAll(async () => void (engine = await load()));
afterAll(() => engine.dispose());

const CLASSES = 4;

/** The weights after some steps, whose gradients are neither all small nor all large. */
function trained(optimizer: Optimizer, loss: Loss = losses.softmaxCrossEntropy()): object {
  const model = sequential({
    inputShape: [6],
    layers: [layers.dense({ units: 5, activation: "tanh" }), layers.dense({ units: CLASSES })],
    seed: 1,
  });
  model.compile({ engine, optimizer, loss });
  const targets = tensor(
    Float32Array.from({ length: 3 * CLASSES }, (_, i) => (i % 5 === 0 ? 1 : 0)),
    [3, CLASSES],
  );
  for (let step = 0; step < 4; step++) model.trainOnBatch(noise(step, 3, 6), targets);
  const bits = weightBits(model);
  model.dispose();
  return bits;
}

describe("an optimizer's options that were left out", () => {
  // weightDecay as in PyTorch's AdamW, beta2 and epsilon as in PyTorch's Adam.
  const ADAM = { learningRate: 0.001, beta1: 0.9, beta2: 0.999, epsilon: 1e-8 };
  // rho, rates and the sum's start as in Keras; Lion's as in the code of its authors.
  const RMSPROP = {
    learningRate: 0.001,
    rho: 0.9,
    momentum: 0,
    centered: false,
    epsilon: 1e-8,
    weightDecay: 0,
  };
  const ADAGRAD = { learningRate: 0.001, initialAccumulatorValue: 0.1, epsilon: 1e-8, weightDecay: 0 };
  const LION = { learningRate: 0.0001, beta1: 0.9, beta2: 0.99, weightDecay: 0 };
  const NO_SGD = { momentum: 0, nesterov: false, weightDecay: 0 };
  it.each([
    ["sgd", optimizers.sgd({ learningRate: 0.1 }), optimizers.sgd({ learningRate: 0.1, ...NO_SGD })],
    [
      "sgd with momentum",
      optimizers.sgd({ learningRate: 0.1, momentum: 0.9 }),
      optimizers.sgd({ learningRate: 0.1, ...NO_SGD, momentum: 0.9 }),
    ],
    ["adam", optimizers.adam(), optimizers.adam({ ...ADAM, weightDecay: 0 })],
    ["adamw", optimizers.adamw(), optimizers.adamw({ ...ADAM, weightDecay: 0.01 })],
    ["rmsprop", optimizers.rmsprop(), optimizers.rmsprop(RMSPROP)],
    ["adagrad", optimizers.adagrad(), optimizers.adagrad(ADAGRAD)],
    ["lion", optimizers.lion(), optimizers.lion(LION)],
    ["lamb", optimizers.lamb(), optimizers.lamb({ ...ADAM, epsilon: 1e-6, weightDecay: 0 })],
  ])("of %s", (_, bare, spelled) => {
    expect(trained(bare)).toEqual(trained(spelled));
  });

  it("matter in what was trained here", () => {
    const whole = { ...ADAM, weightDecay: 0.01 };
    const own = trained(optimizers.adamw(whole));
    for (const [name, value] of Object.entries(whole)) {
      expect(trained(optimizers.adamw({ ...whole, [name]: value / 2 })), name).not.toEqual(own);
    }
  });

  it("of schedules", () => {
    const steps = [0, 1, 2, 5, 9, 40];
    const { stepDecay, cosineDecay } = schedules;
    const decay = { learningRate: 1, stepSize: 2 };
    expect(steps.map(stepDecay(decay))).toEqual(steps.map(stepDecay({ ...decay, gamma: 0.1 })));
    const cosine = { learningRate: 1, decaySteps: 9 };
    expect(steps.map(cosineDecay(cosine))).toEqual(steps.map(cosineDecay({ ...cosine, alpha: 0 })));
    expect(cosineDecay(cosine)(9)).toBe(0);
  });
});

it("a loss's options that were left out", () => {
  const optimizer = optimizers.sgd({ learningRate: 0.1 });
  const { softmaxCrossEntropy, huber } = losses;
  const plain = trained(optimizer, softmaxCrossEntropy());
  expect(plain).toEqual(trained(optimizer, softmaxCrossEntropy({ labelSmoothing: 0 })));
  expect(plain).not.toEqual(trained(optimizer, softmaxCrossEntropy({ labelSmoothing: 0.01 })));
  // The targets are 0 and 1, and the outputs' differences lie on both sides of 1.
  const square = trained(optimizer, huber());
  expect(square).toEqual(trained(optimizer, huber({ delta: 1 })));
  expect(square).not.toEqual(trained(optimizer, huber({ delta: 0.9 })));
});

it("a metric's options that were left out", () => {
  const rows = tensor(
    Float32Array.from({ length: 64 }, (_, i) => -(i % 8)),
    [8, 8],
  );
  // The label of row i is the class of rank i + 1.
  expect(metrics.topKAccuracy(rows, [0, 1, 2, 3, 4, 5, 6, 7])).toBe(5 / 8);
});

describe("fit and evaluate", () => {
  const COUNT = 70;
  const given = [noise(1, COUNT, 6), Array.from({ length: COUNT }, (_, i) => i % CLASSES)] as const;
  const compiled = (): ReturnType<typeof sequential> => {
    const model = sequential({ inputShape: [6], layers: [layers.dense({ units: CLASSES })] });
    model.compile({
      engine,
      optimizer: optimizers.sgd({ learningRate: 0.1 }),
      loss: losses.softmaxCrossEntropy(),
    });
    return model;
  };

  it("take one epoch of shuffled batches of 32 when they are told nothing", async () => {
    const [bare, spelled, ordered] = [compiled(), compiled(), compiled()];
    const seen: number[] = [];
    await bare.fit(...given, { onBatchEnd: ({ batches }) => void seen.push(batches) });
    expect(seen).toEqual([3, 3, 3]);
    await spelled.fit(...given, { epochs: 1, batchSize: 32, shuffle: true });
    await ordered.fit(...given, { epochs: 1, batchSize: 32, shuffle: false });
    expect(weightBits(bare)).toEqual(weightBits(spelled));
    expect(weightBits(bare)).not.toEqual(weightBits(ordered));
    for (const each of [bare, spelled, ordered]) each.dispose();
  });

  it("draw by seed 0", () => {
    const make = (more: object): object =>
      weightBits(sequential({ inputShape: [6], layers: [layers.dense({ units: CLASSES })], ...more }));
    expect(make({})).toEqual(make({ seed: 0 }));
    expect(make({})).not.toEqual(make({ seed: 1 }));
  });

  it("stop early by the validation's loss, at once, at any gain, without restoring", async () => {
    const validationData = [noise(2, 9, 6), Array.from({ length: 9 }, (_, i) => i % CLASSES)] as const;
    const stopping = [
      {},
      { monitor: "validationLoss", patience: 0, minDelta: 0, restoreBestWeights: false } as const,
    ];
    const ends = [];
    for (const earlyStopping of stopping) {
      const model = compiled();
      const history = await model.fit(...given, { epochs: 30, validationData, earlyStopping });
      ends.push({ history, weights: weightBits(model) });
      expect(history.stoppedEpoch).toBe(history.bestEpoch! + 1);
      model.dispose();
    }
    expect(ends[0]).toEqual(ends[1]);
  });
});
