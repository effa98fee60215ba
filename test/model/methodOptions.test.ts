/** Every option of every method refuses what it cannot be: the place, the expected, the given. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  load,
  losses,
  OptionError,
  optimizers,
  sequential,
  type Engine,
  type Model,
} from "../../src/index.ts";
import { tinyNet } from "../conformance/nets.ts";
import { noise } from "../support/model.ts";
import { COUNT, NUMBER, type Any } from "../support/options.ts";

describe("a method refuses", () => {
  let engine: Engine;
  let model: Model;
  const x = noise(1, 3, 7, 7, 3);
  const y = [0, 1, 2];
  const options = (more: object): Any =>
    ({
      engine,
      optimizer: optimizers.sgd({ learningRate: 0.1 }),
      loss: losses.softmaxCrossEntropy(),
      ...more,
    }) as Any;
  beforeAll(async () => {
    engine = await load();
    model = tinyNet();
    model.compile(options({}));
  });
  afterAll(() => engine.dispose());

  it.each(
    Object.entries<() => unknown>({
      "compile: engine: expected what load() gives, got {}": () => model.compile(options({ engine: load() })),
      "compile: engine: expected what load() gives, got undefined": () =>
        model.compile(options({ engine: undefined })),
      "compile: optimizer: expected one of optimizers.*, got {}": () =>
        model.compile(options({ optimizer: {} })),
      [`compile: loss: expected one of losses.*, got "mine"`]: () => model.compile(options({ loss: "mine" })),
      "compile: loss: expected one beside the optimizer, got none": () =>
        model.compile(options({ loss: undefined })),
      [`compile: expected the options engine, algorithm, optimizer, loss, metrics, gradientAccumulationSteps, useEma, emaMomentum; got "metric"`]:
        () => model.compile(options({ metric: [] })),
      [`predict: batchSize: ${COUNT}, got 0`]: () => model.predict(x, { batchSize: 0 }),
      [`predict: batchSize: ${COUNT}, got 64.5`]: () => model.predict(x, { batchSize: 64.5 }),
      [`predict: expected the options batchSize; got "batch"`]: () => model.predict(x, { batch: 1 } as Any),
      [`evaluate: batchSize: ${COUNT}, got -1`]: () => model.evaluate(x, y, { batchSize: -1 }),
      [`evaluate: expected the options batchSize, sampleWeight; got "epochs"`]: () =>
        model.evaluate(x, y, { epochs: 1 } as Any),
      [`session: batchSize: ${COUNT}, got NaN`]: () => model.session({ batchSize: NaN }),
      [`session: expected the options batchSize; got "size"`]: () => model.session({ size: 1 } as Any),
    }),
  )("%s", (message, call) => {
    expect(call).toThrow(OptionError);
    expect(call).toThrow(message);
    // The model is as it was.
    expect(model.predict(x).shape).toEqual([3, 3]);
  });

  it.each<[given: object, message: string]>([
    [{ optimizer: "adam" }, `optimizer: expected one of optimizers.*, got "adam", here optimizers.adam()`],
    [{ optimizer: "SGD" }, `got "SGD", here optimizers.sgd({ learningRate })`],
    [
      { loss: "categoricalCrossentropy" },
      `loss: expected one of losses.*, got "categoricalCrossentropy", here losses.softmaxCrossEntropy()`,
    ],
    [{ loss: "sparse_categorical_crossentropy" }, ", here losses.softmaxCrossEntropy()"],
    [{ loss: "CrossEntropyLoss" }, ", here losses.softmaxCrossEntropy()"],
    [{ loss: "binary_crossentropy" }, ", here losses.sigmoidCrossEntropy()"],
    [{ loss: "mse" }, ", here losses.meanSquaredError()"],
    [{ loss: "meanAbsoluteError" }, ", here losses.meanAbsoluteError()"],
    [
      { metrics: ["accuracy"] },
      `expected a list of metrics.*, got ["accuracy"]; evaluate has the accuracy without a metric`,
    ],
    [{ metrics: "acc" }, `got "acc"; evaluate has the accuracy without a metric`],
    [{ metrics: ["top_k_categorical_accuracy"] }, ", here metrics.topK()"],
  ])("compile with %j, and says what it is here", (given, message) => {
    expect(() => model.compile(options(given))).toThrow(OptionError);
    expect(() => model.compile(options(given))).toThrow(message);
  });

  it("a number in the place of an object of options", () => {
    expect(() => model.predict(x, 32 as Any)).toThrow(
      "predict: expected an object of options { batchSize: 32 }, got 32",
    );
    expect(() => optimizers.adam(0.001 as Any)).toThrow("options { learningRate: 0.001 }, got 0.001");
  });

  it("a list of layers, as Keras's Sequential takes it", () => {
    expect(() => sequential(model.layers as Any)).toThrow(
      "sequential: expected an object of options { inputShape: … }, got [",
    );
  });

  it("names of objects' own properties as little as others", () => {
    expect(() => model.compile(options({ loss: "constructor" }))).toThrow(/got "constructor"$/);
  });

  it.each<[given: object, message: string]>([
    [{ epochs: 0 }, `fit: epochs: ${COUNT}, got 0`],
    [{ batchSize: "32" }, `fit: batchSize: ${COUNT}, got "32"`],
    [{ shuffle: "no" }, `fit: shuffle: expected true or false, got "no"`],
    [{ onBatchEnd: {} }, "fit: onBatchEnd: expected a function, got object"],
    [{ onEpochEnd: 5 }, "fit: onEpochEnd: expected a function, got number"],
    [{ signal: new AbortController() }, "fit: signal: expected an AbortSignal, got {}"],
    [{ earlyStopping: true }, "fit: earlyStopping: expected an object of options { monitor: … }, got true"],
    [{ earlyStopping: { monitor: "auc" } }, `fit: earlyStopping: monitor: expected one of "validationLoss",`],
    [
      { earlyStopping: {} },
      `fit: earlyStopping: monitor: expected validationData for "validationLoss", got none`,
    ],
    [
      { earlyStopping: { monitor: "validationAccuracy" } },
      `fit: earlyStopping: monitor: expected validationData for "validationAccuracy", got none`,
    ],
    [
      { earlyStopping: { monitor: "loss", patience: -1 } },
      "fit: earlyStopping: patience: expected an integer ≥ 0, got -1",
    ],
    [
      { earlyStopping: { monitor: "loss", minDelta: NaN } },
      `fit: earlyStopping: minDelta: ${NUMBER}, got NaN`,
    ],
    [
      { earlyStopping: { monitor: "loss", restoreBestWeights: 1 } },
      "fit: earlyStopping: restoreBestWeights: expected true or false, got 1",
    ],
    [
      { earlyStopping: { monitor: "loss", mode: "min" } },
      `fit: earlyStopping: expected the options monitor, patience, minDelta, restoreBestWeights; got "mode"`,
    ],
    [{ validationData: { x: 1 } }, "fit: validationData: expected [images, labels] or a stream, got {"],
    [
      { callback: [] },
      `fit: expected the options epochs, batchSize, shuffle, validationData, onBatchEnd, onEpochEnd, callbacks, signal, earlyStopping, classWeight, sampleWeight, validationSplit, receipt, initialEpoch, resume, checkpoint; got "callback"`,
    ],
  ])("fit(images, labels, %j)", async (given, message) => {
    const running = model.fit(x, y, given);
    await expect(running).rejects.toThrow(OptionError);
    await expect(running).rejects.toThrow(message);
  });

  it("load(options)", async () => {
    await expect(load({ math: "fast" as Any })).rejects.toThrow(
      `load: math: expected "exact" or relaxed math (import relaxed from "im2row/relaxed"), got "fast"`,
    );
    await expect(load({ threads: 0 })).rejects.toThrow(
      `load: threads: expected an integer from 1 to 64 or "auto", got 0`,
    );
    await expect(load({ maximumMemory: 1 })).rejects.toThrow(
      "load: maximumMemory: expected bytes from 131072 to 4294967296, got 1",
    );
    await expect(load({ wasm: 1 } as Any)).rejects.toThrow(
      `load: expected the options module, threads, math, maximumMemory, limits; got "wasm"`,
    );
  });
});
