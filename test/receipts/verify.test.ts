import {
  defineActivation,
  defineLayer,
  defineLoss,
  layers,
  load,
  loadModel,
  losses,
  optimizers,
  OptionError,
  registerActivation,
  registerLayer,
  schedules,
  sequential,
  tensor,
  type Engine,
  type FitOptions,
} from "im2row";
import { fromTensors } from "im2row/data";
import { verifyReceipt, type TrainingReceipt } from "im2row/receipts";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { digits } from "../support/model.ts";
import { chainOf, smallNet } from "./support.ts";

let engine: Engine;
let two: Engine;
beforeAll(async () => {
  engine = await load();
  two = await load({ threads: 2 });
});
afterAll(() => {
  engine.dispose();
  two.dispose();
});

const { images, labels } = digits(100, 1);

/** Trains the small net on digits; the receipt as JSON keeps it. */
async function train(
  options: FitOptions = {},
  compile: Parameters<typeof smallNet>[1] = {},
): Promise<TrainingReceipt> {
  const net = smallNet(engine, compile);
  const all = { epochs: 2, batchSize: 16, receipt: { every: 3 }, ...options };
  const { receipt } = await net.fit(images, labels, all);
  net.dispose();
  return JSON.parse(JSON.stringify(receipt)) as TrainingReceipt;
}

/** A receipt with other parts, and the chain that they have. */
function changed(receipt: TrainingReceipt, parts: Partial<TrainingReceipt>): TrainingReceipt {
  const other = { ...receipt, ...parts };
  return { ...other, chain: chainOf(other) };
}

/** A digest with its lowest bit flipped. */
const flipped = (digest: string): string =>
  digest.slice(0, -1) + (parseInt(digest.at(-1)!, 16) ^ 1).toString(16);

describe("verifyReceipt", () => {
  it("verifies a whole run, at any number of threads", async () => {
    const receipt = await train();
    const steps: number[] = [];
    const onProgress = ({ step }: { step: number }): void => void steps.push(step);
    const expected = { ok: true, from: 1, to: 14, step: 14, digest: receipt.digest };
    expect(await verifyReceipt(receipt, { engine, images, labels, onProgress })).toEqual(expected);
    expect(steps).toEqual(Array.from({ length: 14 }, (_, i) => i + 1));
    expect(await verifyReceipt(receipt, { engine: two, images, labels })).toEqual(expected);
  });

  it.each<[string, FitOptions, Parameters<typeof smallNet>[1]]>([
    ["the order of the data", { shuffle: false }, {}],
    ["weights of classes", { classWeight: { 3: 2, 10: 1, 2: 0.5 } as never }, {}],
    ["a part for validation", { validationSplit: 0.25 }, {}],
    ["gradients that wait at the end", { batchSize: 15 }, { gradientAccumulationSteps: 3 }],
    ["averages of weights", { epochs: 3 }, { useEma: true, emaMomentum: 0.9 }],
    [
      "a schedule and bounds",
      {},
      {
        optimizer: optimizers.sgd({
          learningRate: schedules.warmUp({
            steps: 3,
            learningRate: schedules.polynomialDecay({ learningRate: 0.1, decaySteps: 9, power: 1.5 }),
          }),
          momentum: 0.9,
          clipValue: 0.5,
          globalClipNorm: 2,
        }),
      },
    ],
    [
      "another algorithm and loss",
      {},
      { algorithm: "im2row", loss: losses.softmaxCrossEntropy({ labelSmoothing: 0.1 }) },
    ],
    [
      "rates that callbacks set, and a stop",
      {
        callbacks: [
          {
            onBatchEnd({ step }, model) {
              if (step === 4) model.learningRate = 0.002;
              return step === 11 ? "stop" : undefined;
            },
          },
        ],
      },
      {},
    ],
    [
      "weights that were restored",
      { epochs: 4, earlyStopping: { monitor: "loss", patience: 1, minDelta: 100, restoreBestWeights: true } },
      {},
    ],
    ["epochs that are numbered from another on", { epochs: 5, initialEpoch: 3 }, {}],
  ])("verifies a run with %s", async (_, options, compile) => {
    if (options.classWeight) delete (options.classWeight as Record<number, number>)[10];
    const receipt = await train(options, compile);
    const result = await verifyReceipt(receipt, { engine: two, images, labels });
    expect(result).toEqual({
      ok: true,
      from: 1,
      to: receipt.steps,
      step: receipt.steps,
      digest: receipt.digest,
    });
  });

  it("verifies a run of a stream, and one of weighted images", async () => {
    const net = smallNet(engine);
    const batches = fromTensors(images, labels).shuffle(50, 2).batch(20);
    const { receipt } = await net.fit(batches, { epochs: 3, receipt: { every: 4 } });
    net.dispose();
    expect(await verifyReceipt(receipt!, { engine, batches })).toMatchObject({ ok: true, to: 15 });
    const other = fromTensors(images, labels).shuffle(50, 3).batch(20);
    expect(await verifyReceipt(receipt!, { engine, batches: other })).toMatchObject({
      ok: false,
      between: [0, 4],
    });
    const sampleWeight = labels.map((label) => 1 + label);
    const weighted = await train({ sampleWeight });
    expect(await verifyReceipt(weighted, { engine, images, labels, sampleWeight })).toMatchObject({
      ok: true,
    });
    expect(await verifyReceipt(weighted, { engine, images, labels })).toMatchObject({
      ok: false,
      reason: "the samples are others: their tree has another root",
    });
  });

  it("verifies a run that began with other weights than those of the seed, from these", async () => {
    const net = smallNet(engine);
    await net.fit(images, labels, { batchSize: 50 });
    const before = net.toCheckpoint();
    const receipt = (await net.fit(images, labels, { batchSize: 10, receipt: { every: 5 } })).receipt!;
    net.dispose();
    expect(receipt.start).toMatchObject({ steps: 2, epochs: 1 });
    expect(await verifyReceipt(receipt, { engine, images, labels, checkpoint: before })).toMatchObject({
      ok: true,
      from: 3,
      to: 12,
    });
    const without = await verifyReceipt(receipt, { engine, images, labels }).catch((error: unknown) => error);
    expect(without).toBeInstanceOf(OptionError);
    const fresh = loadModel(before);
    fresh.compile({
      engine,
      optimizer: optimizers.adam({ learningRate: 0.01 }),
      loss: losses.softmaxCrossEntropy(),
    });
    const tuned = loadModel(fresh.toSafetensors());
    fresh.dispose();
    tuned.compile({ engine, optimizer: optimizers.adam(), loss: losses.softmaxCrossEntropy() });
    const start = tuned.toSafetensors();
    const second = (await tuned.fit(images, labels, { receipt: true })).receipt!;
    tuned.dispose();
    expect(await verifyReceipt(second, { engine, images, labels, checkpoint: start })).toMatchObject({
      ok: true,
    });
    expect(await verifyReceipt(second, { engine, images, labels })).toMatchObject({
      ok: false,
      step: 0,
      between: [0, 0],
      reason: "the state at the start is another: one that does not follow from the seed takes a checkpoint",
    });
  });

  it("takes the parts of a user that the receipt needs", async () => {
    const squares = defineLoss({
      type: "squares",
      takesClasses: true,
      compute({ y, classes, columns, rows, dy }) {
        let sum = 0;
        for (let i = 0; i < y.length; i++) {
          const d = y[i]! - (classes![Math.floor(i / columns)] === i % columns ? 1 : 0);
          sum += d * d;
          if (dy) dy[i] = (2 * d) / rows;
        }
        return sum / rows;
      },
    });
    const optimizer = optimizers.sgd({ learningRate: (step) => 0.01 / (step + 1) });
    const receipt = await train({}, { loss: squares(), optimizer });
    expect(receipt.needs).toEqual(["optimizer", "loss"]);
    const all = { engine, images, labels };
    expect(await verifyReceipt(receipt, { ...all, optimizer, loss: squares() })).toMatchObject({ ok: true });
    const other = optimizers.sgd({ learningRate: (step) => 0.02 / (step + 1) });
    expect(await verifyReceipt(receipt, { ...all, optimizer: other, loss: squares() })).toMatchObject({
      ok: false,
      between: [0, 3],
    });
    await expect(verifyReceipt(receipt, { ...all, loss: squares() })).rejects.toThrow(
      "verifyReceipt: optimizer: expected that of the run, which no receipt can describe, got none",
    );
    await expect(
      verifyReceipt(receipt, { ...all, optimizer: optimizers.adam(), loss: squares() }),
    ).rejects.toThrow("verifyReceipt: optimizer: expected sgd, got adam");
    await expect(verifyReceipt(await train(), { ...all, optimizer })).rejects.toThrow(
      "verifyReceipt: optimizer: expected none, as the receipt describes it",
    );
  });
});

describe("a run with a layer and an activation of a user", () => {
  it("needs them by name, and is verified where they are registered", async () => {
    const halve = defineLayer({
      type: "receiptHalve",
      forward({ x, y }) {
        for (let i = 0; i < y.length; i++) y[i] = x[i]! / 2;
      },
      backward({ dy, dx }) {
        if (dx) for (let i = 0; i < dx.length; i++) dx[i] = dy[i]! / 2;
      },
    });
    registerLayer("receiptHalve", halve);
    const cube = defineActivation({
      type: "receiptCube",
      forward({ x, y }) {
        for (let i = 0; i < y.length; i++) y[i] = x[i]! * x[i]! * x[i]!;
      },
      backward({ x, dy, dx }) {
        for (let i = 0; i < dx.length; i++) dx[i] = 3 * x[i]! * x[i]! * dy[i]!;
      },
    });
    registerActivation(cube);
    const net = sequential({
      inputShape: [28, 28, 1],
      layers: [layers.flatten(), halve(), layers.dense({ units: 10, activation: cube })],
      seed: 1,
    });
    net.compile({ engine, optimizer: optimizers.lion(), loss: losses.meanSquaredError() });
    const rows = tensor(
      Float32Array.from({ length: 1000 }, (_, i) => (labels[Math.floor(i / 10)] === i % 10 ? 1 : 0)),
      [100, 10],
    );
    const { receipt } = await net.fit(images, rows, { receipt: { every: 2 } });
    net.dispose();
    expect(receipt!.needs).toEqual(["layer receiptHalve", "activation receiptCube"]);
    const own = JSON.parse(JSON.stringify(receipt)) as TrainingReceipt;
    expect(await verifyReceipt(own, { engine: two, images, labels: rows })).toMatchObject({
      ok: true,
      to: 4,
    });
  });
});

describe("verifyReceipt rejects one flipped bit", () => {
  let receipt: TrainingReceipt;
  beforeAll(async () => void (receipt = await train()));

  const verify = (own: TrainingReceipt, data: object = {}): Promise<object> =>
    verifyReceipt(own, { engine, images, labels, ...data });

  it("in an image, a label", async () => {
    const { shape, data } = images;
    const bytes = new Uint8Array(data.slice().buffer);
    bytes[4 * 784 * 57 + 4 * 300]! ^= 1;
    const reason = "the samples are others: their tree has another root";
    const result = { ok: false, step: 0, between: [0, 3], reason };
    expect(await verify(receipt, { images: tensor(new Float32Array(bytes.buffer), shape) })).toEqual(result);
    const others = labels.slice();
    others[99]! ^= 1;
    expect(await verify(receipt, { labels: others })).toEqual(result);
    expect(
      await verify(receipt, { images: tensor(data.slice(784), [99, 28, 28, 1]), labels: labels.slice(1) }),
    ).toEqual(result);
  });

  it("in an image of a stream, when it comes", async () => {
    const stream = (data: Float32Array) => fromTensors(tensor(data, images.shape), labels).batch(10);
    const net = smallNet(engine);
    const own = (await net.fit(stream(images.data), { epochs: 2, receipt: { every: 3 } })).receipt!;
    net.dispose();
    const data = images.data.slice();
    data[784 * 57 + 300] = 0.5;
    expect(await verifyReceipt(own, { engine, batches: stream(data) })).toEqual({
      ok: false,
      step: 3,
      between: [3, 6],
      reason: "the states part between step 3 and step 6",
    });
  });

  it("in a link, and says between which links", async () => {
    const { links } = receipt;
    const digests = links.digests.map((digest, i) => (i === 2 ? flipped(digest) : digest));
    expect(await verify(changed(receipt, { links: { ...links, digests } }))).toEqual({
      ok: false,
      step: 6,
      between: [6, 9],
      reason: "the states part between step 6 and step 9",
    });
    expect(await verify({ ...receipt, links: { ...links, digests } })).toEqual({
      ok: false,
      step: 0,
      between: [0, 14],
      reason: "a part of the receipt was changed: its chain does not end as it says",
    });
  });

  it("in each of the other digests", async () => {
    expect(await verify(changed(receipt, { digest: flipped(receipt.digest) }))).toMatchObject({
      ok: false,
      step: 12,
      between: [12, 14],
    });
    expect(
      await verify(changed(receipt, { weights: { digest: flipped(receipt.weights.digest) } })),
    ).toMatchObject({
      ok: false,
      reason: "the weights that the run left are others",
    });
    const start = { ...receipt.start, digest: flipped(receipt.start.digest) };
    expect(await verify(changed(receipt, { start }))).toMatchObject({ ok: false, step: 0, between: [0, 0] });
    const data = { ...receipt.data, root: flipped(receipt.data.root) };
    expect(await verify(changed(receipt, { data }))).toMatchObject({ ok: false, step: 0, between: [0, 3] });
    expect(await verify({ ...receipt, chain: flipped(receipt.chain) })).toMatchObject({ ok: false, step: 0 });
  });

  it.each<[string, (receipt: TrainingReceipt) => Partial<TrainingReceipt>, readonly number[]]>([
    ["the seed", (own) => ({ architecture: { ...own.architecture, seed: 2 } }), [0, 0]],
    ["the batch size", (own) => ({ options: { ...own.options, batchSize: 17 } }), [0, 3]],
    ["the order", (own) => ({ options: { ...own.options, shuffle: false } }), [0, 3]],
    ["the epochs", (own) => ({ options: { ...own.options, epochs: 1 } }), [6, 14]],
    [
      "an option of the optimizer",
      (own) => ({
        compile: { ...own.compile, optimizer: { ...own.compile.optimizer, beta2: 0.998 } },
      }),
      [0, 3],
    ],
    ["a rate", () => ({ rates: [[8, 0.011]] }), [6, 9]],
    ["the batches", () => ({ batches: 15 }), [12, 14]],
  ])("in %s", async (_, parts, between) => {
    expect(await verify(changed(receipt, parts(receipt)))).toMatchObject({ ok: false, between });
  });

  it("does not compare the package and the binary", async () => {
    expect(await verify({ ...receipt, package: "9.9.9", binary: flipped(receipt.binary) })).toMatchObject({
      ok: true,
    });
  });
});
