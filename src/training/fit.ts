import { abortSignal, type AbortSignalLike } from "../runtime/platform.ts";
import { Pace, runPaced } from "../runtime/yield.ts";
import { OptionError } from "../errors.ts";
import type { Labels } from "../labels.ts";
import { checkOptions, flag, numberIn, positiveInteger, show, type Settled } from "../options.ts";
import { isStream, type LabelledBatch, type Step, type Stream } from "../stream.ts";
import type { InputTensor } from "../tensor.ts";
import type { TrainingBatch } from "./batch.ts";
import { checkEarlyStopping, EarlyStopper, type EarlyStopping, type Weights } from "./earlyStopping.ts";
import type { Evaluation } from "./evaluation.ts";
import {
  CallbackRun,
  checkCallbacks,
  type Callback,
  type CallbackLike,
  type TrainedModel,
} from "./callbacks/callback.ts";
import type { BatchEnd, EpochEnd, History } from "./history.ts";
import type { Interruption } from "../runtime/interruption.ts";
import type { Named } from "../graph/namedTensors.ts";
import type { BatchSource } from "./source.ts";
import type { ClassWeights } from "./weights.ts";
import type { Trainer } from "./trainer.ts";

/** Images and labels that are held, or a stream of such batches; an array is never one of batches. */
export type ValidationData =
  | readonly [images: InputTensor | Named<InputTensor>, labels: Labels | Named<Labels>]
  | readonly [
      images: InputTensor | Named<InputTensor>,
      labels: Labels | Named<Labels>,
      sampleWeight: ArrayLike<number> | undefined,
    ]
  | Exclude<Stream<LabelledBatch>, readonly unknown[]>;

/** The options of `fit` on a stream, whose batches have their own size and order. */
export interface StreamFitOptions<Batches extends number | undefined = undefined> {
  /** Default: 1. */
  epochs?: number | undefined;
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
   * then rejects with the signal's reason and the weights stay as they are.
   */
  signal?: AbortSignalLike | undefined;
  /** Ends training when a figure gets no better, as `EarlyStopping` of Keras. */
  earlyStopping?: EarlyStopping | undefined;
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
] as const;

export interface FitRun {
  readonly trainer: Trainer;
  readonly source: BatchSource;
  /** The rows of an image, of all outputs, that can be right or wrong, or 1 if none can: accuracy is a share of them. */
  readonly rowsPerImage: number;
  readonly settings: FitSettings;
  readonly weights: Weights;
  /** The model, for callbacks. */
  readonly model: TrainedModel;
  readonly interruption: Interruption;
  /** Called with true before a step and with false after it: the model must not be taken away meanwhile. */
  readonly hold: (steps: boolean) => void;
  /** Evaluates the validation data in steps. */
  validate: (() => Generator<Step, Evaluation, unknown>) | undefined;
}

/** The options of `fit` with their defaults, each read once. */
export interface FitSettings extends Pick<
  StreamFitOptions<number | undefined> & FitOptions,
  "validationData" | "signal" | "classWeight" | "sampleWeight"
> {
  /** `onBatchEnd` and `onEpochEnd` of the options come first. */
  readonly callbacks: readonly Callback[];
  readonly epochs: number;
  readonly batchSize: number;
  readonly shuffle: boolean;
  readonly validationSplit: number;
  readonly earlyStopping: Settled<EarlyStopping> | undefined;
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
  return {
    epochs: positiveInteger("fit: epochs", epochs ?? 1),
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
  };
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

/** Trains for some epochs. Rejects with the reason of the interruption when that ends the run. */
export async function runFit(run: FitRun): Promise<History> {
  const { interruption, trainer } = run;
  const { epochs, earlyStopping } = run.settings;
  const callbacks = new CallbackRun(run.settings.callbacks, run.model, interruption);
  const history: History = { loss: [], accuracy: [], validationLoss: [], validationAccuracy: [] };
  const pace = new Pace();
  const stopper = earlyStopping && new EarlyStopper(earlyStopping, run.weights);
  await callbacks.call("onTrainBegin", { epochs, validated: run.validate !== undefined });
  for (let epoch = 1; epoch <= epochs && !callbacks.stopped; epoch++) {
    interruption.check();
    await callbacks.call("onEpochBegin", { epoch });
    if (callbacks.stopped) break;
    const { loss, accuracy } = await runEpoch(run, callbacks, epoch, pace);
    trainer.endEpoch();
    history.loss.push(loss);
    history.accuracy.push(accuracy);
    const state: EpochEnd = { epoch, loss, accuracy };
    const validation = run.validate && (await runPaced(run.validate(), pace, interruption));
    interruption.check();
    if (validation) {
      state.validation = validation;
      history.validationLoss.push((state.validationLoss = validation.loss));
      history.validationAccuracy.push((state.validationAccuracy = validation.accuracy));
    }
    const ended = stopper?.ended(state);
    await callbacks.call("onEpochEnd", state);
    if ((ended || callbacks.stopped) && epoch < epochs) {
      history.stoppedEpoch = epoch;
      break;
    }
  }
  stopper?.finish(history);
  await callbacks.call("onTrainEnd", history);
  return history;
}

/** One step, during which the model must not be taken away. */
function takeStep({ trainer, hold }: FitRun, batch: TrainingBatch): void {
  hold(true);
  try {
    trainer.computeGradients("fit", batch);
    trainer.applyGradients("fit");
  } finally {
    hold(false);
  }
}

/** Trains for an epoch, or for a part of it when a callback ends the run; returns the means over the images that it has seen. */
async function runEpoch(
  run: FitRun,
  callbacks: CallbackRun,
  epoch: number,
  pace: Pace,
): Promise<{ loss: number; accuracy: number }> {
  const { trainer, source, rowsPerImage, interruption } = run;
  const [begins, ends] = [callbacks.hears("onBatchBegin"), callbacks.hears("onBatchEnd")];
  let count = 0;
  let lossSum = 0;
  let correct = 0;
  source.begin(epoch);
  for (let batch = 1; ; batch++) {
    const next = source.next();
    // What is at hand is not awaited: a promise for each batch would be garbage.
    if (!(typeof next === "boolean" ? next : await interruption.wait(next))) break;
    interruption.check();
    if (begins) await callbacks.call("onBatchBegin", { epoch, batch, step: trainer.steps });
    takeStep(run, source.batch);
    const size = source.batch.count;
    count += size;
    lossSum += trainer.loss * size;
    correct += trainer.correct;
    if (ends) {
      const state: BatchEnd<number | undefined> = {
        epoch,
        batch,
        batches: source.batches,
        step: trainer.steps,
        loss: lossSum / count,
        accuracy: correct / (count * rowsPerImage),
        batchLoss: trainer.loss,
        batchAccuracy: trainer.correct / (size * rowsPerImage),
      };
      await callbacks.call("onBatchEnd", state);
    }
    if (callbacks.stopped) break;
    if (pace.due) await pace.rest();
  }
  interruption.check();
  return { loss: lossSum / count, accuracy: correct / (count * rowsPerImage) };
}
