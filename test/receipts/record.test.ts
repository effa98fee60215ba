import {
  load,
  optimizers,
  OptionError,
  schedules,
  tensor,
  type Engine,
  type FitOptions,
  type History,
} from "im2row";
import { fromTensors } from "im2row/data";
import relaxed from "im2row/relaxed";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { TrainingReceipt } from "../../src/training/receipt.ts";
import { digits } from "../support/model.ts";
import { chainOf, dataRoot, sha256, smallNet, stateOf, canonical } from "./support.ts";

let engine: Engine;
beforeAll(async () => void (engine = await load()));
afterAll(() => engine.dispose());

const { images, labels } = digits(100, 1);

/** Trains the small net on digits, with a receipt. */
async function train(
  options: FitOptions = {},
  compile: Parameters<typeof smallNet>[1] = {},
  on = engine,
): Promise<History & { receipt: TrainingReceipt }> {
  const net = smallNet(on, compile);
  try {
    const all = { epochs: 2, batchSize: 16, receipt: { every: 3 }, ...options };
    return (await net.fit(images, labels, all)) as History & { receipt: TrainingReceipt };
  } finally {
    net.dispose();
  }
}

describe("the receipt of a run", () => {
  it("is as the page says, by another hash", async () => {
    const net = smallNet(engine);
    const zeros = new Map(
      [...net.weights].map(([name, { shape, data }]) => [
        name,
        tensor(
          data.map(() => 0),
          shape,
        ),
      ]),
    );
    const learning = new Map([...zeros].filter(([name]) => net.learning.has(name)));
    const start = stateOf(net, { "optimizer: mean": learning, "optimizer: variance": learning });
    const { receipt, receiptMilliseconds } = await net.fit(images, labels, {
      epochs: 2,
      batchSize: 16,
      receipt: { every: 3 },
    });
    expect(receipt).toMatchObject({
      format: "im2row receipt",
      version: 1,
      kind: "training",
      compile: {
        optimizer: {
          type: "adam",
          beta1: 0.9,
          beta2: 0.999,
          epsilon: 1e-8,
          weightDecay: 0,
          learningRate: 0.01,
        },
        loss: { dense: { type: "softmaxCrossEntropy", labelSmoothing: 0 } },
        algorithm: "auto",
        gradientAccumulationSteps: 1,
      },
      options: { epochs: 2, stream: false, batchSize: 16, shuffle: true },
      needs: [],
      data: { samples: 100, root: dataRoot(images, labels) },
      start: { steps: 0, epochs: 0, digest: start },
      rates: [],
      batches: 14,
      steps: 14,
    });
    expect(receipt!.architecture).toEqual(JSON.parse(architectureOf(net.toSafetensors())));
    expect(receipt!.links).toEqual({
      every: 3,
      digests: Array(4).fill(expect.stringMatching(/^[0-9a-f]{64}$/)),
    });
    const entries = [...net.weights].map(([name, { shape, data }]) => [
      "weight",
      name,
      shape,
      sha256(new Uint8Array(data.buffer)).toString("hex"),
    ]);
    expect(receipt!.weights).toEqual({
      digest: sha256(canonical(["im2row weights", entries])).toString("hex"),
    });
    expect(receipt!.chain).toBe(chainOf(receipt!));
    expect(receiptMilliseconds).toBeGreaterThan(0);
    net.dispose();
  });

  it("has the same bytes for the same run, at any number of threads", async () => {
    const first = await train();
    const two = await load({ threads: 2 });
    const texts = [first, await train(), await train({}, {}, two)].map(({ receipt }) =>
      JSON.stringify(receipt),
    );
    two.dispose();
    expect(new Set(texts).size).toBe(1);
    expect(texts[0]!.length).toBeLessThan(4000);
  });

  it("differs for another seed, image, label, weight, option or rate", async () => {
    const one = (await train()).receipt;
    const others = [
      await train({ batchSize: 15 }),
      await train({ shuffle: false }),
      await train({ sampleWeight: labels.map(() => 1) }),
      await train({ classWeight: { 3: 2 } }),
      await train({}, { optimizer: optimizers.adam({ learningRate: 0.011 }) }),
      await train({}, { gradientAccumulationSteps: 2 }),
      await train({}, { useEma: true }),
    ];
    const chains = [one, ...others.map(({ receipt }) => receipt)].map(({ chain }) => chain);
    expect(new Set(chains).size).toBe(chains.length);
  });

  it("of a stream in the order of tensors has their digests", async () => {
    const held = (await train({ shuffle: false })).receipt;
    const net = smallNet(engine);
    const batches = fromTensors(images, labels).batch(16);
    const { receipt } = await net.fit(batches, { epochs: 2, receipt: { every: 3 } });
    net.dispose();
    const { options, ...rest } = receipt!;
    expect(options).toEqual({ epochs: 2, stream: true });
    const { options: _, chain: _chain, ...same } = held;
    expect(rest).toMatchObject(same);
  });

  it("hashes bytes as they are, and the weights of images", async () => {
    const bytes = { shape: images.shape, data: Uint8Array.from(images.data, (value) => value * 255) };
    const weights = Float32Array.from(labels, (label) => label / 4);
    const { receipt } = await train({ sampleWeight: weights });
    expect(receipt.data.root).toBe(dataRoot(images, labels, weights));
    expect(dataRoot(bytes, labels)).not.toBe(dataRoot(images, labels));
  });

  it("keeps the part that validation leaves, whatever is validated", async () => {
    const { receipt } = await train({ validationSplit: 0.2 });
    expect(receipt.data.samples).toBe(80);
    const plain = (await train()).receipt;
    expect((await train({ validationData: [images, labels] })).receipt).toEqual(plain);
  });

  it("tells the rates that callbacks set, and the step at which the run was stopped", async () => {
    const { receipt, stoppedEpoch } = await train({
      epochs: 5,
      callbacks: [
        {
          onEpochEnd: ({ epoch }, model) => {
            model.learningRate = 0.01 / (epoch + 1);
          },
          onBatchEnd: ({ step }) => (step === 17 ? "stop" : undefined),
        },
      ],
    });
    expect(stoppedEpoch).toBe(3);
    expect(receipt.rates).toEqual([
      [8, 0.005],
      [15, 0.01 / 3],
    ]);
    expect([receipt.batches, receipt.steps]).toEqual([17, 17]);
  });

  it("names the epoch whose weights were restored", async () => {
    const { receipt, bestEpoch } = await train({
      epochs: 4,
      earlyStopping: { monitor: "loss", patience: 1, minDelta: 100, restoreBestWeights: true },
    });
    expect(bestEpoch).toBe(1);
    expect(receipt.weights.epoch).toBe(1);
    expect(receipt.steps).toBe(14);
  });

  it("needs the parts of a user", async () => {
    const rate = (step: number): number => 0.01 / (step + 1);
    const { receipt } = await train({}, { optimizer: optimizers.adam({ learningRate: rate }) });
    expect(receipt.needs).toEqual(["optimizer"]);
    expect(receipt.compile.optimizer).toEqual({ type: "adam" });
    const decay = schedules.cosineDecay({ learningRate: 0.01, decaySteps: 10 });
    const described = (await train({}, { optimizer: optimizers.adam({ learningRate: decay, clipValue: 1 }) }))
      .receipt;
    expect(described.needs).toEqual([]);
    expect(described.compile.optimizer).toMatchObject({ learningRate: decay.config, clipValue: 1 });
  });
});

const architectureOf = (bytes: Uint8Array): string => {
  const length = Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true));
  const header = JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + length))) as Record<
    string,
    { architecture: string }
  >;
  return header["__metadata__"]!.architecture;
};

describe("links", () => {
  it("are a few by default, by the batch and the optimizer alone", async () => {
    // 2000 images a copy of the weights; those of adam are three.
    const { receipt } = await train({ receipt: true, epochs: 54 });
    expect(receipt.links.every).toBe(Math.ceil(6000 / 16));
    expect(receipt.links.digests).toHaveLength(1);
  });

  it("are at most 256: then every second one is left", async () => {
    const { receipt } = await train({ receipt: { every: 1 }, epochs: 20, batchSize: 5 });
    expect(receipt.steps).toBe(400);
    expect(receipt.links.every).toBe(2);
    expect(receipt.links.digests).toHaveLength(200);
    const twos = (await train({ receipt: { every: 2 }, epochs: 20, batchSize: 5 })).receipt;
    expect(receipt).toEqual(twos);
  });
});

describe("fit refuses a receipt", () => {
  it("of relaxed math", async () => {
    const other = await load({ math: relaxed });
    if (other.math === "relaxed") {
      await expect(train({}, {}, other)).rejects.toThrow("fit: receipt: expected an engine of exact math");
    }
    other.dispose();
  });

  it("when others replace weights", async () => {
    const net = smallNet(engine);
    const run = net.fit(images, labels, {
      epochs: 2,
      receipt: true,
      onEpochEnd: () => net.setWeights(net.weights),
    });
    await expect(run).rejects.toThrow(
      "fit: receipt: expected weights that steps alone change, got others before step 5",
    );
    const late = net.fit(images, labels, {
      receipt: true,
      callbacks: [{ onTrainEnd: () => net.setWeights(smallNet(engine, {}, 9).weights) }],
    });
    await expect(late).rejects.toThrow(
      "fit: receipt: expected weights that steps alone change, got others at the end",
    );
    net.dispose();
  });

  it.each<[string, unknown]>([
    ["fit: receipt: expected true or false, got 1", 1],
    ["fit: receipt: every: expected a positive integer, got 0", { every: 0 }],
    ['fit: receipt: expected the options every; got "links"', { links: 3 }],
  ])("%s", async (message, receipt) => {
    const run = train({ receipt: receipt as never });
    await expect(run).rejects.toThrow(OptionError);
    await expect(train({ receipt: receipt as never })).rejects.toThrow(message);
  });
});
