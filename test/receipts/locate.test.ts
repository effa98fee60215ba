/** Two parties whose receipts part, and a third that runs the stretch again; and traces of a step by a receipt. */
import { load, optimizers, OptionError, type Engine } from "im2row";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { locateDifference } from "../../src/receipts/locate.ts";
import { stepTracer, type StepTrace } from "../../src/receipts/trace.ts";
import { traceReceipt } from "../../src/receipts/traceReceipt.ts";
import type { TrainingReceipt } from "../../src/training/receipt.ts";
import { images, labels, plantFault, receiptWith } from "./faulty.ts";
import { smallNet } from "./support.ts";

let engine: Engine;
/** An honest run of ten steps, one that went wrong in the fifth, and one in the fourth. */
let honest: TrainingReceipt;
let fifth: TrainingReceipt;
let fourth: TrainingReceipt;

beforeAll(async () => {
  engine = await load();
  honest = await receiptWith(engine, { every: 3 });
  fifth = await receiptWith(engine, { every: 3, wrong: 5 });
  fourth = await receiptWith(engine, { every: 3, wrong: 4 });
});
afterAll(() => {
  expect(engine.memory.used).toBe(0);
  engine.dispose();
});

/** The checkpoints after each step of a run. */
async function checkpointsOf(wrong: number): Promise<Uint8Array[]> {
  const net = smallNet(engine);
  plantFault(net, wrong);
  const checkpoints: Uint8Array[] = [];
  await net.fit(images, labels, {
    epochs: 2,
    batchSize: 16,
    onBatchEnd: () => void checkpoints.push(net.toCheckpoint()),
  });
  net.dispose();
  return checkpoints;
}

const all = (): { engine: Engine; images: typeof images; labels: typeof labels } => ({
  engine,
  images,
  labels,
});

describe("locateDifference", () => {
  it("says whose receipt is confirmed here, and between which links the other parts", async () => {
    const own = honest.links.digests[1]!;
    const digests = [own, fifth.links.digests[1]!];
    expect(await locateDifference(honest, fifth, all())).toEqual({
      between: [3, 6],
      digests,
      own,
      confirms: "a",
      parts: [3, 6],
    });
    expect(await locateDifference(fifth, honest, all())).toMatchObject({ own, confirms: "b" });
    expect(await locateDifference(fourth, fifth, all())).toMatchObject({ own, confirms: "neither" });
    expect(await locateDifference(honest, honest, all())).toBeUndefined();
  });

  it("names the step by the checkpoints of the run that is wrong", async () => {
    const b = await checkpointsOf(5);
    expect(await locateDifference(honest, fifth, { ...all(), checkpoints: { b } })).toMatchObject({
      parts: [4, 5],
    });
    // Those after steps 4 and 6, in any order: between them the run parts.
    const few = { a: await checkpointsOf(0), b: [b[5]!, b[3]!] };
    expect(await locateDifference(honest, fifth, { ...all(), checkpoints: few })).toMatchObject({
      parts: [4, 6],
    });
  });

  it("begins with the last checkpoint at which both are the same", async () => {
    const steps: number[] = [];
    const [, second, third] = await checkpointsOf(0);
    await locateDifference(honest, fifth, {
      ...all(),
      checkpoints: { a: [second!], b: [third!] },
      onProgress: ({ step, steps: end }) => void steps.push(step, end),
    });
    expect(steps).toEqual([4, 6, 5, 6, 6, 6]);
  });

  it("refuses checkpoints and data of other runs", async () => {
    const wrong = (await checkpointsOf(2))[2]!;
    await expect(locateDifference(honest, fifth, { ...all(), checkpoints: { a: [wrong] } })).rejects.toThrow(
      `locateDifference: expected to come to the state in which the receipts are the same, ${honest.links.digests[0]} after step 3, got `,
    );
    const net = smallNet(engine);
    const model = net.toSafetensors();
    net.dispose();
    await expect(locateDifference(honest, fifth, { ...all(), checkpoints: { b: [model] } })).rejects.toThrow(
      "locateDifference: checkpoints: b[0]: expected what toCheckpoint() wrote, got a model without a run",
    );
    await expect(locateDifference(honest, fifth, { engine })).rejects.toThrow(OptionError);
    const changed = { ...fifth, digest: honest.digest };
    await expect(locateDifference(honest, changed, all())).rejects.toThrow(
      "locateDifference: b: expected a receipt as it was written, got one whose chain does not end as it says",
    );
  });
});

describe("traceReceipt", () => {
  /** The trace of a step of the run itself. */
  async function traceOf(step: number): Promise<StepTrace> {
    const net = smallNet(engine);
    const tracer = stepTracer(net, step);
    await net.fit(images, labels, { epochs: 2, batchSize: 16, onBatchEnd: tracer.onBatchEnd });
    net.dispose();
    return tracer.trace!;
  }

  it("has the digests of the run, from its start and from a checkpoint within an epoch", async () => {
    const expected = await traceOf(8);
    expect(await traceReceipt(honest, { ...all(), step: 8 })).toEqual(expected);
    const checkpoint = (await checkpointsOf(0))[6]!;
    const steps: number[] = [];
    const onProgress = ({ step }: { step: number }): void => void steps.push(step);
    expect(await traceReceipt(honest, { ...all(), checkpoint, step: 8, onProgress })).toEqual(expected);
    expect(steps).toEqual([8]);
  });

  it("refuses steps that there are not, and a checkpoint of another run", async () => {
    const checkpoint = (await checkpointsOf(0))[6]!;
    for (const [options, message] of [
      [{ step: 11 }, "traceReceipt: step: expected one from 1 to 10, got 11"],
      [{ step: 7, checkpoint }, "traceReceipt: step: expected one from 8 to 10, got 7"],
      [{ step: 0.5 }, "traceReceipt: step: expected a positive integer, got 0.5"],
    ] as const) {
      await expect(traceReceipt(honest, { ...all(), ...options })).rejects.toThrow(message);
    }
    const other = smallNet(engine, { optimizer: optimizers.adam({ learningRate: 0.01 }) }, 9);
    const bytes = other.toCheckpoint();
    other.dispose();
    await expect(traceReceipt(honest, { ...all(), step: 8, checkpoint: bytes })).rejects.toThrow(
      "traceReceipt: expected a checkpoint of the run, but the checkpoint has another architecture than the receipt",
    );
  });
});
