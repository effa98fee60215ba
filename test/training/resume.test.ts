/** Runs of `fit` that are left after any batch and go on elsewhere, to the same bits. */
import { afterAll, beforeAll, describe, expect, expectTypeOf, it } from "vitest";
import {
  callbacks,
  layers,
  load,
  loadModel,
  losses,
  OptionError,
  optimizers,
  sequential,
  type Callback,
  type CheckpointOptions,
  type CompileOptions,
  type Engine,
  type FitOptions,
  type History,
  type LabelledBatch,
  type Model,
  type SeekableStream,
  type Stream,
  type TrainingState,
} from "../../src/index.ts";
import { fromTensors, mixup } from "../../src/data.ts";
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

/** Byte for byte, at once: the matchers look at bytes one after the other. */
function expectSameBytes(given: Uint8Array, expected: Uint8Array, when = ""): void {
  expect(Buffer.compare(given, expected), when).toBe(0);
}

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

/** Batches of 4, 2 and 5 images; the second epoch begins with others. */
function* batches(epoch: number): Generator<LabelledBatch> {
  for (const [i, count] of [4, 2, 5].entries()) {
    yield [noise(10 * epoch + i, count, 6, 6, 2), random(epoch + i).integers(count, 0, 2)];
  }
}

const data = () =>
  fromTensors(images, labels)
    .map(mixup({ seed: 3, classes: 3 }))
    .shuffle(5, 6);

const STREAMS: Record<string, Kind> = {
  "a function that returns generators": {
    options: () => ({ epochs: 3 }),
    stream: () => batches,
  },
  "an async iterable, in accumulated batches": {
    compile: () => ({ gradientAccumulationSteps: 2 }),
    options: () => ({ epochs: 2, validationData: () => batches(9) }),
    stream: () => ({
      async *[Symbol.asyncIterator]() {
        await Promise.resolve();
        yield* batches(1);
      },
    }),
  },
  "a list of batches": { options: () => ({ epochs: 2 }), stream: () => [...batches(1)] },
  "an iterator, for its one epoch": {
    options: () => ({ epochs: 3, initialEpoch: 2 }),
    stream: () => batches(1),
  },
  "im2row/data": {
    compile: () => ({ useEma: true, emaMomentum: 0.7 }),
    options: () => ({ epochs: 2, validationData: data().batch(4) }),
    stream: () => data().batch(3).prefetch(2),
  },
};

describe.each([...Object.entries(KINDS), ...Object.entries(STREAMS)])("a run of %s", (_, kind) => {
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
      expectSameBytes(model.toCheckpoint(), file, events[i]);
      const heard: string[] = [];
      const found = await fit(model, kind, watcher(heard));
      // A callback without a state begins anew.
      expect(heard, events[i]).toEqual([events[0], ...events.slice(i + 1)]);
      expect(found, events[i]).toEqual(history);
      expectSameBytes(model.toCheckpoint(), end, events[i]);
      model.dispose();
    }
  });
});

/** The file of a run that is left after its first step. */
async function leftAfterOneStep(kind: Kind): Promise<Uint8Array> {
  const model = start(create(), kind);
  let file: Uint8Array | undefined;
  await fit(model, kind, { onBatchEnd: () => void (file ??= model.toCheckpoint()) });
  model.dispose();
  return file!;
}

describe("a run that goes on", () => {
  const held: Kind = { options: () => ({ epochs: 2, batchSize: 4 }) };

  it("has the same bits on other numbers of threads", async () => {
    const kind = KINDS["early stopping that restores"]!;
    const whole = start(create(), kind);
    const history = await fit(whole, kind);
    const threads = await load({ threads: 3 });
    let model = start(create(), kind, threads);
    for (let part = 0; ; part++) {
      let file: Uint8Array | undefined;
      const controller = new AbortController();
      const options = {
        ...kind.options(),
        signal: controller.signal,
        checkpoint: { every: 100, save: (bytes: Uint8Array) => (file = bytes) },
        onBatchEnd: () => controller.abort(),
      };
      const found = await model.fit(images, labels, options).catch((reason: unknown) => reason);
      if (part === 0) expect(found).toMatchObject({ name: "AbortError" });
      if (!(found instanceof Error)) {
        expect(found).toEqual(history);
        expect(part).toBeGreaterThan(4);
        break;
      }
      model.dispose();
      model = start(loadModel(file!), kind, part % 2 === 0 ? engine : threads);
    }
    expectSameBytes(model.toCheckpoint(), whole.toCheckpoint());
    for (const each of [model, whole]) each.dispose();
    threads.dispose();
  });

  it("is as two calls of one epoch are one of two, with checkpoints or without", async () => {
    const [whole, twice, loaded] = [start(create(), held), start(create(), held), start(create(), held)];
    const { loss: expected } = await whole.fit(images, labels, { epochs: 2 });
    const first = await twice.fit(images, labels);
    const second = await twice.fit(images, labels, { epochs: 2, initialEpoch: 1 });
    expect([...first.loss, ...second.loss]).toEqual(expected);
    const files: Uint8Array[] = [];
    await loaded.fit(images, labels, { checkpoint: { every: 1, save: (bytes) => files.push(bytes) } });
    const again = start(loadModel(loaded.toCheckpoint()), held);
    await again.fit(images, labels, { checkpoint: { save: (bytes) => files.push(bytes) } });
    for (const each of [twice, again]) expectSameBytes(each.toCheckpoint(), whole.toCheckpoint());
    for (const each of [whole, twice, loaded, again]) each.dispose();
  });

  it("undoes what callbacks change when it begins anew, but not what they change afterwards", async () => {
    const kind: Kind = {
      options: () => ({
        epochs: 3,
        batchSize: 4,
        callbacks: [
          {
            onTrainBegin: (_, model) => void (model.learningRate = 0.5),
            onEpochEnd: (_, model) => void (model.learningRate /= 8),
          },
        ],
      }),
    };
    const whole = start(create(), kind);
    const files: Uint8Array[] = [];
    await fit(whole, kind, { onEpochEnd: () => void files.push(whole.toCheckpoint()) });
    for (const file of files) {
      const model = start(loadModel(file), kind);
      await fit(model, kind, { onEpochEnd: () => {} });
      expectSameBytes(model.toCheckpoint(), whole.toCheckpoint());
      model.dispose();
    }
    whole.dispose();
  });

  it("reads no sample of im2row/data that was used", async () => {
    const read: number[] = [];
    const kind: Kind = {
      options: () => ({ epochs: 1 }),
      stream: () =>
        fromTensors(images, labels)
          .map((sample, { index }) => {
            read.push(index);
            return sample;
          })
          .batch(4),
    };
    const file = await leftAfterOneStep(kind);
    expect(read).toEqual(Array.from({ length: COUNT }, (_, i) => i));
    read.length = 0;
    const model = start(loadModel(file), kind);
    await fit(model, kind, { onBatchEnd: () => {} });
    expect(read).toEqual([4, 5, 6, 7, 8, 9, 10]);
    model.dispose();
  });

  it("begins a new run instead if resume is false, also of other options", async () => {
    const model = start(loadModel(await leftAfterOneStep(held)), held);
    const { loss: figures } = await model.fit(images, labels, { epochs: 1, batchSize: 11, resume: false });
    expect(figures).toHaveLength(1);
    expect(model.steps).toBe(2);
    // The place is left behind.
    expect((await model.fit(images, labels, { epochs: 3, batchSize: 11 })).loss).toHaveLength(3);
    model.dispose();
  });

  it("is refused with other options, data and callbacks, and can be taken up still", async () => {
    const kind: Kind = {
      options: () => ({
        epochs: 2,
        batchSize: 4,
        validationData: [...other],
        earlyStopping: { patience: 3 },
        callbacks: [callbacks.csvLogger(() => {})],
      }),
    };
    const file = await leftAfterOneStep(kind);
    const model = start(loadModel(file), kind);
    const own = { ...kind.options(), callbacks: [callbacks.csvLogger(() => {}), {} as Callback] };
    own.callbacks[1] = { onEpochEnd: () => {} };
    const refused: [FitOptions, string][] = [
      [{ epochs: 3 }, "fit: epochs: expected 2, as in the interrupted run that the checkpoint holds, got 3"],
      [{ initialEpoch: 1 }, "fit: initialEpoch: expected 0"],
      [{ batchSize: 5 }, "fit: batchSize: expected 4"],
      [{ shuffle: false }, "fit: shuffle: expected true"],
      [{ validationData: undefined, earlyStopping: undefined }, "fit: validationData: expected true"],
      [{ earlyStopping: { patience: 4 } }, "fit: earlyStopping: expected {"],
      [{ validationData: undefined, validationSplit: 0.2 }, "fit: images: expected 11"],
      [{ callbacks: [] }, "fit: callbacks: expected 2"],
      [{ callbacks: [own.callbacks[1]!, own.callbacks[1]!] }, "fit: callbacks[0]: expected one with a state"],
    ];
    for (const [change, message] of refused) {
      await expect(model.fit(images, labels, { ...own, ...change }), message).rejects.toThrow(message);
      await expect(model.fit(images, labels, { ...own, ...change })).rejects.toThrow(OptionError);
    }
    await expect(model.fit(batches, { epochs: 2 })).rejects.toThrow(
      'fit: images: expected 11, as in the interrupted run that the checkpoint holds, got "stream"; resume: false begins',
    );
    expectSameBytes(model.toCheckpoint(), file);
    expect((await model.fit(images, labels, own)).loss).toHaveLength(2);
    model.dispose();
  });

  it("is refused behind other steps, and for streams that end before", async () => {
    const model = start(loadModel(await leftAfterOneStep(held)), held);
    model.trainOnBatch(images, labels);
    await expect(fit(model, held, { onBatchEnd: () => {} })).rejects.toThrow(
      "fit: expected the model at step 1, where the run that the checkpoint holds was interrupted, got it at 2; resume: false",
    );
    model.dispose();
    const kind: Kind = { options: () => ({ epochs: 2 }), stream: () => batches };
    const files: Uint8Array[] = [];
    const whole = start(create(), kind);
    await fit(whole, kind, { onBatchEnd: () => void files.push(whole.toCheckpoint()) });
    const short = start(loadModel(files.at(-1)!), kind);
    const one = [[...batches(1)][0]!];
    await expect(fit(short, { ...kind, stream: () => one }, { onBatchEnd: () => {} })).rejects.toThrow(
      "fit: epoch 2: expected the 3 batches that the interrupted run had used, and those behind, got 1",
    );
    await expect(
      fit(start(short, kind), { ...kind, stream: () => batches(1) }, { onBatchEnd: () => {} }),
    ).rejects.toThrow("fit: epochs: expected an iterable, or a function of the epoch, for 2 epochs");
    for (const each of [short, whole]) each.dispose();
  });

  it("takes up what callbacks kept: numbers that JSON cannot say, tensors and Maps of them", async () => {
    const kept = {
      best: -Infinity,
      none: NaN,
      zero: -0,
      list: [1, "two", null, true],
      tensor: { shape: [2], data: Float32Array.of(1, NaN) },
      weights: new Map([["a.b", { shape: [1], data: Float32Array.of(3) }]]),
      undefined,
    };
    let state: unknown = kept;
    const found: unknown[] = [];
    const callback = { onBatchEnd() {}, state: () => state, restore: (own: unknown) => found.push(own) };
    const kind: Kind = { options: () => ({ batchSize: 4, callbacks: [callback as Callback] }) };
    const model = start(loadModel(await leftAfterOneStep(kind)), kind);
    await fit(model, kind, { onBatchEnd: () => {} });
    expect(found).toEqual([kept]);
    const refused: [unknown, string][] = [
      [{ a: 1n }, "toCheckpoint: callbacks: 1: a: expected what JSON can say, or tensors, got 1"],
      [{ $number: 1 }, "toCheckpoint: callbacks: 1: expected other keys"],
      [{ a: [() => 1] }, "toCheckpoint: callbacks: 1: a: 0: expected what JSON"],
      [
        Float32Array.of(1),
        "toCheckpoint: callbacks: 1: expected what JSON can say, or tensors, got Float32Array of 1",
      ],
      [
        { x: { shape: [2], data: Float32Array.of(1) } },
        "toCheckpoint: callbacks: 1: x.data: expected 2 elements",
      ],
    ];
    const circle: Record<string, unknown> = {};
    circle["self"] = circle;
    refused.push([circle, "toCheckpoint: callbacks: 1: self"]);
    for (const [given, message] of refused) {
      state = given;
      await expect(fit(model, kind, { onBatchEnd: () => void model.toCheckpoint() })).rejects.toThrow(
        message,
      );
    }
    await expect(model.fit(images, labels, { callbacks: [{ onBatchEnd() {}, state() {} }] })).rejects.toThrow(
      "fit: callbacks[0]: expected the functions state and restore, or neither, got function and undefined",
    );
    model.dispose();
  });
});

describe("initialEpoch", () => {
  it("numbers epochs, which is all that it changes", async () => {
    const [plain, numbered] = [start(create(), KINDS["held data"]!), start(create(), KINDS["held data"]!)];
    const heard: string[] = [];
    const first = await plain.fit(images, labels, { epochs: 2, batchSize: 4 });
    const options = { epochs: 5, initialEpoch: 3, batchSize: 4 };
    const second = await numbered.fit(images, labels, { ...options, callbacks: [watcher(heard)] });
    expect(second).toEqual(first);
    expectSameBytes(numbered.toCheckpoint(), plain.toCheckpoint());
    expect(heard[0]).toContain('"epochs":5,"initialEpoch":3');
    expect(heard.filter((event) => event.startsWith("onEpochBegin"))).toEqual([
      'onEpochBegin {"epoch":4}',
      'onEpochBegin {"epoch":5}',
    ]);
    for (const each of [plain, numbered]) each.dispose();
  });

  it("may leave no epoch, and early stopping counts from it", async () => {
    const model = start(create(), KINDS["held data"]!);
    const nothing = await model.fit(images, labels, { epochs: 2, initialEpoch: 2 });
    expect(nothing).toEqual({ loss: [], accuracy: [], validationLoss: [], validationAccuracy: [] });
    expect(model.steps).toBe(0);
    const options = { epochs: 9, initialEpoch: 4, validationData: [...other] as const };
    const stopped = await model.fit(images, labels, {
      ...options,
      earlyStopping: { minDelta: 1e9, patience: 2 },
    });
    expect([stopped.bestEpoch, stopped.stoppedEpoch]).toEqual([5, 7]);
    await expect(model.fit(images, labels, { initialEpoch: 2 })).rejects.toThrow(
      "fit: initialEpoch: expected an integer from 0 to 1, got 2",
    );
    await expect(model.fit(images, labels, { resume: 1 as never })).rejects.toThrow(
      "fit: resume: expected true or false, got 1",
    );
    model.dispose();
  });
});

describe("trainingState", () => {
  it("puts training back to where it was, with the weights", () => {
    const model = start(create(), KINDS["held data in their order, with accumulation, averages and bounds"]!);
    for (let step = 0; step < 3; step++) model.trainOnBatch(images, labels);
    const [weights, state, bytes] = [model.weights, model.trainingState, model.toCheckpoint()];
    const next = model.trainOnBatch(images, labels);
    const after = model.toCheckpoint();
    model.setWeights(weights);
    model.setTrainingState(state);
    expectSameBytes(model.toCheckpoint(), bytes);
    expect(model.trainOnBatch(images, labels)).toBe(next);
    expectSameBytes(model.toCheckpoint(), after);
    expect(() => model.setTrainingState({ ...state, steps: -1 })).toThrow(
      "setTrainingState: steps: expected an integer from 0",
    );
    model.dispose();
    expect(() => model.trainingState).toThrow("trainingState: expected a compiled model");
  });
});

it("has types: states as one writes them, options, streams that seek", () => {
  const model = start(create(), KINDS["held data"]!);
  const counting: Callback = {
    onBatchEnd() {},
    state: () => ({ n: 1 }),
    restore: (state: { n: number }) => state.n,
  };
  expectTypeOf<FitOptions["checkpoint"]>().toEqualTypeOf<CheckpointOptions | undefined>();
  expectTypeOf(model.toCheckpoint()).toEqualTypeOf<Uint8Array<ArrayBuffer>>();
  expectTypeOf(model.trainingState).toEqualTypeOf<TrainingState>();
  const seekable = data().batch(2);
  expectTypeOf(seekable).toExtend<SeekableStream<LabelledBatch>>();
  expectTypeOf(seekable).toExtend<Stream<LabelledBatch>>();
  const never = (): unknown => [
    // @ts-expect-error A path is a text.
    model.fit(images, labels, { checkpoint: { path: 1 } }),
    // @ts-expect-error Streams have the size of their batches.
    model.fit(seekable, { batchSize: 2, resume: false }),
    // @ts-expect-error There is no other.
    callbacks.checkpoint({ save() {}, every: 2 }),
    model.fit(images, labels, { callbacks: [counting], initialEpoch: 1, epochs: 2 }),
    model.fit(seekable, { checkpoint: { save: (bytes, { epoch, step }) => bytes.length + epoch + step } }),
  ];
  expect(never).toBeTypeOf("function");
  model.dispose();
});
