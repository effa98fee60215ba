/** Trains again what a receipt tells of: to verify it, to trace a step of it, or to find where two of them part. */
import { OptionError } from "../errors.ts";
import type { Named } from "../graph/namedTensors.ts";
import type { Labels } from "../labels.ts";
import { checkEngine } from "../runtime/engine.ts";
import type { LabelledBatch, Stream } from "../stream.ts";
import type { InputTensor } from "../tensor.ts";
import type { Callback } from "../training/callbacks/callback.ts";
import type { FitOptions } from "../training/fitOptions.ts";
import type { History } from "../training/history.ts";
import type { TrainingReceipt } from "../training/receipt.ts";
import { compileModel, compileOptions, modelOf, type Beginning } from "./beginning.ts";
import { Mismatch } from "./comparison.ts";
import { refuseRelaxed, type RecorderOptions } from "./record/recorder.ts";
import type { VerifyTrainingOptions } from "./verification.ts";

const WHERE = "verifyReceipt";

/** The data of a run, as `fit` takes them. @throws OptionError */
export function dataOf(
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

/**
 * The model of a receipt, compiled, at its start or at a checkpoint; the caller disposes of it.
 * @throws FormatError, OptionError, Mismatch
 */
export function beginAgain(receipt: TrainingReceipt, options: VerifyTrainingOptions): Beginning {
  refuseRelaxed(`${WHERE}: engine`, checkEngine(WHERE, options.engine));
  const own = compileOptions(receipt, options);
  const beginning = modelOf(receipt, options.checkpoint);
  compileModel(beginning.model, own);
  return beginning;
}

/** The same for another caller, who compares nothing. @throws FormatError; OptionError naming `where` for a checkpoint of another run */
export function beginOrRefuse(
  where: string,
  receipt: TrainingReceipt,
  options: VerifyTrainingOptions,
): Beginning {
  try {
    return beginAgain(receipt, options);
  } catch (error) {
    if (!(error instanceof Mismatch)) throw error;
    throw new OptionError(`${where}: expected a checkpoint of the run, but ${error.message}`);
  }
}

/** Trains again, from where the model begins, watched by a callback and, if it is passed, by what records the links. */
export async function fitAgain(
  receipt: TrainingReceipt,
  options: VerifyTrainingOptions,
  { model, isPlaced }: Beginning,
  recording: RecorderOptions | undefined,
  callback: Callback,
): Promise<History> {
  const {
    epochs,
    initialEpoch = 0,
    stream,
    batchSize,
    shuffle,
    validationSplit,
    classWeight,
  } = receipt.options;
  const { sampleWeight, signal } = options;
  const done = model.trainingState.epochs - receipt.start.epochs;
  const [data, labels] = dataOf(receipt, options);
  const fit: FitOptions = {
    epochs,
    // A checkpoint that holds no place is one between two epochs.
    initialEpoch: isPlaced ? initialEpoch : initialEpoch + done,
    classWeight,
    signal,
    callbacks: [callback],
    ...(!stream && { batchSize, shuffle, validationSplit, sampleWeight }),
  };
  return stream
    ? model.recordedFit(recording, data, fit as never)
    : model.recordedFit(recording, data, labels, fit);
}
