/** What callbacks hear, how they end a run, and those of the package. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import {
  callbacks,
  input,
  layers,
  load,
  losses,
  metrics,
  model as buildModel,
  OptionError,
  optimizers,
  type Callback,
  type CallbackLike,
  type Engine,
  type EpochEnd,
  type FitOptions,
  type History,
  type Model,
  type TrainBegin,
  type TrainedModel,
} from "../../src/index.ts";
import { tinyNet } from "../conformance/nets.ts";
import { noise, weightBits } from "../support/model.ts";

const COUNT = 12;
const images = noise(1, COUNT, 7, 7, 3);
const labels = Int32Array.from({ length: COUNT }, (_, i) => (i * 7) % 3);
const validationData = [noise(2, COUNT, 7, 7, 3), labels] as const;
const loss = losses.softmaxCrossEntropy();

let engine: Engine;
let model: Model;
beforeAll(async () => void (engine = await load()));
afterAll(() => engine.dispose());

const compiled = (): Model =>
  tinyNet().compile({
    engine,
    optimizer: optimizers.sgd({ learningRate: 0.1 }),
    loss,
    metrics: [metrics.topK({ k: 2 })],
  }) as unknown as Model;
beforeEach(() => {
  model = compiled();
  return () => model.dispose();
});

const fit = (list: readonly CallbackLike[], more: FitOptions = {}): Promise<History> =>
  model.fit(images, labels, { epochs: 2, batchSize: 6, callbacks: list, ...more });

/** A callback that writes down what it hears. */
function listener(heard: string[], name = ""): Callback {
  return {
    onTrainBegin: ({ epochs, validated }) => heard.push(`${name}train ${epochs} ${validated}`),
    onTrainEnd: ({ loss: { length } }) => heard.push(`${name}trained ${length}`),
    onEpochBegin: ({ epoch }) => heard.push(`${name}epoch ${epoch}`),
    onEpochEnd: ({ epoch }) => heard.push(`${name}ended ${epoch}`),
    onBatchBegin: ({ epoch, batch, step }) => heard.push(`${name}batch ${epoch}.${batch} ${step}`),
    onBatchEnd: ({ epoch, batch, step }) => heard.push(`${name}done ${epoch}.${batch} ${step}`),
  };
}

describe("callbacks", () => {
  it("hear the events of a run in their order, and change nothing of it", async () => {
    const heard: string[] = [];
    await fit([listener(heard)]);
    expect(heard).toEqual([
      "train 2 false",
      "epoch 1",
      "batch 1.1 0",
      "done 1.1 1",
      "batch 1.2 1",
      "done 1.2 2",
      "ended 1",
      "epoch 2",
      "batch 2.1 2",
      "done 2.1 3",
      "batch 2.2 3",
      "done 2.2 4",
      "ended 2",
      "trained 2",
    ]);
    const plain = compiled();
    await plain.fit(images, labels, { epochs: 2, batchSize: 6 });
    expect(weightBits(model)).toEqual(weightBits(plain));
    plain.dispose();
  });

  it("are called one after the other, behind the options; a function after each epoch; promises are awaited", async () => {
    const heard: string[] = [];
    const slow: CallbackLike = async ({ epoch }, { learningRate }) => {
      await Promise.resolve();
      heard.push(`function ${epoch} ${learningRate}`);
    };
    await fit([{ onEpochEnd: () => heard.push("a") }, slow, { onEpochEnd: () => heard.push("b") }], {
      onEpochEnd: () => heard.push("option"),
      epochs: 1,
    });
    expect(heard).toEqual(["option", "a", "function 1 0.1", "b"]);
  });

  it.each<[string, Callback, string[], number | undefined]>([
    ["onTrainBegin", { onTrainBegin: () => "stop" }, ["train 9 false", "trained 0"], undefined],
    ["onEpochBegin", { onEpochBegin: () => "stop" }, ["train 9 false", "epoch 1", "trained 0"], undefined],
    [
      "onEpochEnd, by a promise",
      { onEpochEnd: () => Promise.resolve("stop") },
      ["train 9 false", "epoch 1", "ended 1", "trained 1"],
      1,
    ],
    [
      "onBatchBegin",
      { onBatchBegin: ({ batch }) => batch === 1 && "stop" },
      ["train 9 false", "epoch 1", "ended 1", "trained 1"],
      1,
    ],
    [
      "onBatchEnd",
      { onBatchEnd: ({ epoch }) => epoch === 2 && "stop" },
      ["train 9 false", "epoch 1", "ended 1", "epoch 2", "ended 2", "trained 2"],
      2,
    ],
  ])('"stop" of %s ends the run and keeps its history', async (_, callback, events, stoppedEpoch) => {
    const heard: string[] = [];
    const { onBatchBegin: _begin, onBatchEnd: _end, ...quiet } = listener(heard);
    const history = await fit([callback, quiet], { epochs: 9 });
    expect(heard).toEqual(events);
    expect(history.stoppedEpoch).toBe(stoppedEpoch);
    expect(history.loss).toHaveLength(stoppedEpoch ?? 0);
  });

  it("of the options end a run too; an epoch that is cut short has the means of its images", async () => {
    const history = await fit([], { onBatchEnd: () => "stop", validationData });
    const other = compiled();
    const seen: number[] = [];
    const onBatchEnd = ({ batchLoss }: { batchLoss: number }): unknown => seen.push(batchLoss);
    await other.fit(images, labels, { batchSize: 6, onBatchEnd });
    expect(history.loss).toEqual([seen[0]]);
    expect(history.validationLoss).toEqual([model.evaluate(...validationData).loss]);
    other.dispose();
  });

  it("that throw reject the run, without onTrainEnd", async () => {
    const heard: string[] = [];
    const fails = (): never => {
      throw new Error("enough");
    };
    await expect(fit([listener(heard), fails])).rejects.toThrow("enough");
    expect(heard.at(-1)).toBe("ended 1");
  });

  it.each<[unknown, string]>([
    [{}, "fit: callbacks: expected a list of callbacks, got"],
    [[1], "fit: callbacks[0]: expected a function, or an object with onTrainBegin,"],
    [[{ onEpoch: () => 1 }], "onBatchEnd, got an object with onEpoch"],
    [[() => 1, { onEpochEnd: 2 }], "fit: callbacks[1]: onEpochEnd: expected a function, got 2"],
    [[null], "fit: callbacks[0]: expected a function"],
  ])("are refused as %j", async (list, message) => {
    await expect(fit(list as never)).rejects.toThrow(OptionError);
    await expect(fit(list as never)).rejects.toThrow(message);
  });
});

/** A model that callbacks may look at and change. */
const modelWith = (learningRate: number): TrainedModel => ({
  learningRate,
  steps: 0,
  weights: new Map(),
  setWeights: () => {},
  trainingState: { seed: 1, steps: 0, epochs: 0, optimizer: "sgd", slots: {} },
  setTrainingState: () => {},
  toCheckpoint: () => new Uint8Array(),
});

const begin = (epochs: number): TrainBegin => ({
  epochs,
  initialEpoch: 0,
  validated: true,
  resumed: false,
  figures: ["loss", "accuracy", "validationLoss", "validationAccuracy"],
});

/** What a callback makes of epochs with these figures: the epoch after which it stops, and the rate after each. */
function watched(
  callback: Callback,
  figures: readonly number[],
  name = "loss",
  rate = 1,
): [number, number[]] {
  const seen = modelWith(rate);
  const rates: number[] = [];
  callback.onTrainBegin?.(begin(figures.length), seen);
  const stopped = figures.findIndex((figure, i) => {
    const state: EpochEnd = { epoch: i + 1, loss: NaN, accuracy: NaN, [name]: figure };
    const answer = callback.onEpochEnd!(state, seen);
    rates.push(seen.learningRate);
    return answer === "stop";
  });
  return [stopped + 1, rates];
}

describe("earlyStopping", () => {
  it("does what the option does", async () => {
    const settings = { patience: 2, restoreBestWeights: true };
    const options = { epochs: 30, batchSize: 4, validationData };
    const other = compiled();
    const expected = await other.fit(images, labels, { ...options, earlyStopping: settings });
    const { stoppedEpoch, loss: found } = await fit([callbacks.earlyStopping(settings)], options);
    const { bestEpoch, stoppedEpoch: stopped, loss: wanted } = expected;
    expect([stoppedEpoch, found]).toEqual([stopped, wanted]);
    expect(bestEpoch).toBeDefined();
    expect(weightBits(model)).toEqual(weightBits(other));
    other.dispose();
  });

  it("watches any figure, smaller or larger", async () => {
    const figures = [5, 3, 4, 2];
    expect(watched(callbacks.earlyStopping({ monitor: "loss" }), figures)[0]).toBe(3);
    expect(watched(callbacks.earlyStopping({ monitor: "accuracy" }), figures, "accuracy")[0]).toBe(2);
    const reversed = callbacks.earlyStopping({ monitor: "accuracy", mode: "min" });
    expect(watched(reversed, figures, "accuracy")[0]).toBe(3);
    const stopped = await fit([callbacks.earlyStopping({ monitor: "topK2", minDelta: 1 })], {
      epochs: 5,
      validationData,
    });
    expect(stopped.stoppedEpoch).toBe(2);
  });

  it("is refused for a figure that no epoch will have before the first one, by the names of those that it will", async () => {
    const heard: string[] = [];
    const hear = { onEpochBegin: () => heard.push("epoch") };
    const { steps } = model.trainingState;
    for (const make of [callbacks.earlyStopping, callbacks.reduceLROnPlateau]) {
      await expect(fit([make({ monitor: "top2" }), hear], { epochs: 5, validationData })).rejects.toThrow(
        /: monitor: expected one of loss, accuracy, validationLoss, validationAccuracy, topK2, got "top2"$/,
      );
      await expect(fit([make({ monitor: "topK2" }), hear], { epochs: 5 })).rejects.toThrow(
        /: monitor: expected one of loss, accuracy, got "topK2"$/,
      );
    }
    expect(heard).toEqual([]);
    expect(model.trainingState.steps).toBe(steps);
    const named: string[][] = [];
    const x = input({ shape: [3] });
    const outputs = { a: layers.dense({ units: 2 }).apply(x), b: layers.dense({ units: 1 }).apply(x) };
    const two = buildModel({ inputs: x, outputs });
    two.compile({
      engine,
      optimizer: optimizers.sgd({ learningRate: 0.1 }),
      loss: { a: losses.softmaxCrossEntropy(), b: losses.meanSquaredError() },
      metrics: { a: [metrics.topK({ k: 1 })], b: [] },
    });
    const pair = [noise(1, 2, 3), { a: [0, 1], b: noise(2, 2, 1) }] as const;
    await two.fit(...pair, {
      validationData: pair,
      callbacks: [
        { onTrainBegin: ({ figures }) => void named.push([...figures]) },
        callbacks.earlyStopping({ monitor: "a.topK1" }),
        callbacks.earlyStopping({ monitor: "b.loss" }),
      ],
    });
    const ofEach = ["a.loss", "a.accuracy", "a.topK1", "b.loss", "b.accuracy"];
    expect(named).toEqual([["loss", "accuracy", "validationLoss", "validationAccuracy", ...ofEach]]);
    two.dispose();
  });

  it("is refused without validation data, and with wrong options", async () => {
    await expect(fit([callbacks.earlyStopping()])).rejects.toThrow(
      'earlyStopping: monitor: expected validationData for "validationLoss", got none',
    );
    expect(() => callbacks.earlyStopping({ patience: -1 })).toThrow(
      "earlyStopping: patience: expected an integer",
    );
    expect(() => callbacks.earlyStopping({ mode: "least" as never })).toThrow(
      "earlyStopping: mode: expected one of",
    );
  });
});

describe("reduceLROnPlateau", () => {
  it("multiplies the rate as Keras counts", () => {
    const { reduceLROnPlateau } = callbacks;
    const monitor = "loss";
    const flat = [1, 1, 1, 1, 1, 1, 1];
    const half = { monitor, factor: 0.5, patience: 2 };
    expect(watched(reduceLROnPlateau(half), flat)[1]).toEqual([1, 1, 0.5, 0.5, 0.25, 0.25, 0.125]);
    // In the two epochs of a cooldown none is counted; the last of them ends it.
    const cooled = watched(reduceLROnPlateau({ ...half, cooldown: 2 }), flat)[1];
    expect(cooled).toEqual([1, 1, 0.5, 0.5, 0.5, 0.25, 0.25]);
    const least = watched(reduceLROnPlateau({ ...half, minLearningRate: 0.4 }), flat)[1];
    expect(least).toEqual([1, 1, 0.5, 0.5, 0.4, 0.4, 0.4]);
    // Gains of no more than minDelta do not count.
    const slow = [1, 0.95, 0.9, 0.85, 0.8];
    expect(watched(reduceLROnPlateau({ ...half, minDelta: 0.2 }), slow)[1]).toEqual([1, 1, 0.5, 0.5, 0.25]);
    expect(watched(reduceLROnPlateau(half), slow)[1]).toEqual([1, 1, 1, 1, 1]);
  });

  it("changes the rate of the model, and is refused beside a schedule", async () => {
    await fit([callbacks.reduceLROnPlateau({ monitor: "loss", patience: 1, minDelta: 100 })], { epochs: 3 });
    expect(model.learningRate).toBeCloseTo(0.001, 12);
    model.compile({ engine, optimizer: optimizers.adam({ learningRate: () => 0.1 }), loss });
    await expect(fit([callbacks.reduceLROnPlateau({ monitor: "loss" })])).rejects.toThrow(
      "learningRate: expected an optimizer with a constant rate",
    );
    expect(() => callbacks.reduceLROnPlateau({ factor: 1 })).toThrow(
      "reduceLROnPlateau: factor: expected a number",
    );
    expect(() => callbacks.reduceLROnPlateau({ cooldown: 0.5 })).toThrow(
      "reduceLROnPlateau: cooldown: expected an",
    );
  });
});

describe("csvLogger", () => {
  it("writes a line an epoch, which reads back exactly", async () => {
    const lines: string[] = [];
    const history = await fit([callbacks.csvLogger((text) => lines.push(text))], { validationData });
    const [head, first, second, end] = lines.join("").split("\n");
    expect(head).toBe("epoch,loss,accuracy,validationLoss,validationAccuracy,topK2,learningRate");
    expect(first!.split(",").map(Number).slice(0, 2)).toEqual([1, history.loss[0]]);
    expect(second!.split(",").map(Number)[3]).toBe(history.validationLoss[1]);
    expect(end).toBe("");
  });

  it("goes on behind an earlier log, with another separator, to an object that writes", async () => {
    let text = "";
    const sink = { write: (more: string): Promise<void> => Promise.resolve(void (text += more)) };
    const logger = callbacks.csvLogger(sink, { append: true, separator: ";" });
    await fit([logger], { epochs: 1 });
    expect(text).toMatch(/^1;[\d.]+;[\d.]+;0\.1\n$/);
    expect(() => callbacks.csvLogger(1 as never)).toThrow(
      "csvLogger: expected a function or an object with write",
    );
    expect(() => callbacks.csvLogger(sink, { separator: "" })).toThrow(
      "csvLogger: separator: expected a text",
    );
  });
});

describe("learningRateFinder", () => {
  it("raises the rate in equal ratios, and puts weights and rate back", async () => {
    const before = weightBits(model);
    const finder = callbacks.learningRateFinder({ from: 0.001, to: 0.1, steps: 5, smoothing: 0 });
    const seen: number[] = [];
    const onBatchEnd = ({ batchLoss }: { batchLoss: number }): unknown => seen.push(batchLoss);
    await fit([finder], { epochs: 9, onBatchEnd });
    [0.001, 0.001 * 10 ** 0.5, 0.01, 0.01 * 10 ** 0.5, 0.1].forEach((rate, i) =>
      expect(finder.rates[i]).toBeCloseTo(rate, 12),
    );
    expect(finder.losses).toEqual(seen);
    expect(finder.rates).toContain(finder.suggestion);
    expect(weightBits(model)).toEqual(before);
    expect(model.learningRate).toBe(0.1);
  });

  it("ends when the losses are four times the least, and suggests where they fall fastest", () => {
    const finder = callbacks.learningRateFinder({ from: 1, to: 8, steps: 4, smoothing: 0 });
    expect(finder.suggestion).toBeUndefined();
    const seen = modelWith(1);
    finder.onTrainBegin!(begin(1), seen);
    finder.onBatchEnd!({ batchLoss: 1 } as never, seen);
    expect(finder.suggestion).toBeUndefined();
    finder.onTrainBegin!(begin(1), seen);
    const answers = [9, 8, 2, 9].map((batchLoss, i) => {
      finder.onBatchBegin!({ epoch: 1, batch: i + 1, step: i }, seen);
      return finder.onBatchEnd!({ batchLoss } as never, seen);
    });
    expect(answers).toEqual([undefined, undefined, undefined, "stop"]);
    expect(finder.rates[1]).toBeCloseTo(2, 12);
    // 9 → 2 around the second, 8 → 9 around the third.
    expect(finder.suggestion).toBe(finder.rates[1]);
    expect(() => callbacks.learningRateFinder({ from: 1, to: 1 })).toThrow(
      "learningRateFinder: to: expected a number above 1, got 1",
    );
    expect(() => callbacks.learningRateFinder({ steps: 0 })).toThrow(
      "learningRateFinder: steps: expected a positive",
    );
  });
});
