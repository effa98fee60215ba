/** Runs a training run again, and compares it with its receipt. */
import { OptionError, TrainingError } from "../errors.ts";
import type { Named } from "../graph/namedTensors.ts";
import type { Labels } from "../labels.ts";
import { checkEngine } from "../runtime/engine.ts";
import type { LabelledBatch, Stream } from "../stream.ts";
import type { InputTensor } from "../tensor.ts";
import type { FitOptions } from "../training/fitOptions.ts";
import type { TrainingReceipt } from "../training/receipt.ts";
import { compileModel, compileOptions, modelOf, type Beginning } from "./beginning.ts";
import { Comparison, Mismatch } from "./comparison.ts";
import { chainOf } from "./record/chain.ts";
import { refuseRelaxed } from "./record/recorder.ts";
import type { Verification, VerifyTrainingOptions } from "./verification.ts";

const WHERE = "verifyReceipt";

/** The data of a run, as `fit` takes them. @throws OptionError */
function dataOf(
  { options: { stream } }: TrainingReceipt,
  { images, labels, sampleWeight, batches }: VerifyTrainingOptions,
):
  | readonly [data: Stream<LabelledBatch>]
  | readonly [InputTensor | Named<InputTensor>, Labels | Named<Labels>] {
  const given = Object.entries({ images, labels, sampleWeight, batches })
    .filter(([, each]) => each !== undefined)
    .map(([name]) => name)
    .join(", ");
  if (stream && given === "batches") return [batches!];
  if (!stream && images !== undefined && labels !== undefined && batches === undefined)
    return [images, labels];
  const expected = stream ? "batches, the stream of the run" : "images and labels";
  throw new OptionError(`${WHERE}: expected ${expected}, got ${given || "no data"}`);
}

async function runAgain(
  receipt: TrainingReceipt,
  options: VerifyTrainingOptions,
  { model, isPlaced }: Beginning,
  comparison: Comparison,
): Promise<void> {
  const {
    epochs,
    initialEpoch = 0,
    stream,
    batchSize,
    shuffle,
    validationSplit,
    classWeight,
  } = receipt.options;
  const { sampleWeight, signal, onProgress } = options;
  const done = model.trainingState.epochs - receipt.start.epochs;
  const [data, labels] = dataOf(receipt, options);
  const fit: FitOptions = {
    epochs,
    // A checkpoint that holds no place is one between two epochs.
    initialEpoch: isPlaced ? initialEpoch : initialEpoch + done,
    classWeight,
    signal,
    callbacks: [comparison.callback(onProgress)],
    ...(!stream && { batchSize, shuffle, validationSplit, sampleWeight }),
  };
  const recorded = stream
    ? model.recordedFit(comparison.recording, data, fit as never)
    : model.recordedFit(comparison.recording, data, labels, fit);
  comparison.finish((await recorded).receipt!);
}

/** Runs a run again, all of it or a part. @throws as `verifyReceipt` */
export async function verifyTraining(
  receipt: TrainingReceipt,
  options: VerifyTrainingOptions,
): Promise<Verification> {
  refuseRelaxed(`${WHERE}: engine`, checkEngine(WHERE, options.engine));
  const { start, steps, chain } = receipt;
  let comparison: Comparison | undefined;
  let beginning: Beginning | undefined;
  try {
    dataOf(receipt, options);
    if (chainOf(receipt) !== chain) {
      const reason = "a part of the receipt was changed: its chain does not end as it says";
      throw new Mismatch(reason, [start.steps, steps]);
    }
    const own = compileOptions(receipt, options);
    beginning = modelOf(receipt, options.checkpoint);
    const { model, batches } = beginning;
    compileModel(model, own);
    const { steps: before, accumulated } = model.trainingState;
    comparison = new Comparison(receipt, before, batches, accumulated !== undefined, options);
    await runAgain(receipt, options, beginning, comparison);
    const { end, digest } = comparison;
    return { ok: true, from: before + 1, to: end, step: end, digest };
  } catch (error) {
    const step = comparison?.verified ?? start.steps;
    if (error instanceof Mismatch) return { ok: false, step, between: error.between, reason: error.message };
    if (!(error instanceof TrainingError)) throw error;
    return { ok: false, step, between: [step, error.step], reason: error.message };
  } finally {
    beginning?.model.dispose();
  }
}
