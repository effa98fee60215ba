import { abortSignal, type AbortSignalLike } from "../runtime/platform.ts";
import { Pace, runPaced } from "../runtime/yield.ts";
import { OptionError } from "../errors.ts";
import type { Labels } from "../labels.ts";
import { checkOptions, flag, pairOf, positiveInteger, show, type Settled } from "../options.ts";
import { Random } from "../random.ts";
import type { Tensor } from "../tensor.ts";
import type { TrainingBatch } from "./batch.ts";
import { checkEarlyStopping, EarlyStopper, type EarlyStopping, type Weights } from "./earlyStopping.ts";
import type { Evaluation } from "./evaluation.ts";
import type { EpochEnd, History } from "./history.ts";
import type { Interruption } from "./interruption.ts";
import type { Named } from "../graph/namedTensors.ts";
import type { Targets } from "./targets.ts";
import type { Trainer } from "./trainer.ts";

/** The state after a batch. */
export interface BatchEnd {
  /** Counted from 1. */
  epoch: number;
  batch: number;
  batches: number;
  /** Steps of this model so far. */
  step: number;
  /** Means over the images of this epoch so far. */
  loss: number;
  accuracy: number;
  /** Means over the images of this batch alone, before its step. */
  batchLoss: number;
  batchAccuracy: number;
}

export interface FitOptions {
  /** Default: 1. */
  epochs?: number | undefined;
  /** Default: 32. */
  batchSize?: number | undefined;
  /**
   * Draws a new order for each epoch from the model's seed and the number of epochs since `compile`, so that two calls of
   * one epoch do what one call of two does. Default: true.
   */
  shuffle?: boolean | undefined;
  /** Evaluated after each epoch. */
  validationData?: readonly [images: Tensor | Named<Tensor>, labels: Labels | Named<Labels>] | undefined;
  /** Called after each batch and epoch; a promise that it returns is awaited. */
  onBatchEnd?: ((state: BatchEnd) => unknown) | undefined;
  onEpochEnd?: ((state: EpochEnd) => unknown) | undefined;
  /**
   * An `AbortSignal`. Stops between two batches, or while a callback's promise is waited for; `fit` then rejects with the
   * signal's reason and the weights stay as they are.
   */
  signal?: AbortSignalLike | undefined;
  /** Ends training when a figure gets no better, as `EarlyStopping` of Keras. */
  earlyStopping?: EarlyStopping | undefined;
}

const FIT_KEYS = [
  "epochs",
  "batchSize",
  "shuffle",
  "validationData",
  "onBatchEnd",
  "onEpochEnd",
  "signal",
  "earlyStopping",
] as const;

export interface FitRun {
  readonly trainer: Trainer;
  readonly images: readonly Tensor[];
  readonly targets: readonly Targets[];
  readonly count: number;
  /** The rows of an image, of all outputs, that can be right or wrong, or 1 if none can: accuracy is a share of them. */
  readonly rowsPerImage: number;
  readonly settings: FitSettings;
  readonly weights: Weights;
  readonly interruption: Interruption;
  /** Called with true before a step and with false after it: the model must not be taken away meanwhile. */
  readonly hold: (steps: boolean) => void;
  /** Evaluates the validation data, and yields after each batch. */
  validate: (() => Generator<void, Evaluation>) | undefined;
}

/** The options of `fit` with their defaults, each read once. */
export interface FitSettings extends Pick<
  FitOptions,
  "validationData" | "onBatchEnd" | "onEpochEnd" | "signal"
> {
  readonly epochs: number;
  readonly batchSize: number;
  readonly shuffle: boolean;
  readonly earlyStopping: Settled<EarlyStopping> | undefined;
}

/** Checks the options of `fit` that do not depend on the data. */
export function checkFitOptions(options: FitOptions): FitSettings {
  checkOptions("fit", options, FIT_KEYS);
  const { epochs, batchSize, shuffle, onBatchEnd, onEpochEnd, signal, validationData, earlyStopping } =
    options;
  for (const [name, callback] of Object.entries({ onBatchEnd, onEpochEnd })) {
    if (callback !== undefined && typeof callback !== "function") {
      throw new OptionError(`fit: ${name}: expected a function, got ${typeof callback}`);
    }
  }
  if (signal !== undefined) abortSignal("fit: signal", signal);
  const validation = pairOf(validationData) as FitOptions["validationData"];
  if (validationData !== undefined && !validation) {
    throw new OptionError(`fit: validationData: expected [images, labels], got ${show(validationData)}`);
  }
  return {
    epochs: positiveInteger("fit: epochs", epochs ?? 1),
    batchSize: positiveInteger("fit: batchSize", batchSize ?? 32),
    shuffle: flag("fit: shuffle", shuffle ?? true),
    ...(validation && { validationData: validation }),
    ...(onBatchEnd && { onBatchEnd }),
    ...(onEpochEnd && { onEpochEnd }),
    ...(signal && { signal }),
    earlyStopping:
      earlyStopping === undefined ? undefined : checkEarlyStopping(earlyStopping, validation !== undefined),
  };
}

/** The order of the images in an epoch: a function of the seed and the number of epochs done before alone. */
function drawOrder(order: Uint32Array, { seed, epochs }: Trainer): void {
  for (let i = 0; i < order.length; i++) order[i] = i;
  new Random(seed, epochs).shuffle(order);
}

/** Trains for some epochs. Rejects with the reason of the interruption when that ends the run. */
export async function runFit(run: FitRun): Promise<History> {
  const { count, interruption, trainer } = run;
  const { epochs, batchSize, shuffle, earlyStopping, onEpochEnd } = run.settings;
  const size = Math.min(batchSize, count);
  trainer.reserve(size);
  const order = shuffle ? new Uint32Array(count) : undefined;
  const history: History = { loss: [], accuracy: [], validationLoss: [], validationAccuracy: [] };
  const pace = new Pace();
  const stopper = earlyStopping && new EarlyStopper(earlyStopping, run.weights);
  for (let epoch = 1; epoch <= epochs; epoch++) {
    interruption.check();
    if (order) drawOrder(order, trainer);
    const { loss, accuracy } = await runEpoch(run, epoch, size, order, pace);
    trainer.epochs++;
    history.loss.push(loss);
    history.accuracy.push(accuracy);
    const state: EpochEnd = { epoch, loss, accuracy };
    const validation = run.validate && (await runPaced(run.validate(), pace, () => interruption.check()));
    interruption.check();
    if (validation) {
      state.validation = validation;
      history.validationLoss.push((state.validationLoss = validation.loss));
      history.validationAccuracy.push((state.validationAccuracy = validation.accuracy));
    }
    const ended = stopper?.ended(state);
    await interruption.wait(onEpochEnd?.(state));
    if (ended && epoch < epochs) {
      history.stoppedEpoch = epoch;
      break;
    }
  }
  stopper?.finish(history);
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

async function runEpoch(
  run: FitRun,
  epoch: number,
  batchSize: number,
  order: Uint32Array | undefined,
  pace: Pace,
): Promise<{ loss: number; accuracy: number }> {
  const { trainer, images, targets, count, rowsPerImage, interruption } = run;
  const { onBatchEnd } = run.settings;
  const batches = Math.ceil(count / batchSize);
  const part: TrainingBatch = { images, targets, order, start: 0, count: 0 };
  let lossSum = 0;
  let correct = 0;
  for (let batch = 1; batch <= batches; batch++) {
    interruption.check();
    part.count = Math.min(batchSize, count - part.start);
    takeStep(run, part);
    part.start += part.count;
    lossSum += trainer.loss * part.count;
    correct += trainer.correct;
    if (onBatchEnd) {
      const state: BatchEnd = {
        epoch,
        batch,
        batches,
        step: trainer.steps,
        loss: lossSum / part.start,
        accuracy: correct / (part.start * rowsPerImage),
        batchLoss: trainer.loss,
        batchAccuracy: trainer.correct / (part.count * rowsPerImage),
      };
      await interruption.wait(onBatchEnd(state));
    }
    if (pace.due) await pace.rest();
  }
  interruption.check();
  return { loss: lossSum / count, accuracy: correct / (count * rowsPerImage) };
}
