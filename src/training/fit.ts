/** The course of `fit`: epochs of steps, and what is called between them. */
import { Pace, runPaced } from "../runtime/yield.ts";
import type { Interruption } from "../runtime/interruption.ts";
import type { Step } from "../stream.ts";
import type { TrainingBatch } from "./batch.ts";
import { figureNames } from "./callbacks/figures.ts";
import type { LossOutput } from "./objective.ts";
import { CallbackRun, type TrainBegin, type TrainedModel } from "./callbacks/callback.ts";
import { EarlyStopper, type Weights } from "./earlyStopping.ts";
import type { Evaluation } from "./evaluation.ts";
import type { FitSettings } from "./fitOptions.ts";
import { copyHistory, type BatchEnd, type EpochEnd, type History } from "./history.ts";
import { expectSame, type Phase, type Place, type RunOptions } from "./place.ts";
import { skipBatches, type BatchSource } from "./source.ts";
import type { Trainer } from "./trainer.ts";

export interface FitRun {
  readonly trainer: Trainer;
  readonly source: BatchSource;
  readonly outputs: readonly LossOutput[];
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
  /** Called once before the first step of this call, with what `state` returned if the run goes on from a checkpoint. */
  begin?(resumed: unknown): void | PromiseLike<void>;
  /** Called after each batch that was trained on, before callbacks hear of it. The state of the run may be read. */
  step(batch: TrainingBatch): void | PromiseLike<void>;
  /** Called after the last batch and epoch, before the weights of an earlier epoch are put back. */
  trained?(): void | PromiseLike<void>;
  /** Called after `onTrainEnd`, unless `fit` rejects. */
  end?(history: History): void | PromiseLike<void>;
  /** What it needs to go on, as the state of a callback. */
  state?(): unknown;
}

/** One call of `fit`. Between two of its steps it can be left, for another one to go on from its place. */
export class FitCourse {
  readonly #run: FitRun;
  readonly #options: RunOptions;
  readonly #callbacks: CallbackRun;
  readonly #stopper: EarlyStopper | undefined;
  readonly #pace = new Pace();
  readonly #history: History;
  /** The place from which it goes on. */
  readonly #from: Place | undefined;
  #phase: Phase;
  #epoch: number;
  #batch: number;
  #count: number;
  #lossSum: number;
  #correct: number;
  /** The place of the last checkpoint, or the one where this call begins, and its step. */
  #saved: string;
  #savedStep: number;
  /** True while there is no place: callbacks take up their states, or the observer takes in a step. */
  #between = false;

  /** @throws OptionError for options that are not those of the run that `from` is a place of */
  constructor(run: FitRun, from?: Place) {
    const { settings, source, weights, interruption } = run;
    const { epochs, initialEpoch, earlyStopping } = settings;
    this.#run = run;
    this.#options = {
      epochs,
      initialEpoch,
      ...source.options,
      validationData: run.validate !== undefined,
      ...(earlyStopping && { earlyStopping }),
      // The first one is made of `onBatchEnd` and `onEpochEnd`.
      callbacks: settings.callbacks.length - 1,
    };
    this.#callbacks = new CallbackRun(settings.callbacks, run.model, interruption);
    if (from) {
      expectSame(this.#options, from.options);
      this.#callbacks.expectOf(from);
    }
    this.#stopper = earlyStopping && new EarlyStopper(earlyStopping, weights, initialEpoch);
    this.#from = from;
    this.#history = copyHistory(from?.history);
    this.#phase = from?.phase ?? "trainBegin";
    this.#epoch = from?.epoch ?? initialEpoch + 1;
    this.#batch = from?.batch ?? 0;
    this.#count = from?.count ?? 0;
    this.#lossSum = from?.lossSum ?? 0;
    this.#correct = from?.correct ?? 0;
    this.#saved = this.#mark();
    this.#savedStep = run.trainer.steps;
  }

  /** Where it is: all but the weights and the state of the trainer. @throws Error when a step or the start is half done */
  place(): Place {
    if (this.#between) throw new Error("toCheckpoint: expected a model at rest, got one in training");
    const { trainer, observer } = this.#run;
    const event = this.#callbacks.pending();
    const [earlyStopping, observed] = [this.#stopper?.state(), observer?.state?.()];
    return {
      phase: this.#phase,
      epoch: this.#epoch,
      batch: this.#batch,
      step: trainer.steps,
      count: this.#count,
      lossSum: this.#lossSum,
      correct: this.#correct,
      stopped: this.#callbacks.stopped,
      history: copyHistory(this.#history),
      options: this.#options,
      ...(event && { event }),
      callbacks: this.#callbacks.states(),
      ...(earlyStopping && { earlyStopping }),
      ...(observed !== undefined && { observer: observed }),
    };
  }

  /** Trains to the end. Rejects with the reason of the interruption when that ends the run, after a last checkpoint. */
  async run(): Promise<History> {
    try {
      return await this.#finish();
    } catch (error) {
      if (this.#run.interruption.aborted && this.#saved !== this.#mark()) await this.#save(this.#epoch);
      throw error;
    }
  }

  async #finish(): Promise<History> {
    const { interruption, observer } = this.#run;
    interruption.check();
    await this.#begin();
    while (this.#phase !== "finish" && this.#phase !== "trainEnd") await this.#runEpoch();
    if (this.#phase === "finish") {
      const trained = observer?.trained?.();
      if (trained) await this.#observed(trained);
      this.#stopper?.finish(this.#history);
      this.#enter("trainEnd");
    }
    await this.#callbacks.call("onTrainEnd", this.#history);
    const ended = observer?.end?.(this.#history);
    if (ended) await interruption.wait(ended);
    return this.#history;
  }

  /** Names the place, among all those of one run. */
  #mark(): string {
    const { next } = this.#callbacks.pending() ?? { next: "" };
    return [this.#phase, this.#epoch, this.#batch, next].join();
  }

  /** Writes a checkpoint, if any are asked for, and waits for it to the end, whatever interrupts the run. */
  async #save(epoch: number): Promise<void> {
    const { settings, model, trainer } = this.#run;
    const { checkpoint } = settings;
    if (!checkpoint || this.#between) return;
    const step = trainer.steps;
    await checkpoint.writer.write(model.toCheckpoint(), { epoch, step });
    this.#saved = this.#mark();
    this.#savedStep = step;
  }

  /** Comes to what is next, which no event has begun of. */
  #enter(phase: Phase): void {
    this.#phase = phase;
    this.#callbacks.over();
  }

  async #begin(): Promise<void> {
    const { observer, interruption, settings, trainer } = this.#run;
    const { epochs, initialEpoch, validationData: validated } = this.#options;
    const from = this.#from;
    settings.checkpoint?.writer.begin(trainer.steps, from !== undefined);
    const figures = figureNames(this.#run.outputs, validated);
    const begin = { epochs, initialEpoch, validated, figures, resumed: from !== undefined };
    this.#between = true;
    if (from) await this.#resume(begin, from);
    const begun = observer?.begin?.(from?.observer);
    if (begun) await interruption.wait(begun);
    this.#between = false;
    if (this.#phase !== "trainBegin") return;
    await this.#callbacks.call("onTrainBegin", begin);
    this.#enter(initialEpoch === epochs || this.#callbacks.stopped ? "finish" : "epoch");
  }

  async #resume(begin: TrainBegin, from: Place): Promise<void> {
    const { weights, trainer } = this.#run;
    if (this.#stopper)
      this.#stopper.restore("fit: the checkpoint: earlyStopping", from.earlyStopping as never);
    const [read, state] = [weights.read(), trainer.state()];
    await this.#callbacks.resume(begin, from, () => {
      weights.write("fit", read);
      trainer.restore(state);
    });
  }

  /** Does what is left of an epoch. */
  async #runEpoch(): Promise<void> {
    const { trainer, rowsPerImage, interruption, validate } = this.#run;
    const [callbacks, history, epoch] = [this.#callbacks, this.#history, this.#epoch];
    interruption.check();
    if (this.#phase === "epoch") {
      await callbacks.call("onEpochBegin", { epoch });
      this.#enter(callbacks.stopped ? "finish" : "batches");
      if (callbacks.stopped) return;
    }
    if (this.#phase === "batches") {
      await this.#runBatches();
      trainer.endEpoch();
      history.loss.push(this.#lossSum / this.#count);
      history.accuracy.push(this.#correct / (this.#count * rowsPerImage));
      this.#enter("validation");
    }
    let state: EpochEnd | undefined;
    if (this.#phase === "validation") {
      const validation = validate && (await runPaced(validate(), this.#pace, interruption));
      interruption.check();
      state = this.#endOfEpoch(validation);
      if (this.#stopper?.ended(state)) callbacks.stopped = true;
      this.#enter("epochEnd");
    }
    // An epoch that was interrupted at its end has its state with the event.
    await callbacks.call("onEpochEnd", state!);
    this.#leaveEpoch();
    const { checkpoint } = this.#run.settings;
    if (checkpoint && (!checkpoint.every || this.#phase === "finish")) await this.#save(epoch);
  }

  /** Whether a checkpoint follows a step. */
  #isDue(step: number): boolean {
    const { checkpoint } = this.#run.settings;
    return !!checkpoint?.every && step % checkpoint.every === 0 && step !== this.#savedStep;
  }

  /** The state after an epoch; its figures go to the history. */
  #endOfEpoch(validation: Evaluation | undefined): EpochEnd {
    const history = this.#history;
    const state: EpochEnd = {
      epoch: this.#epoch,
      loss: history.loss.at(-1)!,
      accuracy: history.accuracy.at(-1)!,
    };
    if (!validation) return state;
    history.validationLoss.push(validation.loss);
    history.validationAccuracy.push(validation.accuracy);
    const { loss: validationLoss, accuracy: validationAccuracy } = validation;
    return { ...state, validation, validationLoss, validationAccuracy };
  }

  /** Goes on to the next epoch, or to the end of the run. */
  #leaveEpoch(): void {
    const { stopped } = this.#callbacks;
    if (stopped && this.#epoch < this.#options.epochs) this.#history.stoppedEpoch = this.#epoch;
    if (stopped || this.#epoch === this.#options.epochs) return this.#enter("finish");
    this.#epoch++;
    this.#batch = this.#count = this.#lossSum = this.#correct = 0;
    this.#enter("epoch");
  }

  /** Trains for what is left of an epoch's batches, or for a part of it when a callback ends the run. */
  async #runBatches(): Promise<void> {
    const { source, interruption, trainer } = this.#run;
    const [callbacks, pace, epoch] = [this.#callbacks, this.#pace, this.#epoch];
    const [begins, ends] = [callbacks.hears("onBatchBegin"), callbacks.hears("onBatchEnd")];
    await callbacks.finish("onBatchEnd");
    if (callbacks.stopped && !callbacks.pends("onBatchBegin")) return;
    callbacks.over();
    const skipped = source.begin(epoch, this.#batch, this.#count);
    if (skipped > 0) await skipBatches(`fit: epoch ${epoch}`, source, skipped, pace, interruption);
    for (;;) {
      const next = source.next();
      // What is at hand is not awaited: a promise for each batch would be garbage.
      if (!(typeof next === "boolean" ? next : await interruption.wait(next))) break;
      interruption.check();
      const batch = this.#batch + 1;
      if (begins) await callbacks.call("onBatchBegin", { epoch, batch, step: trainer.steps });
      const observed = this.#step();
      if (observed) await this.#observed(observed);
      if (ends) await callbacks.call("onBatchEnd", this.#endOfBatch());
      callbacks.over();
      if (this.#isDue(trainer.steps)) await this.#save(epoch);
      if (callbacks.stopped) break;
      if (pace.due) await pace.rest();
    }
    interruption.check();
  }

  /** One step, during which the model must not be taken away. Returns what the observer has still to do. */
  #step(): void | PromiseLike<void> {
    const { trainer, hold, source, observer } = this.#run;
    const { batch } = source;
    hold(true);
    try {
      trainer.computeGradients("fit", batch);
      trainer.applyGradients("fit");
    } finally {
      hold(false);
    }
    this.#callbacks.over();
    this.#batch++;
    this.#count += batch.count;
    this.#lossSum += trainer.loss * batch.count;
    this.#correct += trainer.correct;
    return observer?.step(batch);
  }

  /** Waits for the observer to the end, whatever interrupts the run: there is no place within a step. */
  async #observed(step: PromiseLike<void>): Promise<void> {
    this.#between = true;
    await step;
    this.#between = false;
  }

  #endOfBatch(): BatchEnd<number | undefined> {
    const { trainer, source, rowsPerImage } = this.#run;
    const { count } = source.batch;
    return {
      epoch: this.#epoch,
      batch: this.#batch,
      batches: source.batches,
      step: trainer.steps,
      loss: this.#lossSum / this.#count,
      accuracy: this.#correct / (this.#count * rowsPerImage),
      batchLoss: trainer.loss,
      batchAccuracy: trainer.correct / (count * rowsPerImage),
    };
  }
}
