/** The one place where the command line calls `model.fit`: for digits, pictures and features alike. */
import {
  optimizers,
  schedules,
  type BatchEnd,
  type Callback,
  type EpochEnd,
  type History,
  type Model,
  type Optimizer,
} from "../../index.ts";
import { CurveRecorder, type RecordedCurves, type TrainingCurves } from "./curves.ts";
import { createProgress, imageRate, noProgress, type Progress } from "../progress.ts";
import { duration, percent } from "../report.ts";
import { initialRate, MOMENTUM, type TrainSettings } from "./options.ts";
import { isHeld, type TrainTask } from "./task.ts";

/** The chosen optimizer with a rate that falls linearly to 0 over `steps`. */
export function makeOptimizer(settings: TrainSettings, steps: number): Optimizer {
  const initial = initialRate(settings);
  const learningRate = schedules.polynomialDecay({
    learningRate: initial,
    decaySteps: steps,
    endLearningRate: 0,
  });
  if (settings.optimizer === "sgd") return optimizers.sgd({ learningRate, momentum: MOMENTUM });
  return optimizers[settings.optimizer]({ learningRate });
}

/** The steps of a run. */
export function stepsOf({ epochs, batchSize }: TrainSettings, count: number): number {
  return epochs * Math.ceil(count / batchSize);
}

/** What a model trains on, and what it is judged by after each epoch. */
export interface FittedData {
  readonly training: Pick<TrainTask["training"], "data" | "count">;
  readonly heldOut: Pick<TrainTask["heldOut"], "data">;
  /** Whether epochs are so short that files and pipes get no lines within them. */
  readonly isBrief?: boolean;
}

/** What training leaves besides the weights. */
export interface Fitted {
  readonly curves: TrainingCurves;
  readonly history: History;
  readonly seconds: number;
}

/** Makes progress on stdout and curves of what `fit` tells after each batch and epoch. */
class Reporter implements Callback {
  readonly recorder: CurveRecorder;
  readonly #settings: TrainSettings;
  readonly #count: number;
  readonly #isBrief: boolean;
  readonly #progress: Progress;
  readonly #started = performance.now();
  /** When the epoch began, and when its last batch so far was done. */
  #began = this.#started;
  #trained = this.#started;
  /** Images of the epoch that this process trained on: a run that goes on has not seen all of them. */
  #seen = 0;

  constructor(settings: TrainSettings, { training: { count }, isBrief = false }: FittedData) {
    const { epochs, batchSize, quiet } = settings;
    this.#settings = settings;
    this.#count = count;
    this.#isBrief = isBrief;
    this.recorder = new CurveRecorder(epochs, count, batchSize);
    this.#progress = quiet ? noProgress : createProgress(epochs, process.stdout, isBrief);
  }

  get seconds(): number {
    return (performance.now() - this.#started) / 1000;
  }

  onBatchEnd({ epoch, batch, loss, accuracy }: BatchEnd<number | undefined>): void {
    const { batchSize } = this.#settings;
    this.#trained = performance.now();
    this.#seen += Math.min(batchSize, this.#count - (batch - 1) * batchSize);
    const rate = imageRate(this.#seen, this.#trained - this.#began);
    // A stream does not tell how many batches it has.
    const state = { epoch, batch, batches: Math.ceil(this.#count / batchSize), loss, accuracy, rate };
    this.recorder.batch(state);
    this.#progress.batch(state);
  }

  onEpochEnd({ epoch, loss, accuracy, validation }: EpochEnd): void {
    const { loss: heldOutLoss, accuracy: heldOutAccuracy } = validation!;
    this.recorder.epoch({ epochs: epoch, loss, accuracy, heldOutLoss, heldOutAccuracy });
    const [began, now] = [this.#began, performance.now()];
    this.#began = now;
    const figures = [
      `epoch ${epoch}/${this.#settings.epochs}`,
      `loss ${loss.toFixed(4)}`,
      `accuracy ${percent(accuracy).padStart(8)}`,
      `held out ${percent(heldOutAccuracy).padStart(8)}`,
      duration((now - began) / 1000),
      // What is trained on features takes no time to speak of.
      ...(this.#isBrief ? [] : [imageRate(this.#seen, this.#trained - began)]),
    ];
    this.#seen = 0;
    this.#progress.line(figures.join("  "));
  }

  /** What a checkpoint keeps: the curves so far. */
  state(): RecordedCurves {
    return this.recorder.state;
  }

  restore(state: RecordedCurves): void {
    this.recorder.restore(state);
  }

  stop(): void {
    this.#progress.stop();
  }
}

/** Trains a compiled model with a bar or lines on stdout; the bar is gone however training ends. */
export async function fitModel(
  model: Model,
  data: FittedData,
  settings: TrainSettings,
  signal: AbortSignal,
): Promise<Fitted> {
  const { epochs, batchSize, checkpoint, checkpointEvery, receipt, receiptEvery } = settings;
  const reporter = new Reporter(settings, data);
  const options = {
    epochs,
    validationData: data.heldOut.data,
    signal,
    callbacks: [reporter],
    receipt: receipt !== undefined && (receiptEvery === undefined || { every: receiptEvery }),
    ...(checkpoint !== undefined && { checkpoint: { path: checkpoint, every: checkpointEvery } }),
  };
  const { data: train } = data.training;
  try {
    const history = isHeld(train)
      ? await model.fit(train[0], train[1], { ...options, batchSize })
      : await model.fit(train, options);
    return { curves: reporter.recorder.curves, history, seconds: reporter.seconds };
  } finally {
    reporter.stop();
  }
}
