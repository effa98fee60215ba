/** `fit`, `evaluate` and `predict` on streams of batches instead of tensors. */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import {
  input,
  layers,
  load,
  losses,
  metrics,
  model as functional,
  optimizers,
  OptionError,
  Random,
  sequential,
  ShapeError,
  tensor,
  type BatchEnd,
  type Engine,
  type LabelledBatch,
  type Model,
  type Stream,
  type Tensor,
} from "im2row";
import { tinyNet } from "../conformance/nets.ts";
import { noise, weightBits } from "../support/model.ts";

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

const COUNT = 10;
const BATCH = 4;
const images = noise(1, COUNT, 7, 7, 3);
const labels = Int32Array.from({ length: COUNT }, (_, i) => (i * 7) % 3);
const training = { optimizer: optimizers.adam(), loss: losses.softmaxCrossEntropy() };

type Batch = readonly [Tensor, Int32Array];

let engine: Engine;
let model: Model;
/** Promises that failed and nobody heard. */
const unheard = vi.fn();

beforeAll(async () => {
  engine = await load();
  process.on("unhandledRejection", unheard);
});
beforeEach(() => {
  model = tinyNet();
  model.compile({ engine, ...training });
});
afterEach(() => model.dispose());
afterAll(async () => {
  await new Promise((resolve) => setTimeout(resolve, 0));
  process.off("unhandledRejection", unheard);
  expect(unheard).not.toHaveBeenCalled();
  expect(engine.memory.used).toBe(0);
  engine.dispose();
});

/** The images of these numbers with their labels. */
function pick(numbers: Iterable<number>): Batch {
  const list = [...numbers];
  const data = list.flatMap((i) => [...images.data.subarray(i * 147, (i + 1) * 147)]);
  return [tensor(data, [list.length, 7, 7, 3]), Int32Array.from(list, (i) => labels[i]!)];
}

/** The batches that `fit` on tensors draws in an epoch, counted from 1: by the model's seed and the epochs before. */
function* shuffled(epoch: number): Generator<Batch> {
  const order = Uint32Array.from({ length: COUNT }, (_, i) => i);
  new Random(model.seed, epoch - 1).shuffle(order);
  for (let at = 0; at < COUNT; at += BATCH) yield pick(order.subarray(at, at + BATCH));
}

const inOrder = (): Batch[] => [pick([0, 1, 2, 3]), pick([4, 5, 6, 7]), pick([8, 9])];

async function* later<T>(batches: Iterable<T>): AsyncGenerator<T> {
  for (const batch of batches) {
    await new Promise((resolve) => setTimeout(resolve, 0));
    yield batch;
  }
}

describe("fit on a stream", () => {
  /** The weights after some calls of fit on a new model. */
  async function trained(run: (net: Model) => Promise<unknown>, own = engine): Promise<object> {
    const net = tinyNet();
    net.compile({ engine: own, ...training });
    await run(net);
    const bits = weightBits(net);
    net.dispose();
    return bits;
  }

  it("of the batches that fit on tensors draws leads to the same weights and history", async () => {
    const expected = await model.fit(images, labels, { epochs: 3, batchSize: BATCH });
    const streams: Stream<Batch>[] = [shuffled, (epoch: number) => later(shuffled(epoch))];
    for (const stream of streams) {
      const bits = await trained(async (net) => {
        expect(await net.fit(stream, { epochs: 3 })).toEqual(expected);
      });
      expect(bits).toEqual(weightBits(model));
    }
    // The epochs are counted since compile, so that calls of one epoch go on as one call does.
    const parts = async (net: Model): Promise<void> => {
      await net.fit(shuffled);
      await net.fit(shuffled, { epochs: 2 });
    };
    expect(await trained(parts)).toEqual(weightBits(model));
  });

  it("augments an image by its number: by indices, else by its place in the epoch", async () => {
    const make = (): Model => {
      const flip = layers.randomFlip({ mode: "horizontal" });
      const net = sequential({
        inputShape: [7, 7, 3],
        seed: model.seed,
        layers: [flip, layers.flatten(), layers.dense({ units: 3 })],
      });
      net.compile({ engine, ...training });
      return net;
    };
    const run = async (fit: (net: Model) => Promise<unknown>): Promise<object> => {
      const net = make();
      await fit(net);
      const bits = weightBits(net);
      net.dispose();
      return bits;
    };
    const order = (epoch: number): Uint32Array => {
      const all = Uint32Array.from({ length: COUNT }, (_, i) => i);
      new Random(model.seed, epoch - 1).shuffle(all);
      return all;
    };
    function* batches(epoch: number, told: boolean): Generator<LabelledBatch> {
      for (let at = 0; at < COUNT; at += BATCH) {
        const indices = order(epoch).subarray(at, at + BATCH);
        const [x, y] = pick(indices);
        yield told ? { images: x, labels: y, indices } : [x, y];
      }
    }
    const expected = await run((net) => net.fit(images, labels, { epochs: 2, batchSize: BATCH }));
    expect(await run((net) => net.fit((epoch) => batches(epoch, true), { epochs: 2 }))).toEqual(expected);
    expect(await run((net) => net.fit((epoch) => batches(epoch, false), { epochs: 2 }))).not.toEqual(
      expected,
    );
  });

  it("leads to the same weights at every number of threads", async () => {
    await model.fit(images, labels, { epochs: 2, batchSize: BATCH });
    const threaded = await load({ threads: 2 });
    const bits = await trained((net) => net.fit((epoch) => later(shuffled(epoch)), { epochs: 2 }), threaded);
    expect(bits).toEqual(weightBits(model));
    threaded.dispose();
  });

  it("takes iterables, async ones, promises of batches and records", async () => {
    await model.fit(images, labels, { epochs: 2, batchSize: BATCH, shuffle: false });
    const records = inOrder().map(([x, y]) => ({ images: { input: x }, labels: { dense: y } }));
    const names = { images: model.inputs[0]!.name, labels: model.outputs[0]!.name };
    const named = records.map((each) => ({
      images: { [names.images]: each.images.input },
      labels: { [names.labels]: each.labels.dense },
    }));
    const streams: Stream<LabelledBatch>[] = [
      inOrder(),
      new Set(inOrder()),
      { [Symbol.asyncIterator]: () => later(inOrder()) },
      inOrder().map((batch) => Promise.resolve(batch)),
      inOrder().map(([x, y], i) => ({ images: x, labels: y, indices: [...y].map((_, j) => i * BATCH + j) })),
      named,
    ];
    for (const stream of streams) {
      expect(await trained((net) => net.fit(stream, { epochs: 2 }))).toEqual(weightBits(model));
    }
  });

  it("tells means over images, and no number of batches; a larger batch is planned anew", async () => {
    const seen: BatchEnd<undefined>[] = [];
    const sizes = [2, 5, 3];
    let start = 0;
    const batches = sizes.map((size) => pick(Array.from({ length: size }, () => start++)));
    const { loss } = await model.fit(batches, { onBatchEnd: (state) => void seen.push(state) });
    expect(seen.map(({ batch, batches: all, step }) => [batch, all, step])).toEqual([
      [1, undefined, 1],
      [2, undefined, 2],
      [3, undefined, 3],
    ]);
    let [sum, count] = [0, 0];
    seen.forEach((state, i) => {
      sum += state.batchLoss * sizes[i]!;
      count += sizes[i]!;
      expect(state.loss).toBe(sum / count);
    });
    expect(loss).toEqual([sum / COUNT]);
  });

  it("holds no batch while it waits for the next one: memory stays flat", async () => {
    const alive = new Set<WeakRef<Float32Array>>();
    let most = 0;
    async function* generated(): AsyncGenerator<Batch> {
      for (let i = 0; i < 40; i++) {
        await new Promise((resolve) => setTimeout(resolve, 0));
        if (i % 10 === 9) {
          collect();
          most = Math.max(most, [...alive].filter((each) => each.deref()).length);
        }
        const data = new Float32Array(4 * 147).fill(i / 40);
        alive.add(new WeakRef(data));
        yield [tensor(data, [4, 7, 7, 3]), Int32Array.of(0, 1, 2, 0)];
      }
    }
    const before = engine.memory.bytes;
    let grown = before;
    await model.fit(generated(), {
      onBatchEnd: ({ batch }) => void (batch === 2 && (grown = engine.memory.bytes)),
    });
    expect(engine.memory.bytes).toBe(grown);
    expect(alive.size).toBe(40);
    expect(most).toBeLessThanOrEqual(1);
  });

  it("lets the event loop run, also when all batches are at hand", async () => {
    let ticks = 0;
    const timer = setInterval(() => ticks++, 1);
    const from = performance.now();
    function* endless(): Generator<Batch> {
      while (performance.now() - from < 150) yield pick([0, 1, 2, 3]);
    }
    await model.fit(endless());
    clearInterval(timer);
    expect(ticks).toBeGreaterThan(2);
  });

  it("ends by its signal while it waits for a batch, and closes the iterator", async () => {
    const controller = new AbortController();
    const closed = vi.fn(() => Promise.reject(new Error("late")));
    let asked = 0;
    const iterator = {
      next: () => (asked++ === 0 ? Promise.resolve({ value: pick([0, 1]) }) : new Promise<never>(() => {})),
      return: closed,
    };
    const stream = { [Symbol.asyncIterator]: () => iterator } as unknown as Stream<Batch>;
    let before: object | undefined;
    const run = model.fit(stream, {
      signal: controller.signal,
      onBatchEnd() {
        before = weightBits(model);
        setTimeout(() => controller.abort(new Error("enough")), 5);
      },
    });
    await expect(run).rejects.toThrow(/^enough$/);
    expect(closed).toHaveBeenCalledOnce();
    expect(weightBits(model)).toEqual(before);
    expect(model.isTraining).toBe(false);
    await model.fit(inOrder());
  });

  it("closes the iterator when a callback fails, and not when it came to its end", async () => {
    const closed = vi.fn();
    const stream = function* (): Generator<Batch> {
      try {
        yield* inOrder();
      } finally {
        closed();
      }
    };
    const mine = (): never => {
      throw new Error("mine");
    };
    await expect(model.fit(stream, { onBatchEnd: mine })).rejects.toThrow(/^mine$/);
    expect(closed).toHaveBeenCalledOnce();
    const given = inOrder()[Symbol.iterator]() as Iterator<Batch>;
    const ended = { next: () => given.next(), return: vi.fn() };
    await model.fit({ [Symbol.iterator]: () => ended } as Iterable<Batch>);
    expect(ended.return).not.toHaveBeenCalled();
  });

  it("names the epoch and the batch of an error, with its cause, and keeps the weights before", async () => {
    const cause = new Error("disk full");
    async function* failing(epoch: number): AsyncGenerator<Batch> {
      yield* inOrder();
      if (epoch === 2) throw cause;
    }
    let before: object | undefined;
    const onBatchEnd = (): void => void (before = weightBits(model));
    const run = model.fit(failing, { epochs: 3, onBatchEnd });
    await expect(run).rejects.toMatchObject({ message: "fit: epoch 2: batch 4: disk full", cause });
    expect(weightBits(model)).toEqual(before);

    const wrong: LabelledBatch[] = [pick([0]), [noise(1, 2, 7, 7, 1), [0, 1]]];
    const misfit = model.fit(wrong, { onBatchEnd });
    await expect(misfit).rejects.toThrow(ShapeError);
    await expect(misfit).rejects.toThrow(
      "fit: epoch 1: batch 2: images: expected shape n×7×7×3, got 2×7×7×1",
    );
    expect(weightBits(model)).toEqual(before);

    const cases: readonly [unknown, string][] = [
      [[pick([0]), 5], "fit: epoch 1: batch 2: expected [images, labels] or { images, labels }, got 5"],
      [[[images, [0]]], "fit: epoch 1: batch 1: labels: expected 10 labels, got 1"],
      [
        [{ images, label: labels }],
        "fit: epoch 1: batch 1: expected the options images, labels, sampleWeight, indices",
      ],
      [[{ images, labels, indices: [1] }], "fit: epoch 1: batch 1: indices: expected 10 numbers, got [1]"],
      [
        [{ images, labels, indices: Array.from(labels, () => -1) }],
        "fit: epoch 1: batch 1: indices[0]: expected an integer from 0 to 2^32 - 1, got -1",
      ],
      [
        () => Promise.resolve(inOrder()),
        "fit: epoch 1: expected an iterable or async iterable of batches, got {}",
      ],
      [
        () => {
          throw cause;
        },
        "fit: epoch 1: disk full",
      ],
      [[], "fit: epoch 1: batch 1: expected at least one batch, got none"],
      [later([]), "fit: epoch 1: batch 1: expected at least one batch, got none"],
    ];
    for (const [stream, message] of cases) {
      await expect(model.fit(stream as Stream<Batch>, { onBatchEnd })).rejects.toThrow(message);
    }
    expect(weightBits(model)).toEqual(before);
  });

  it("refuses an iterator for a second epoch, and one that was read before", async () => {
    const twice = model.fit(later(inOrder()), { epochs: 2 });
    await expect(twice).rejects.toThrow(
      "fit: epochs: expected an iterable, or a function of the epoch, for 2 epochs, got an iterator, which gives its batches once",
    );
    const iterator = later(inOrder());
    const stop = new AbortController();
    const stopped = model.fit(iterator, { signal: stop.signal, onBatchEnd: () => stop.abort() });
    await expect(stopped).rejects.toThrow("aborted");
    const again = "expected batches from the first on, got an iterator that was read before";
    await expect(model.fit(iterator)).rejects.toThrow(`fit: epoch 1: ${again}`);
    const same = inOrder().values();
    await expect(model.fit(() => same, { epochs: 2 })).rejects.toThrow(`fit: epoch 2: ${again}`);
    const validated = model.fit(images, labels, { epochs: 2, validationData: later(inOrder()) });
    await expect(validated).rejects.toThrow("fit: validationData: expected an iterable");
  });

  it("refuses options that belong to tensors", async () => {
    const option = async (options: object): Promise<void> => {
      const run = model.fit(inOrder(), options);
      await expect(run).rejects.toThrow(OptionError);
      await expect(run).rejects.toThrow(`fit: ${Object.keys(options)[0]}: expected none for a stream`);
    };
    await option({ shuffle: true });
    await option({ batchSize: 4 });
    await model.fit(inOrder(), { shuffle: false } as object);
  });

  it("validates on a stream with the figures that it has for tensors", async () => {
    const twin = tinyNet();
    twin.compile({ engine, ...training });
    const expected = await twin.fit(inOrder(), { epochs: 2, validationData: [images, labels] });
    const validationData = (): AsyncGenerator<Batch> => later([[images, labels] as const]);
    expect(await model.fit(inOrder(), { epochs: 2, validationData })).toEqual(expected);
    twin.dispose();
  });
});

describe("evaluate and predict on a stream", () => {
  it("return what they return for tensors in the same batches", async () => {
    const net = tinyNet();
    net.compile({ engine, ...training, metrics: [metrics.confusionMatrix()] });
    const expected = net.evaluate(images, labels, { batchSize: BATCH });
    expect(net.evaluate(inOrder())).toEqual(expected);
    expect(net.evaluate((epoch) => (epoch === 1 ? inOrder() : []))).toEqual(expected);
    expect(await net.evaluateAsync(later(inOrder()))).toEqual(expected);
    const outputs = net.predict(images);
    expect(net.predict(inOrder())).toEqual(outputs);
    expect(net.predict(inOrder().map(([x]) => x))).toEqual(outputs);
    expect(await net.predictAsync(later(inOrder()))).toEqual(outputs);
    const records = inOrder().map(([x, y]) => ({ images: x, labels: y }));
    expect(await net.predictAsync(records)).toEqual(outputs);
    net.dispose();
  });

  it("take inputs by name, and return outputs by name", async () => {
    const [a, b] = [input({ shape: [3], name: "a" }), input({ shape: [2], name: "b" })];
    const sum = layers.dense({ units: 2, name: "sum" });
    const net = functional({
      inputs: [a, b],
      outputs: { sum: sum.apply(layers.concatenate().apply([a, b])) },
    });
    net.compile({ engine, ...training });
    const whole = { a: noise(1, 4, 3), b: noise(2, 4, 2) };
    const half = (at: number): typeof whole => ({
      a: tensor(whole.a.data.slice(at * 3, at * 3 + 6), [2, 3]),
      b: tensor(whole.b.data.slice(at * 2, at * 2 + 4), [2, 2]),
    });
    const expected = net.predict(whole);
    expect(net.predict([half(0), half(2)])).toEqual(expected);
    const labelled = [half(0), half(2)].map((each) => ({ images: each, labels: { sum: [0, 1] } }));
    expect(await net.predictAsync(later(labelled))).toEqual(expected);
    await net.fit(labelled, { epochs: 2 });
    net.dispose();
  });

  it("refuse what they cannot wait for, and an empty stream", () => {
    const async = later(inOrder()) as unknown as Batch[];
    expect(() => model.evaluate(async)).toThrow(
      "evaluate: expected a synchronous iterable of batches, got {}",
    );
    expect(() => model.predict(async)).toThrow("predict: expected a synchronous iterable of batches");
    const promised = [Promise.resolve(images)] as unknown as Tensor[];
    expect(() => model.predict(promised)).toThrow(
      "predict: batch 1: images.shape: expected a shape of positive integers, got undefined",
    );
    expect(() => model.predict([] as Tensor[])).toThrow(
      "predict: batch 1: expected at least one batch, got none",
    );
    expect(() => model.evaluate([pick([0]), [images, [1]]])).toThrow(
      "evaluate: batch 2: labels: expected 10 labels, got 1",
    );
  });

  it("end by the signal while they wait, with the iterator closed", async () => {
    const controller = new AbortController();
    const closed = vi.fn();
    const iterator = { next: () => new Promise<never>(() => {}), return: closed };
    const stream = { [Symbol.asyncIterator]: () => iterator } as unknown as AsyncIterable<Batch>;
    const { signal } = controller;
    const runs = [
      model.predictAsync(stream, { signal }),
      model.evaluateAsync({ [Symbol.asyncIterator]: () => ({ ...iterator }) } as AsyncIterable<Batch>, {
        signal,
      }),
    ];
    setTimeout(() => controller.abort(new Error("enough")), 5);
    for (const run of runs) await expect(run).rejects.toThrow(/^enough$/);
    expect(closed).toHaveBeenCalledTimes(2);
    expect(model.inUse).toBe(true);
  });

  it("reject when the weights change between two batches", async () => {
    const run = model.predictAsync(
      later(
        inOrder().map((batch, i) => {
          if (i === 1) model.trainOnBatch(...batch);
          return batch;
        }),
      ),
    );
    await expect(run).resolves.toBeDefined();
    async function* stepping(): AsyncGenerator<Batch> {
      yield pick([0]);
      model.trainOnBatch(...pick([1]));
      yield pick([2]);
    }
    await expect(model.predictAsync(stepping())).rejects.toThrow("expected the same weights to the end");
  });
});

it.each<[string, unknown, string]>([
  ["null of next()", { next: () => null }, "expected { done, value } of the iterator's next(), got null"],
  [
    "a number of a promise",
    { next: () => Promise.resolve(5) },
    "expected { done, value } of the iterator's next(), got 5",
  ],
  [
    "an empty record",
    { next: () => ({ value: {} }) },
    "expected [images, labels] or { images, labels }, got {}",
  ],
])("refuses %s, naming the batch", async (_, iterator, message) => {
  const net = sequential({ inputShape: [3], layers: [layers.dense({ units: 2 })] });
  net.compile({ engine, ...training });
  const stream = { [Symbol.asyncIterator]: () => iterator } as AsyncIterable<Batch>;
  await expect(net.fit(stream)).rejects.toThrow(`fit: epoch 1: batch 1: ${message}`);
  net.dispose();
});

it("evaluate, which does not wait, refuses promises of batches", () => {
  const net = sequential({ inputShape: [3], layers: [layers.dense({ units: 2 })] });
  net.compile({ engine, ...training });
  const promised = [Promise.resolve([noise(1, 2, 3), [0, 1]])] as unknown as Batch[];
  expect(() => net.evaluate(promised)).toThrow(
    "evaluate: batch 1: expected [images, labels] or { images, labels }, got {}",
  );
  net.dispose();
});

it("types: batches is a number for tensors, and undefined for a stream", async () => {
  const net = sequential({ inputShape: [3], layers: [layers.dense({ units: 2 })] });
  net.compile({ engine, ...training });
  const x = noise(1, 2, 3);
  await net.fit(x, [0, 1], { onBatchEnd: ({ batches }) => batches.toFixed() });
  await net.fit([[x, [0, 1]]], { onBatchEnd: ({ batches }) => batches satisfies undefined });
  // @ts-expect-error: evaluate does not wait
  expect(() => net.evaluate(later([[x, [0, 1]]]))).toThrow(OptionError);
  // @ts-expect-error: a stream has its own batches
  await expect(net.fit([[x, [0, 1]]], { batchSize: 3 })).rejects.toThrow(OptionError);
  net.dispose();
});
