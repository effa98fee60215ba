/** Early stopping: when it stops, which epoch is the best, and whose weights the model ends with. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import {
  load,
  losses,
  optimizers,
  type EarlyStopping,
  type Engine,
  type EpochEnd,
  type FitOptions,
  type History,
  type Model,
} from "../../src/index.ts";
import type { Settled } from "../../src/options.ts";
import { EarlyStopper } from "../../src/training/earlyStopping.ts";
import { tinyNet } from "../conformance/nets.ts";
import { noise, weightBits } from "../support/model.ts";

/** The epoch at which these figures end a run of them all, and the best. */
function run(
  figures: readonly number[],
  options: Partial<Settled<EarlyStopping>>,
): [stopped: number, best: number | undefined] {
  const settings = {
    monitor: "loss",
    patience: 0,
    minDelta: 0,
    restoreBestWeights: false,
    ...options,
  } as const;
  const stopper = new EarlyStopper(settings, { read: () => new Map(), write: () => {} });
  const history: History = { loss: [], accuracy: [], validationLoss: [], validationAccuracy: [] };
  const index = figures.findIndex((figure, i) => {
    const state: EpochEnd = { epoch: i + 1, loss: NaN, accuracy: NaN, [settings.monitor]: figure };
    return stopper.ended(state);
  });
  stopper.finish(history);
  return [index + 1, history.bestEpoch];
}

describe("what stops", () => {
  const figures = [5, 3, 4, 2.5, 2.6, 2.7, 2.4, 2.45, 2.4, 2.41];

  // By hand, as Keras counts: epochs since the best reach the patience, and are at least one.
  it.each<[patience: number, stopped: number, best: number]>([
    [0, 3, 2],
    [1, 3, 2],
    [2, 6, 4],
    [3, 10, 7],
    [4, 0, 7],
  ])("a loss, with patience %i", (patience, stopped, best) => {
    expect(run(figures, { monitor: "loss", patience })).toEqual([stopped, best]);
    expect(run(figures, { monitor: "validationLoss", patience })).toEqual([stopped, best]);
  });

  it("an accuracy that does not rise", () => {
    const falling = figures.map((figure) => 1 - figure / 10);
    for (const monitor of ["accuracy", "validationAccuracy"] as const) {
      expect(run(falling, { monitor, patience: 2 })).toEqual([6, 4]);
      expect(run(figures, { monitor })).toEqual([2, 1]);
    }
  });

  it("gains of no more than minDelta", () => {
    expect(run([4, 3, 2, 1.5], { minDelta: 1 })).toEqual([2, 1]);
    expect(run([4, 2.5, 1, 0.5], { minDelta: 1 })).toEqual([4, 3]);
    // Small steps add up: each is compared with the best, not with the last.
    expect(run([4, 3.5, 2.75, 2], { minDelta: 1, patience: 3 })).toEqual([0, 3]);
  });

  it("figures that are no numbers", () => {
    expect(run([NaN, NaN, NaN], { patience: 2 })).toEqual([2, undefined]);
    expect(run([1, NaN, NaN], { patience: 2 })).toEqual([3, 1]);
    expect(run([NaN, 1, 2], { patience: 2 })).toEqual([0, 2]);
  });
});

describe("fit", () => {
  let engine: Engine;
  let model: Model;
  const images = noise(1, 12, 7, 7, 3);
  const labels = Int32Array.from({ length: 12 }, (_, i) => (i * 7) % 3);
  // Other labels than those it learns: what is validated gets worse soon.
  const validationData = [noise(2, 12, 7, 7, 3), labels] as const;
  const loss = losses.softmaxCrossEntropy();

  beforeAll(async () => {
    engine = await load();
  });
  afterAll(() => engine.dispose());
  beforeEach(() => {
    model = tinyNet();
    model.compile({ engine, optimizer: optimizers.adam({ learningRate: 0.02 }), loss });
    return () => model.dispose();
  });

  /** Trains for thirty epochs or until it stops; the weights after each. */
  async function trained(earlyStopping: EarlyStopping): Promise<[History, ReturnType<typeof weightBits>[]]> {
    const after: ReturnType<typeof weightBits>[] = [];
    const onEpochEnd = (): unknown => after.push(weightBits(model));
    const options: FitOptions = { epochs: 30, batchSize: 4, validationData, onEpochEnd, earlyStopping };
    return [await model.fit(images, labels, options), after];
  }

  it("stops where the history says, and tells the best epoch", async () => {
    const [history, after] = await trained({ patience: 3 });
    const { validationLoss, stoppedEpoch, bestEpoch } = history;
    expect(stoppedEpoch).toBeLessThan(30);
    expect(after).toHaveLength(stoppedEpoch!);
    for (const figures of [history.loss, history.accuracy, validationLoss, history.validationAccuracy]) {
      expect(figures).toHaveLength(stoppedEpoch!);
    }
    expect(bestEpoch).toBe(validationLoss.indexOf(Math.min(...validationLoss)) + 1);
    expect(stoppedEpoch).toBe(bestEpoch! + 3);
    expect(weightBits(model)).toEqual(after.at(-1));
  });

  it("tells of no stop when the last epoch was due in any case", async () => {
    const options = { epochs: 2, earlyStopping: { monitor: "loss", minDelta: 100 } } as const;
    const history = await model.fit(images, labels, options);
    expect(history.loss).toHaveLength(2);
    expect(history.stoppedEpoch).toBeUndefined();
    expect(history.bestEpoch).toBe(1);
  });

  it.each([null, 0, false])("is refused as %j", async (given) => {
    const running = model.fit(images, labels, { earlyStopping: given as never });
    await expect(running).rejects.toThrow(
      `fit: earlyStopping: expected an object of options { monitor: ${given === 0 ? 0 : "…"} }, got ${given}`,
    );
  });

  it("gives back the weights of the best epoch, whether or not it stopped", async () => {
    const [stopped, after] = await trained({ patience: 3, restoreBestWeights: true });
    expect(stopped.stoppedEpoch).toBe(stopped.bestEpoch! + 3);
    expect(weightBits(model)).toEqual(after[stopped.bestEpoch! - 1]);
    expect(model.evaluate(...validationData).loss).toBe(stopped.validationLoss[stopped.bestEpoch! - 1]);
    const [whole, more] = await trained({ patience: 40, restoreBestWeights: true });
    expect(whole.stoppedEpoch).toBeUndefined();
    expect(more).toHaveLength(30);
    expect(whole.bestEpoch).toBeLessThan(30);
    expect(weightBits(model)).toEqual(more[whole.bestEpoch! - 1]);
  });

  it("changes nothing of the epochs that it lets run", async () => {
    const [history] = await trained({ patience: 3 });
    const other = tinyNet();
    other.compile({ engine, optimizer: optimizers.adam({ learningRate: 0.02 }), loss });
    const epochs = history.stoppedEpoch!;
    await other.fit(images, labels, { epochs, batchSize: 4, validationData });
    expect(weightBits(other)).toEqual(weightBits(model));
    other.dispose();
  });

  it("does without validation where the training's own figures are watched", async () => {
    const options = { epochs: 5, earlyStopping: { monitor: "loss", minDelta: 100 } } as const;
    const history = await model.fit(images, labels, options);
    expect(history).toMatchObject({ stoppedEpoch: 2, bestEpoch: 1 });
  });
});
