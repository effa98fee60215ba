import {
  callbacks,
  load,
  loadModel,
  losses,
  optimizers,
  OptionError,
  type Callback,
  type CompileOptions,
  type Engine,
  type FitOptions,
  type LabelledBatch,
  type Model,
  type Stream,
} from "im2row";
import { fromTensors } from "im2row/data";
import { verifyReceipt, type TrainingReceipt } from "im2row/receipts";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { digits } from "../support/model.ts";
import { smallNet } from "./support.ts";

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

interface Kind {
  readonly options?: () => FitOptions;
  readonly compile?: Partial<CompileOptions>;
  readonly stream?: () => Stream<LabelledBatch>;
}

/** Trains, with a receipt unless the options say otherwise; `watcher` hears of events after other callbacks. */
async function fit(
  model: Model,
  { options, stream }: Kind,
  watcher: Callback,
): Promise<TrainingReceipt | undefined> {
  const own: FitOptions = {
    epochs: 3,
    receipt: { every: 4 },
    ...(!stream && { batchSize: 15 }),
    ...options?.(),
  };
  const all = { ...own, callbacks: [...(own.callbacks ?? []), watcher] };
  const run = stream ? model.fit(stream(), all as never) : model.fit(images, labels, all);
  return (await run).receipt;
}

/** The receipt of an uninterrupted run, and the checkpoints after each of its batches and epochs. */
async function whole(
  kind: Kind,
): Promise<{ receipt: TrainingReceipt; files: Uint8Array[]; ends: Uint8Array[] }> {
  const net = smallNet(engine, kind.compile);
  const [files, ends]: [Uint8Array[], Uint8Array[]] = [[], []];
  const receipt = await fit(net, kind, {
    onBatchEnd: () => void files.push(net.toCheckpoint()),
    onEpochEnd: () => void ends.push(net.toCheckpoint()),
  });
  net.dispose();
  return { receipt: receipt!, files, ends };
}

function open(file: Uint8Array, { compile }: Kind, on: Engine): Model {
  const net = loadModel(file);
  net.compile({
    engine: on,
    optimizer: optimizers.adam({ learningRate: 0.01 }),
    loss: losses.softmaxCrossEntropy(),
    ...compile,
  });
  return net;
}

/** The receipt of a run that goes on from a checkpoint, at two threads. */
async function resumed(file: Uint8Array, kind: Kind): Promise<TrainingReceipt> {
  const net = open(file, kind, two);
  const watcher: Callback = { onBatchEnd: () => undefined, onEpochEnd: () => undefined };
  const receipt = await fit(net, kind, watcher);
  net.dispose();
  return receipt!;
}

const KINDS: readonly (readonly [string, Kind])[] = [
  ["tensors", {}],
  ["a stream that seeks", { stream: () => fromTensors(images, labels).shuffle(30, 5).batch(15) }],
  [
    "a stream that does not",
    {
      stream: () => (epoch: number) => fromTensors(images, labels).shuffle(30, 5).batch(15)(epoch),
    },
  ],
  ["gradients that wait, and averages", { compile: { gradientAccumulationSteps: 2, useEma: true } }],
  [
    "rates that fall and weights that are restored",
    {
      options: () => ({
        epochs: 4,
        callbacks: [callbacks.reduceLROnPlateau({ monitor: "loss", patience: 0, minDelta: 100 })],
        earlyStopping: { monitor: "loss", patience: 1, minDelta: 100, restoreBestWeights: true },
      }),
    },
  ],
];

describe.each(KINDS)("of %s", (_, kind) => {
  let run: Awaited<ReturnType<typeof whole>>;
  beforeAll(async () => void (run = await whole(kind)));
  const data = (): object => (kind.stream ? { batches: kind.stream() } : { images, labels });

  it("the receipt of a run that goes on is that of the uninterrupted one", async () => {
    const files = [...run.files.filter((_file, i) => i % 3 === 1), ...run.ends];
    expect(files.length).toBeGreaterThan(6);
    for (const file of files) expect(await resumed(file, kind)).toEqual(run.receipt);
  });

  it("the rest of a run is verified from each checkpoint", async () => {
    const { receipt, files, ends } = run;
    for (const checkpoint of [...files, ...ends]) {
      const before = open(checkpoint, kind, engine);
      const done = before.trainingState.steps;
      before.dispose();
      if (done === receipt.steps) continue;
      const result = await verifyReceipt(receipt, { engine: two, checkpoint, ...data() });
      const { steps, digest } = receipt;
      expect(result).toEqual({ ok: true, from: done + 1, to: steps, step: steps, digest });
    }
  });

  it("a part of a run is verified up to a link, and not beyond", async () => {
    const { receipt, files } = run;
    const checkpoint = files[1]!;
    const changed = {
      ...receipt.links,
      digests: receipt.links.digests.map((each, i) => (i === 0 ? each : "0".repeat(64))),
    };
    expect(await verifyReceipt(receipt, { engine, checkpoint, to: 4, ...data() })).toMatchObject({
      ok: true,
      to: 4,
      digest: receipt.links.digests[0],
    });
    expect(await verifyReceipt(receipt, { engine, checkpoint, to: 3, ...data() })).toMatchObject({
      ok: true,
      to: 4,
    });
    expect(
      await verifyReceipt({ ...receipt, links: changed }, { engine, checkpoint, to: 4, ...data() }),
    ).toMatchObject({
      ok: false,
    });
  });
});

describe("a range", () => {
  const kind: Kind = {};
  let run: Awaited<ReturnType<typeof whole>>;
  beforeAll(async () => void (run = await whole(kind)));

  it("is rejected from another run's checkpoint, at a link and between two", async () => {
    const other = await whole({ options: () => ({ sampleWeight: labels.map((label) => label + 1) }) });
    const verify = (at: number): Promise<object> =>
      verifyReceipt(run.receipt, { engine, images, labels, checkpoint: other.files[at]! });
    expect(await verify(7)).toEqual({
      ok: false,
      step: 8,
      between: [8, 8],
      reason: "the checkpoint is not the state after step 8",
    });
    expect(await verify(8)).toMatchObject({ ok: false, step: 9, between: [9, 12] });
  });

  it("is rejected from a checkpoint in which one bit of a weight is another", async () => {
    const file = run.files[7]!.slice();
    // The last byte of the file belongs to a number.
    file[file.length - 4]! ^= 1;
    const result = await verifyReceipt(run.receipt, { engine, images, labels, checkpoint: file });
    expect(result).toMatchObject({ ok: false, step: 8, between: [8, 8] });
  });

  it("is rejected from a run with other options, or another net", async () => {
    const other = await whole({ options: () => ({ batchSize: 14 }) });
    const verify = (checkpoint: Uint8Array): Promise<object> =>
      verifyReceipt(run.receipt, { engine, images, labels, checkpoint });
    expect(await verify(other.files[2]!)).toMatchObject({
      ok: false,
      reason: "the checkpoint is of a run with another option batchSize",
    });
    const net = smallNet(engine, {}, 4);
    const file = net.toCheckpoint();
    net.dispose();
    expect(await verify(file)).toMatchObject({
      ok: false,
      reason: "the checkpoint has another architecture than the receipt",
    });
  });

  it("begins where its checkpoint does, within the run", async () => {
    const verify = (checkpoint: Uint8Array, from?: number): Promise<object> =>
      verifyReceipt(run.receipt, { engine, images, labels, checkpoint, from });
    expect(await verify(run.files[7]!, 9)).toMatchObject({ ok: true, from: 9 });
    await expect(verify(run.files[7]!, 8)).rejects.toThrow(
      "verifyReceipt: from: expected 9, the step after the checkpoint, got 8",
    );
    await expect(verify(run.files.at(-1)!)).rejects.toThrow(OptionError);
    await expect(verify(run.files.at(-1)!)).rejects.toThrow(
      "verifyReceipt: checkpoint: expected one of step 0 to 20 of the run, got one of step 21",
    );
  });
});

describe("fit refuses", () => {
  it("a receipt of a run that had none before its checkpoint", async () => {
    const without: Kind = { options: () => ({ receipt: false }) };
    const net = smallNet(engine);
    const files: Uint8Array[] = [];
    await fit(net, without, { onBatchEnd: () => void files.push(net.toCheckpoint()) });
    net.dispose();
    const run = resumed(files[2]!, {});
    await expect(run).rejects.toThrow(OptionError);
    await expect(resumed(files[2]!, {})).rejects.toThrow(
      "fit: receipt: expected none, as the interrupted run that the checkpoint holds had none, got one; resume: false begins a new run",
    );
    expect(await resumed(files[2]!, { options: () => ({ resume: false }) })).toMatchObject({
      start: { steps: 3 },
    });
  });
});
