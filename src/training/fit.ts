/** The course of `fit`: epochs of steps, and what is called between them. */
import { Pace, runPaced } from "../runtime/yield.ts";
import type { Interruption } from "../runtime/interruption.ts";
import type { Step } from "../stream.ts";
import type { TrainingBatch } from "./batch.ts";
import { CallbackRun, type TrainedModel } from "./callbacks/callback.ts";
import { EarlyStopper, type Weights } from "./earlyStopping.ts";
import type { Evaluation } from "./evaluation.ts";
import type { FitSettings } from "./fitOptions.ts";
import type { BatchEnd, EpochEnd, History } from "./history.ts";
import type { BatchSource } from "./source.ts";
import type { Trainer } from "./trainer.ts";

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
  readonly observer?: FitObserver | undefined;
  /** Evaluates the validation data in steps. */
  validate: (() => Generator<Step, Evaluation, unknown>) | undefined;
}

/** Keeps account of a run for another part of the package. A promise that a function returns is awaited. */
export interface FitObserver {
  /** Called once before the first step of this call. */
  begin?(): void | PromiseLike<void>;
  /** Called after each batch that was trained on, before callbacks hear of it. The state of the run may be read. */
  step(batch: TrainingBatch): void | PromiseLike<void>;
  /** Called after `onTrainEnd`, unless `fit` rejects. */
  end?(history: History): void | PromiseLike<void>;
}

/** Trains for some epochs. Rejects with the reason of the interruption when that ends the run. */
export async function runFit(run: FitRun): Promise<History> {
  const { interruption, trainer } = run;
  const { epochs, earlyStopping } = run.settings;
  const callbacks = new CallbackRun(run.settings.callbacks, run.model, interruption);
  const history: History = { loss: [], accuracy: [], validationLoss: [], validationAccuracy: [] };
  const pace = new Pace();
  const begun = run.observer?.begin?.();
  if (begun) await interruption.wait(begun);
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
  const ended = run.observer?.end?.(history);
  if (ended) await interruption.wait(ended);
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
    const observed = run.observer?.step(source.batch);
    if (observed) await interruption.wait(observed);
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
