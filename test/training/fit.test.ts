import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import {
  layers,
  load,
  losses,
  optimizers,
  sequential,
  tensor,
  type BatchEnd,
  type Engine,
  type EpochEnd,
  type Model,
} from "../../src/index.ts";
import { tinyNet } from "../conformance/nets.ts";
import { digits, noise, weightBits } from "../support/model.ts";

const COUNT = 10;
const BATCH = 4;

let engine: Engine;
let model: Model;
const images = noise(1, COUNT, 7, 7, 3);
const labels = Int32Array.from({ length: COUNT }, (_, i) => (i * 7) % 3);
const loss = losses.softmaxCrossEntropy();
const optimizer = optimizers.sgd({ learningRate: 0.1 });

beforeAll(async () => {
  engine = await load();
});
afterAll(() => engine.dispose());
beforeEach(() => {
  model = tinyNet();
  model.compile({ engine, optimizer, loss });
});
afterEach(() => {
  model.dispose();
  expect(engine.memory.used).toBe(0);
});

/** Images `start` to `end` with their labels. */
const slice = (start: number, end: number) =>
  [
    tensor(images.data.slice(start * 147, end * 147), [end - start, 7, 7, 3]),
    labels.slice(start, end),
  ] as const;

describe("fit tells", () => {
  it("the running means, those of the batch alone, counts and the step of each batch, the last one smaller", async () => {
    const twin = tinyNet();
    twin.compile({ engine, optimizer, loss });
    const seen: BatchEnd[] = [];
    const options = { shuffle: false, batchSize: BATCH, epochs: 2 };
    await model.fit(images, labels, { ...options, onBatchEnd: (state) => seen.push(state) });

    const expected: BatchEnd[] = [];
    for (let epoch = 1; epoch <= 2; epoch++) {
      let [lossSum, correct] = [0, 0];
      for (let batch = 1; batch <= 3; batch++) {
        const start = (batch - 1) * BATCH;
        const end = Math.min(COUNT, start + BATCH);
        const [x, y] = slice(start, end);
        const { data } = twin.predict(x);
        let right = 0;
        y.forEach((label, i) => {
          const row = data.subarray(i * 3, i * 3 + 3);
          right += Number(row.indexOf(Math.max(...row)) === label);
        });
        const batchLoss = twin.trainOnBatch(x, y);
        lossSum += batchLoss * (end - start);
        correct += right;
        const own = { batchLoss, batchAccuracy: right / (end - start) };
        const step = (epoch - 1) * 3 + batch;
        expected.push({
          epoch,
          batch,
          batches: 3,
          step,
          loss: lossSum / end,
          accuracy: correct / end,
          ...own,
        });
      }
    }
    expect(seen).toEqual(expected);
    expect(weightBits(model)).toEqual(weightBits(twin));
    twin.dispose();
  });

  it("the means of each epoch, in the callback and in the history", async () => {
    const batches: BatchEnd[] = [];
    const epochs: EpochEnd[] = [];
    const history = await model.fit(images, labels, {
      epochs: 3,
      batchSize: BATCH,
      onBatchEnd: (state) => void batches.push(state),
      onEpochEnd: (state) => void epochs.push(state),
    });
    const last = batches.filter(({ batch, batches: all }) => batch === all);
    expect(epochs).toEqual(
      last.map((state) => ({ epoch: state.epoch, loss: state.loss, accuracy: state.accuracy })),
    );
    expect(history).toEqual({
      loss: epochs.map((state) => state.loss),
      accuracy: epochs.map((state) => state.accuracy),
      validationLoss: [],
      validationAccuracy: [],
    });
  });

  it("what evaluate finds on the validation data after each epoch", async () => {
    const [x, y] = [noise(2, 5, 7, 7, 3), [0, 1, 2, 0, 1]];
    const found: EpochEnd[] = [];
    const history = await model.fit(images, labels, {
      epochs: 2,
      validationData: [x, y],
      onEpochEnd(state) {
        const { loss: validationLoss, accuracy: validationAccuracy } = model.evaluate(x, y);
        expect(state).toMatchObject({ validationLoss, validationAccuracy });
        found.push(state);
      },
    });
    expect(history.validationLoss).toEqual(found.map((state) => state.validationLoss));
    expect(history.validationAccuracy).toEqual(found.map((state) => state.validationAccuracy));
    expect(history.validationLoss).toHaveLength(2);
  });

  it("accuracy as a share of rows when an image has several", async () => {
    const rows = sequential({ inputShape: [2, 2, 1], layers: [layers.dense({ units: 2 })] });
    rows.compile({ engine, optimizer, loss });
    const flags = Float32Array.from({ length: 3 * 8 }, (_, i) => i % 2);
    const history = await rows.fit(noise(3, 3, 2, 2, 1), tensor(flags, [3, 2, 2, 2]), { epochs: 50 });
    expect(history.accuracy[49]).toBeLessThanOrEqual(1);
    expect(rows.evaluate(noise(3, 3, 2, 2, 1), tensor(flags, [3, 2, 2, 2])).accuracy).toBe(1);
    rows.dispose();
  });
});

describe("fit's order", () => {
  const trained = async (...options: object[]): Promise<object> => {
    const net = tinyNet();
    net.compile({ engine, optimizer, loss });
    for (const each of options) await net.fit(images, labels, { batchSize: BATCH, ...each });
    const bits = weightBits(net);
    net.dispose();
    return bits;
  };

  it("is drawn anew for each epoch, and the same in each run", async () => {
    const once = await trained({});
    expect(await trained({})).toEqual(once);
    expect(await trained({ shuffle: false })).not.toEqual(once);
  });

  it.each([true, false])(
    "gives two epochs in one call the bits of two calls of one, shuffle: %s",
    async (shuffle) => {
      const whole = await trained({ shuffle, epochs: 3 });
      expect(await trained({ shuffle }, { shuffle }, { shuffle })).toEqual(whole);
      expect(await trained({ shuffle }, { shuffle, epochs: 2 })).toEqual(whole);
    },
  );

  it("begins an epoch again that was stopped in its midst, and the epochs when it is compiled again", async () => {
    const order = async (): Promise<number[]> => {
      const means: number[] = [];
      await model.fit(images, labels, { batchSize: 1, onBatchEnd: (state) => void means.push(state.loss) });
      return means;
    };
    // With a rate of zero the losses tell which image came when.
    const still = optimizers.sgd({ learningRate: 0 });
    model.compile({ engine, optimizer: still, loss });
    const first = await order();
    const second = await order();
    expect(second).not.toEqual(first);
    model.compile({ engine, optimizer: still, loss });
    const controller = new AbortController();
    const running = model.fit(images, labels, {
      batchSize: 1,
      signal: controller.signal,
      onBatchEnd: ({ batch }) => void (batch === 4 && controller.abort()),
    });
    await expect(running).rejects.toThrow();
    expect(await order()).toEqual(first);
    expect(await order()).toEqual(second);
  });

  it("takes all images in one batch when there are fewer than its size", async () => {
    const seen: number[] = [];
    await model.fit(images, labels, { batchSize: 64, onBatchEnd: ({ batches }) => void seen.push(batches) });
    expect(seen).toEqual([1]);
  });
});

describe("an AbortSignal", () => {
  it("that was aborted before leaves no trace", async () => {
    const before = weightBits(model);
    const signal = AbortSignal.abort(new Error("not today"));
    await expect(model.fit(images, labels, { signal })).rejects.toThrow("not today");
    expect(weightBits(model)).toEqual(before);
    const twin = tinyNet();
    twin.compile({ engine, optimizer, loss });
    await Promise.all([model.fit(images, labels), twin.fit(images, labels)]);
    expect(weightBits(model)).toEqual(weightBits(twin));
    twin.dispose();
  });

  it.each([1, 2, 3])(
    "stops after batch %i with the weights of that step, and fit can be called again",
    async (n) => {
      const controller = new AbortController();
      let atAbort: object | undefined;
      const running = model.fit(images, labels, {
        epochs: 5,
        batchSize: BATCH,
        signal: controller.signal,
        onBatchEnd({ step }) {
          if (step !== n) return;
          controller.abort(new Error(`after ${n}`));
          atAbort = weightBits(model);
        },
      });
      await expect(running).rejects.toThrow(`after ${n}`);
      expect(weightBits(model)).toEqual(atAbort);
      const steps: number[] = [];
      await model.fit(images, labels, { batchSize: BATCH, onBatchEnd: ({ step }) => void steps.push(step) });
      expect(steps).toEqual([n + 1, n + 2, n + 3]);
    },
  );

  it("stops while the last epoch is validated", async () => {
    const controller = new AbortController();
    const many = noise(5, 200, 7, 7, 3);
    const answers = new Int32Array(200);
    const abort = (): void => controller.abort(new Error("while validating"));
    const now = performance.now.bind(performance);
    let clock = now();
    // Time that seems to leap makes fit rest after every batch: the first rest ends the epoch, the next is validation's.
    performance.now = () => (clock += 1000);
    try {
      const running = model.fit(images, labels, {
        batchSize: 64,
        validationData: [many, answers],
        signal: controller.signal,
        onBatchEnd: () => void setImmediate(() => setImmediate(abort)),
      });
      await expect(running).rejects.toThrow("while validating");
    } finally {
      performance.now = now;
    }
  });
});

/** Runs `fit` on a clock that moves on by `tick` milliseconds whenever it is read; returns the event loop's turns meanwhile. */
async function turnsDuring(tick: number, fit: () => Promise<unknown>): Promise<number> {
  const now = performance.now.bind(performance);
  let clock = now();
  let turns = 0;
  let running = true;
  const turn = (): void => {
    turns++;
    if (running) setImmediate(turn);
  };
  performance.now = () => (clock += tick);
  try {
    const fitted = fit();
    setImmediate(turn);
    await fitted;
  } finally {
    performance.now = now;
    running = false;
  }
  return turns;
}

describe("fit and the event loop", () => {
  it("lets timers and other tasks run after each batch that time has passed in, and after no other", async () => {
    const validationData = [noise(5, 200, 7, 7, 3), new Int32Array(200)] as const;
    const fit = (): Promise<unknown> =>
      model.fit(images, labels, { epochs: 2, batchSize: BATCH, validationData });
    // Three batches of training an epoch, and four of 64 images of validation. After the last the run ends in the same turn.
    const turns = await turnsDuring(1000, fit);
    expect(turns).toBeGreaterThanOrEqual(13);
    expect(turns).toBeLessThanOrEqual(14);
    expect(await turnsDuring(0, fit)).toBeLessThanOrEqual(1);
  });

  it("refuses a second fit, and what would pull the model away, while it runs", async () => {
    let goOn = (): void => {};
    const held = new Promise<void>((resolve) => {
      goOn = resolve;
    });
    const running = model.fit(images, labels, { epochs: 2, onEpochEnd: () => held });
    const rest = "expected a model at rest, got one in training";
    await expect(model.fit(images, labels)).rejects.toThrow(`fit: ${rest}`);
    expect(() => model.trainOnBatch(images, labels)).toThrow(`trainOnBatch: ${rest}`);
    expect(() => model.compile({ engine })).toThrow(`compile: ${rest}`);
    goOn();
    await running;
    model.trainOnBatch(images, labels);
  });

  it("may be asked for predictions of any size while it validates", async () => {
    const [many, answers] = [noise(5, 200, 7, 7, 3), Array.from({ length: 200 }, (_, i) => i % 3)];
    const quiet = tinyNet();
    quiet.compile({ engine, optimizer, loss });
    const expected = await quiet.fit(images, labels, { validationData: [many, answers] });
    let size = 100;
    let busy = true;
    const disturb = (): void => {
      model.predict(many, { batchSize: size++ });
      if (busy) setImmediate(disturb);
    };
    setImmediate(disturb);
    // Time that seems to leap makes fit rest after every batch.
    const now = performance.now.bind(performance);
    let clock = now();
    performance.now = () => (clock += 1000);
    try {
      expect(await model.fit(images, labels, { validationData: [many, answers] })).toEqual(expected);
    } finally {
      performance.now = now;
      busy = false;
    }
    expect(size).toBeGreaterThan(102);
    quiet.dispose();
  });

  it("refuses labels that were read for losses which a getter has compiled away", async () => {
    const { data, shape } = noise(4, COUNT, 3);
    const rows = {
      shape,
      get data() {
        model.compile({ engine, optimizer, loss });
        return data;
      },
    };
    model.compile({ engine, optimizer, loss: losses.meanSquaredError() });
    const before = weightBits(model);
    await expect(model.fit(images, rows)).rejects.toThrow(
      "fit: expected a model that stays as it was compiled",
    );
    expect(weightBits(model)).toEqual(before);
    await model.fit(images, labels);
  });

  it("waits for callbacks, and passes on what they throw", async () => {
    const order: string[] = [];
    await model.fit(images, labels, {
      batchSize: 5,
      async onBatchEnd({ batch }) {
        await new Promise((resolve) => setTimeout(resolve, 1));
        order.push(`batch ${batch}`);
      },
      async onEpochEnd() {
        await Promise.resolve();
        order.push("epoch");
      },
    });
    expect(order).toEqual(["batch 1", "batch 2", "epoch"]);
    const onBatchEnd = (): never => {
      throw new Error("enough");
    };
    await expect(model.fit(images, labels, { onBatchEnd })).rejects.toThrow("enough");
    await model.fit(images, labels);
  });
});

it("a learning rate by function is asked once a step, with the number of steps done", async () => {
  for (const type of ["sgd", "adam", "adamw", "rmsprop", "adagrad", "lion", "lamb"] as const) {
    const asked: number[] = [];
    const learningRate = (step: number): number => {
      asked.push(step);
      return 0.1 / (step + 1);
    };
    model.compile({ engine, optimizer: optimizers[type]({ learningRate }), loss });
    await model.fit(images, labels, { batchSize: BATCH, epochs: 2 });
    model.trainOnBatch(images, labels);
    expect(asked).toEqual([0, 1, 2, 3, 4, 5, 6]);
  }
});

it("a small net learns drawn digits to more than 90 %", async () => {
  const net = sequential({
    inputShape: [28, 28, 1],
    layers: [
      layers.conv2d({ filters: 8, kernelSize: 5, strides: 2, activation: "relu" }),
      layers.maxPooling2d({ poolSize: 2 }),
      layers.conv2d({ filters: 16, kernelSize: 3, activation: "relu" }),
      layers.flatten(),
      layers.dense({ units: 10 }),
    ],
    seed: 1,
  });
  net.compile({ engine, optimizer: optimizers.adam({ learningRate: 0.003 }), loss });
  const [training, heldOut] = [digits(4000, 1), digits(500, 2)];
  const history = await net.fit(training.images, training.labels, { epochs: 5 });
  expect(history.loss.every((value, i) => i === 0 || value < history.loss[i - 1]!)).toBe(true);
  expect(net.evaluate(heldOut.images, heldOut.labels).accuracy).toBeGreaterThan(0.9);
  net.dispose();
});
