/** `fit` ends before its time by its signal, and when its model, its engine or its data are taken away. */
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { load, losses, optimizers, ShapeError, type Engine, type FitOptions, type Model } from "im2row";
import { tinyNet } from "../conformance/nets.ts";
import { noise, weightBits } from "../support/model.ts";

const training = { optimizer: optimizers.adam(), loss: losses.softmaxCrossEntropy() };
const images = noise(1, 6, 7, 7, 3);
const labels = [0, 1, 2, 0, 1, 2];
const never = new Promise<never>(() => {});

let engine: Engine;
let model: Model;
/** Promises that failed and nobody heard. */
const unheard = vi.fn();

beforeEach(async () => {
  engine = await load();
  model = tinyNet();
  model.compile({ engine, ...training });
  process.on("unhandledRejection", unheard);
});

afterEach(async () => {
  await new Promise((resolve) => setTimeout(resolve, 0));
  process.off("unhandledRejection", unheard);
  expect(unheard).not.toHaveBeenCalled();
  engine.dispose();
});

/** Starts a run; the second promise comes when the callback was called for the first time, and is waited for. */
function start(callback: "onBatchEnd" | "onEpochEnd", result: unknown, options: FitOptions = {}) {
  let called = (): void => {};
  const waiting = new Promise<void>((resolve) => (called = resolve));
  const wait = (): unknown => {
    called();
    return result;
  };
  const run = model.fit(images, labels, { epochs: 3, batchSize: 2, ...options, [callback]: wait });
  run.catch(() => {});
  return { run, waiting };
}

const CALLBACKS = ["onBatchEnd", "onEpochEnd"] as const;

describe("a signal", () => {
  it.each(CALLBACKS)("ends a run while the promise of %s is pending", async (callback) => {
    const controller = new AbortController();
    const removed = vi.spyOn(controller.signal, "removeEventListener");
    const { run, waiting } = start(callback, never, { signal: controller.signal });
    await waiting;
    const before = weightBits(model);
    controller.abort(new Error("enough"));
    await expect(run).rejects.toThrow(/^enough$/);
    expect(weightBits(model)).toEqual(before);
    expect(removed).toHaveBeenCalledOnce();
    // The model is at rest, and goes on.
    await model.fit(images, labels);
    expect(weightBits(model)).not.toEqual(before);
  });

  it("that is given up by a callback ends the run, and what the callback's promise fails with is heard", async () => {
    const controller = new AbortController();
    const onBatchEnd = async (): Promise<void> => {
      controller.abort();
      await Promise.resolve();
      throw new Error("late");
    };
    const run = model.fit(images, labels, { onBatchEnd, signal: controller.signal });
    await expect(run).rejects.toThrow("aborted");
  });

  it("without events is asked between two batches", async () => {
    let asked = 0;
    const throwIfAborted = (): void => {
      if (++asked > 4) throw new Error("enough");
    };
    const run = model.fit(images, labels, { epochs: 99, batchSize: 2, signal: { throwIfAborted } });
    await expect(run).rejects.toThrow("enough");
  });

  it("is heard of no more than its run: a thousand batches keep nothing", async () => {
    const controller = new AbortController();
    const added = vi.spyOn(controller.signal, "addEventListener");
    const onBatchEnd = (): Promise<void> => Promise.resolve();
    await model.fit(images, labels, { epochs: 500, batchSize: 3, onBatchEnd, signal: controller.signal });
    expect(added).toHaveBeenCalledOnce();
  });

  it("lets the error of a callback through", async () => {
    for (const result of [
      () => Promise.reject(new Error("mine")),
      () => {
        throw new Error("mine");
      },
    ]) {
      await expect(model.fit(images, labels, { onBatchEnd: result })).rejects.toThrow(/^mine$/);
    }
  });
});

const DISPOSED = "fit: expected the model to the end, got one that was disposed";

describe("dispose of the model", () => {
  it.each(CALLBACKS)("ends a run while the promise of %s is pending", async (callback) => {
    const { run, waiting } = start(callback, never);
    await waiting;
    const before = weightBits(model);
    model.dispose();
    expect(engine.memory.used).toBe(0);
    await expect(run).rejects.toThrow(DISPOSED);
    expect(weightBits(model)).toEqual(before);
  });

  it.each(CALLBACKS)("in %s ends the run", async (callback) => {
    const run = model.fit(images, labels, { epochs: 3, [callback]: () => model.dispose() });
    await expect(run).rejects.toThrow(DISPOSED);
    expect(engine.memory.used).toBe(0);
  });

  it("between two batches ends the run, of its validation as well", async () => {
    for (const validationData of [undefined, [noise(2, 700, 7, 7, 3), new Int32Array(700)] as const]) {
      model.compile({ engine, ...training });
      const run = model.fit(images, labels, {
        epochs: 1e6,
        batchSize: 1,
        ...(validationData && { validationData }),
      });
      setTimeout(() => model.dispose(), 30);
      await expect(run).rejects.toThrow(DISPOSED);
      expect(engine.memory.used).toBe(0);
    }
  });

  it("leaves a model that compiles and trains at once, though the run before has not been heard of", async () => {
    const { run, waiting } = start("onBatchEnd", never);
    await waiting;
    model.dispose();
    model.compile({ engine, ...training });
    let goOn = (): void => {};
    const first = new Promise<void>((resolve) => (goOn = resolve));
    const again = model.fit(images, labels, { epochs: 2, onBatchEnd: () => first });
    await expect(run).rejects.toThrow(DISPOSED);
    expect(model.isTraining).toBe(true);
    goOn();
    expect((await again).loss).toHaveLength(2);
    expect(model.isTraining).toBe(false);
  });

  it("is refused in the middle of a step", async () => {
    const learningRate = (): number => {
      model.dispose();
      return 0.1;
    };
    model.compile({ engine, optimizer: optimizers.sgd({ learningRate }), loss: training.loss });
    await expect(model.fit(images, labels)).rejects.toThrow(
      "dispose: expected a model at rest, got one in training",
    );
    expect(model.predict(images).shape).toEqual([6, 3]);
  });
});

describe("while fit runs", () => {
  it.each([1, 2])("dispose of an engine of %i threads ends it", async (threads) => {
    const own = await load({ threads });
    model.compile({ engine: own, ...training });
    const { run, waiting } = start("onBatchEnd", never);
    await waiting;
    own.dispose();
    await expect(run).rejects.toThrow("fit: expected a live engine to the end, got one that was disposed");
    expect(own.runtime.leaving.size).toBe(0);
  });

  it("compile and another fit are refused, predict and evaluate are not", async () => {
    const controller = new AbortController();
    const { run, waiting } = start("onBatchEnd", never, { signal: controller.signal });
    await waiting;
    const resting = (where: string): string => `${where}: expected a model at rest, got one in training`;
    expect(() => model.compile({ engine, ...training })).toThrow(resting("compile"));
    expect(() => model.trainOnBatch(images, labels)).toThrow(resting("trainOnBatch"));
    await expect(model.fit(images, labels)).rejects.toThrow(resting("fit"));
    expect(model.predict(images).shape).toEqual([6, 3]);
    expect(model.evaluate(images, labels).loss).toBeGreaterThan(0);
    controller.abort();
    await expect(run).rejects.toThrow();
  });

  it("images that are taken away are told", async () => {
    const own = noise(1, 6, 7, 7, 3);
    const onBatchEnd = (): void => {
      if (own.data.length > 0) structuredClone(own.data, { transfer: [own.data.buffer] });
    };
    const run = model.fit(own, labels, { batchSize: 2, onBatchEnd });
    await expect(run).rejects.toThrow(ShapeError);
    await expect(run).rejects.toThrow("expected data of its own, got a view that was detached since");
  });

  it("options that change do not change the run", async () => {
    const quiet = tinyNet();
    quiet.compile({ engine, ...training });
    const validationData = [images, labels] as const;
    const history = await quiet.fit(images, labels, { epochs: 2, validationData });
    const options: FitOptions = { epochs: 2, validationData: [images, labels] };
    options.onBatchEnd = (): void => {
      options.validationData = [noise(9, 1, 1), []] as never;
      options.onEpochEnd = 5 as never;
    };
    expect(await model.fit(images, labels, options)).toEqual(history);
  });
});
