/** The options of `fit`. */
import { abortSignal, type AbortSignalLike } from "../runtime/platform.ts";
import { OptionError } from "../errors.ts";
import type { Named } from "../graph/namedTensors.ts";
import type { Labels } from "../labels.ts";
import { checkOptions, flag, isCount, numberIn, positiveInteger, show, type Settled } from "../options.ts";
import { isStream, type LabelledBatch, type Stream } from "../stream.ts";
import type { InputTensor } from "../tensor.ts";
import { checkCallbacks, type Callback, type CallbackLike } from "./callbacks/callback.ts";
import { checkpointWriter, type CheckpointPlaces, type CheckpointWriter } from "./checkpoints.ts";
import { checkEarlyStopping, type EarlyStopping } from "./earlyStopping.ts";
import type { BatchEnd, EpochEnd } from "./history.ts";
import type { ClassWeights } from "./weights.ts";

/** Images and labels that are held, or a stream of such batches; an array is never one of batches. */
export type ValidationData =
  | readonly [images: InputTensor | Named<InputTensor>, labels: Labels | Named<Labels>]
  | readonly [
      images: InputTensor | Named<InputTensor>,
      labels: Labels | Named<Labels>,
      sampleWeight: ArrayLike<number> | undefined,
    ]
  | Exclude<Stream<LabelledBatch>, readonly unknown[]>;

/** When checkpoints are written, and where to. A run that its signal ends writes a last one. */
export interface CheckpointOptions extends CheckpointPlaces {
  /** The steps from one to the next, and one at the end of the run. Default: one at the end of each epoch. */
  every?: number | undefined;
}

/** The options of `fit` on a stream, whose batches have their own size and order. */
export interface StreamFitOptions<Batches extends number | undefined = undefined> {
  /** The number of the last epoch. Default: 1. */
  epochs?: number | undefined;
  /** The epochs that are counted as done: the first one has the next number. It is a matter of numbers alone. Default: 0. */
  initialEpoch?: number | undefined;
  /** Writes checkpoints in the course of the run, from which it can go on if it is interrupted. */
  checkpoint?: CheckpointOptions | undefined;
  /**
   * Whether a run that the model's checkpoint holds is finished; its options must be the same, and its data. Default: true.
   * Otherwise a new run begins with the state of training as it is.
   */
  resume?: boolean | undefined;
  /** Evaluated after each epoch. A function is called with 1 each time. */
  validationData?: ValidationData | undefined;
  /**
   * By class, the weight of its images in the loss; 1 for those that are left out. For models with one output whose labels are
   * classes. Validation goes without.
   */
  classWeight?: ClassWeights | undefined;
  /** Called after each batch and epoch; a promise that it returns is awaited. */
  onBatchEnd?: ((state: BatchEnd<Batches>) => unknown) | undefined;
  onEpochEnd?: ((state: EpochEnd) => unknown) | undefined;
  /**
   * Called in their order, after `onBatchEnd` and `onEpochEnd`: objects with functions for events, or functions that are called
   * after each epoch. One that returns `"stop"` ends the run, with its history; so do `onBatchEnd` and `onEpochEnd`.
   */
  callbacks?: readonly CallbackLike[] | undefined;
  /**
   * An `AbortSignal`. Stops between two batches, or while a callback's promise or the stream's next batch is waited for; `fit`
   * then rejects with the signal's reason and the weights stay as they are, after a last checkpoint if `checkpoint` asks for such.
   */
  signal?: AbortSignalLike | undefined;
  /** Ends training when a figure gets no better, as `EarlyStopping` of Keras. */
  earlyStopping?: EarlyStopping | undefined;
  /**
   * Leaves a receipt in the history, from which `verifyReceipt` of `im2row/receipts` checks the run to the last bit. `every` is the
   * number of steps from one link to the next; by default it follows from the batch and the optimizer, and takes about a hundredth
   * of the time. Refused on engines of relaxed math, and when others than the steps replace weights. Default: false.
   */
  receipt?: boolean | ReceiptOptions | undefined;
}

export interface ReceiptOptions {
  /** The steps from one link to the next; twice as many whenever there would be more than 256 links. */
  every?: number | undefined;
}

/** The options of `fit` on tensors. */
export interface FitOptions extends StreamFitOptions<number> {
  /** Default: 32. */
  batchSize?: number | undefined;
  /**
   * Draws a new order for each epoch from the model's seed and the number of epochs since `compile`, so that two calls of
   * one epoch do what one call of two does. Default: true.
   */
  shuffle?: boolean | undefined;
  /**
   * The weight of each image, finite and ≥ 0. The loss of a batch is Σ weight·loss / images, as in Keras; its gradient follows.
   * Accuracy is counted without weights.
   */
  sampleWeight?: ArrayLike<number> | undefined;
  /** The share of the images, the last ones before the order is drawn, that is kept for validation. Default: 0. */
  validationSplit?: number | undefined;
}

const FIT_KEYS = [
  "epochs",
  "batchSize",
  "shuffle",
  "validationData",
  "onBatchEnd",
  "onEpochEnd",
  "callbacks",
  "signal",
  "earlyStopping",
  "classWeight",
  "sampleWeight",
  "validationSplit",
  "receipt",
  "initialEpoch",
  "resume",
  "checkpoint",
] as const;

/** The option `checkpoint` as it was read. */
export interface Checkpointing {
  readonly every: number | undefined;
  readonly writer: CheckpointWriter;
}

/** The options of `fit` with their defaults, each read once. */
export interface FitSettings extends Pick<
  StreamFitOptions<number | undefined> & FitOptions,
  "validationData" | "signal" | "classWeight" | "sampleWeight"
> {
  /** `onBatchEnd` and `onEpochEnd` of the options come first. */
  readonly callbacks: readonly Callback[];
  readonly epochs: number;
  readonly initialEpoch: number;
  readonly resume: boolean;
  readonly checkpoint: Checkpointing | undefined;
  readonly batchSize: number;
  readonly shuffle: boolean;
  readonly validationSplit: number;
  readonly earlyStopping: Settled<EarlyStopping> | undefined;
  readonly receipt: ReceiptOptions | undefined;
}

/** Checks the options of `fit` that do not depend on the data, but for whether those are a stream. */
export function checkFitOptions(options: FitOptions | StreamFitOptions, streamed: boolean): FitSettings {
  checkOptions("fit", options, FIT_KEYS);
  if (streamed) refuseForStream(options as FitOptions);
  const { epochs, batchSize, shuffle, onBatchEnd, onEpochEnd, signal } = options as FitOptions;
  const { validationData, earlyStopping, classWeight, sampleWeight } = options as FitOptions;
  const validationSplit = numberIn(
    "fit: validationSplit",
    (options as FitOptions).validationSplit ?? 0,
    0,
    1,
  );
  for (const [name, callback] of Object.entries({ onBatchEnd, onEpochEnd })) {
    if (callback !== undefined && typeof callback !== "function") {
      throw new OptionError(`fit: ${name}: expected a function, got ${typeof callback}`);
    }
  }
  if (signal !== undefined) abortSignal("fit: signal", signal);
  const validation = checkValidation(validationData);
  if (validation && validationSplit > 0) {
    throw new OptionError("fit: expected validationData or validationSplit, got both");
  }
  const last = positiveInteger("fit: epochs", epochs ?? 1);
  return {
    epochs: last,
    initialEpoch: numberedUpTo("fit: initialEpoch", options.initialEpoch ?? 0, last),
    checkpoint: checkCheckpoint(options.checkpoint),
    resume: flag("fit: resume", options.resume ?? true),
    batchSize: positiveInteger("fit: batchSize", batchSize ?? 32),
    shuffle: flag("fit: shuffle", shuffle ?? true),
    validationSplit,
    classWeight,
    sampleWeight,
    ...(validation && { validationData: validation }),
    callbacks: [
      { ...(onBatchEnd && { onBatchEnd }), ...(onEpochEnd && { onEpochEnd }) } as Callback,
      ...checkCallbacks("fit: callbacks", options.callbacks),
    ],
    ...(signal && { signal }),
    earlyStopping:
      earlyStopping === undefined
        ? undefined
        : checkEarlyStopping(earlyStopping, validation !== undefined || validationSplit > 0),
    receipt: checkReceipt(options.receipt),
  };
}

/** @throws OptionError */
function checkReceipt(receipt: unknown): ReceiptOptions | undefined {
  if (typeof receipt !== "object") return flag("fit: receipt", receipt ?? false) ? {} : undefined;
  checkOptions("fit: receipt", receipt!, ["every"]);
  const { every } = receipt as ReceiptOptions;
  return every === undefined ? {} : { every: positiveInteger("fit: receipt: every", every) };
}

/** @throws OptionError */
function checkCheckpoint(options: CheckpointOptions | undefined): Checkpointing | undefined {
  if (options === undefined) return undefined;
  const where = "fit: checkpoint";
  checkOptions(where, options, ["every", "path", "save", "keep"]);
  const { every, ...places } = options;
  if (every !== undefined) positiveInteger(`${where}: every`, every);
  return { every, writer: checkpointWriter(where, places) };
}

/** @throws OptionError unless `value` is an integer from 0 to `most` */
function numberedUpTo(where: string, value: unknown, most: number): number {
  if (isCount(value) && value <= most) return value;
  throw new OptionError(`${where}: expected an integer from 0 to ${most}, got ${show(value)}`);
}

/** A list of its own of what is held, or the stream. @throws OptionError */
function checkValidation(data: unknown): FitSettings["validationData"] {
  if (data === undefined || (isStream(data) && !Array.isArray(data)))
    return data as FitSettings["validationData"];
  if (Array.isArray(data) && (data.length === 2 || data.length === 3)) {
    return [data[0], data[1], data[2]] as unknown as FitSettings["validationData"];
  }
  throw new OptionError(`fit: validationData: expected [images, labels] or a stream, got ${show(data)}`);
}

/** @throws OptionError for the options of batches, which a stream has of its own */
function refuseForStream({ batchSize, shuffle, sampleWeight, validationSplit }: FitOptions): void {
  for (const [name, value] of Object.entries({ batchSize, shuffle, sampleWeight, validationSplit })) {
    if (value === undefined || value === false || value === 0) continue;
    throw new OptionError(
      `fit: ${name}: expected none for a stream, whose batches are taken as they come (im2row/data makes them), got ${show(value)}`,
    );
  }
}
