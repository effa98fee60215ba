/** Runs of `fit` that are left after any batch and go on elsewhere, to the same bits. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  callbacks,
  layers,
  load,
  loadModel,
  losses,
  optimizers,
  sequential,
  type Callback,
  type CompileOptions,
  type Engine,
  type FitOptions,
  type History,
  type LabelledBatch,
  type Model,
  type Stream,
} from "../../src/index.ts";
import { noise } from "../support/model.ts";
import { random } from "../support/random.ts";

const COUNT = 11;
const images = noise(1, COUNT, 6, 6, 2);
const labels = random(2).integers(COUNT, 0, 2);
const other = [noise(3, 5, 6, 6, 2), random(4).integers(5, 0, 2)] as const;
const loss = losses.softmaxCrossEntropy();

let engine: Engine;
beforeAll(async () => {
  engine = await load();
});
afterAll(() => {
  expect(engine.memory.used).toBe(0);
  engine.dispose();
});

/** Weights, moving statistics, random masks and pictures: all that a step may change or draw. */
const create = (): Model =>
  sequential({
    inputShape: [6, 6, 2],
    layers: [
      layers.randomFlip(),
      layers.randomTranslation({ heightFactor: 0.2, widthFactor: 0.2 }),
      layers.conv2d({ filters: 3, kernelSize: 3, activation: "relu" }),
      layers.batchNormalization(),
      layers.dropout({ rate: 0.3 }),
      layers.flatten(),
      layers.dense({ units: 3 }),
    ],
    seed: 9,
  });

/** One kind of run. Its options are made anew for each part of it, as in another process. */
interface Kind {
  readonly compile?: () => Partial<CompileOptions>;
  readonly options: () => FitOptions;
  readonly stream?: () => Stream<LabelledBatch>;
}

const start = (model: Model, { compile }: Kind, on = engine): Model =>
  model.compile({
    engine: on,
    optimizer: optimizers.adam({ learningRate: 0.02 }),
    loss,
    ...compile?.(),
  } as CompileOptions) as unknown as Model;

/** Trains; `last` hears of events after the run's own callbacks. */
function fit(model: Model, { options, stream }: Kind, last?: Callback): Promise<History> {
  const own = options();
  const all = { ...own, callbacks: [...(own.callbacks ?? []), ...(last ? [last] : [])] };
  return stream ? model.fit(stream(), all as never) : model.fit(images, labels, all);
}

const EVENTS = [
  "onTrainBegin",
  "onEpochBegin",
  "onBatchBegin",
  "onBatchEnd",
  "onEpochEnd",
  "onTrainEnd",
] as const;

/** A callback that writes down the events, and calls `at` with the number of each. */
function watcher(heard: string[], at: (index: number) => void = () => {}): Callback {
  const told = (event: string) => (state: object) => {
    heard.push(`${event} ${JSON.stringify({ ...state, resumed: undefined })}`);
    at(heard.length - 1);
  };
  return Object.fromEntries(EVENTS.map((event) => [event, told(event)]));
}

const KINDS: Record<string, Kind> = {
  "held data": { options: () => ({ epochs: 3, batchSize: 4 }) },
  "held data in their order, with accumulation, averages and bounds": {
    compile: () => ({
      optimizer: optimizers.adamw({ learningRate: 0.02, globalClipNorm: 0.3 }),
      gradientAccumulationSteps: 2,
      useEma: true,
      emaMomentum: 0.8,
    }),
    options: () => ({ epochs: 3, batchSize: 4, shuffle: false, validationData: [...other] }),
  },
  "early stopping that restores": {
    compile: () => ({ optimizer: optimizers.sgd({ learningRate: 0.5, momentum: 0.5 }) }),
    options: () => ({
      epochs: 6,
      batchSize: 6,
      validationData: [...other],
      earlyStopping: { patience: 2, restoreBestWeights: true },
      classWeight: { 1: 2 },
    }),
  },
  "callbacks of the package": {
    options: () => ({
      epochs: 4,
      batchSize: 4,
      validationSplit: 0.3,
      callbacks: [
        callbacks.earlyStopping({ monitor: "loss", patience: 1, minDelta: 0.01, restoreBestWeights: true }),
        callbacks.reduceLROnPlateau({ patience: 1, factor: 0.5, minDelta: 0.1 }),
      ],
    }),
  },
  "a search for a rate": {
    options: () => ({
      epochs: 3,
      batchSize: 4,
      sampleWeight: Array.from({ length: COUNT }, (_, i) => i / 4),
      callbacks: [callbacks.learningRateFinder({ from: 0.001, to: 0.1, steps: 7 })],
    }),
  },
};

describe.each(Object.entries(KINDS))("a run of %s", (_, kind) => {
  it("has the same bits and events, left at any event and gone on with", async () => {
    const events: string[] = [];
    const files: Uint8Array[] = [];
    const whole = start(create(), kind);
    const history = await fit(
      whole,
      kind,
      watcher(events, () => files.push(whole.toCheckpoint())),
    );
    const end = whole.toCheckpoint();
    whole.dispose();
    expect(files).toHaveLength(events.length);
    for (const [i, file] of files.entries()) {
      const model = start(loadModel(file), kind);
      expect(model.toCheckpoint(), events[i]).toEqual(file);
      const heard: string[] = [];
      const found = await fit(model, kind, watcher(heard));
      // A callback without a state begins anew.
      expect(heard, events[i]).toEqual([events[0], ...events.slice(i + 1)]);
      expect(found, events[i]).toEqual(history);
      expect(model.toCheckpoint(), events[i]).toEqual(end);
      model.dispose();
    }
  });
});
