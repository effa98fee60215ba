import { OptionError } from "../../errors.ts";
import { checkOptions, numberIn, positiveInteger, show } from "../../options.ts";
import { pow } from "../../math.ts";
import type { Tensor } from "../../tensor.ts";
import { readFigure, readFigures, readWeightsLike } from "../states.ts";
import type { TrainingState } from "../trainer.ts";
import type { Callback } from "./callback.ts";

export interface LearningRateFinderOptions {
  /** The rate of the first batch. Default: 1e-7. */
  from?: number | undefined;
  /** The rate of the last. Default: 10. */
  to?: number | undefined;
  /** The number of batches. Default: 100. */
  steps?: number | undefined;
  /** The share of the average of losses that stays with each batch. Default: 0.9. */
  smoothing?: number | undefined;
}

/** What a learning rate finder has found. */
export interface LearningRateFinder extends Callback {
  /** The rate of each batch, and the average of the losses before its step. */
  readonly rates: readonly number[];
  readonly losses: readonly number[];
  /** The rate at which the average falls fastest; undefined as long as there are fewer than three. */
  readonly suggestion: number | undefined;
}

/** The run ends when the average is so many times the least. */
const DIVERGED = 4;

/**
 * Raises the learning rate from batch to batch in equal ratios and records the losses (Smith 2017), to choose a rate by. It ends
 * the run after `steps` batches, or when the average of losses is four times the least, and puts the weights and the state of
 * training back, as if the model had not been trained. @throws OptionError
 */
export function learningRateFinder(options: LearningRateFinderOptions = {}): LearningRateFinder {
  const where = "learningRateFinder";
  checkOptions(where, options, ["from", "to", "steps", "smoothing"]);
  const from = numberIn(`${where}: from`, options.from ?? 1e-7, Number.MIN_VALUE);
  const to = numberIn(`${where}: to`, options.to ?? 10, 0);
  if (to <= from) throw new OptionError(`${where}: to: expected a number above ${from}, got ${show(to)}`);
  const steps = positiveInteger(`${where}: steps`, options.steps ?? 100);
  const smoothing = numberIn(`${where}: smoothing`, options.smoothing ?? 0.9, 0, 1);
  const [rates, losses]: [number[], number[]] = [[], []];
  let before: { weights: ReadonlyMap<string, Tensor>; training: TrainingState };
  let average = 0;
  let kept = 1;
  let least = Infinity;
  return {
    rates,
    losses,
    get suggestion() {
      const falls = losses.slice(2).map((loss, i) => losses[i]! - loss);
      return falls.length > 0 ? rates[falls.indexOf(Math.max(...falls)) + 1] : undefined;
    },
    onTrainBegin(_, model) {
      rates.length = losses.length = average = 0;
      kept = 1;
      least = Infinity;
      before = { weights: model.weights, training: model.trainingState };
      model.learningRate = from;
    },
    state: () => ({ rates: [...rates], losses: [...losses], average, kept, least, before }),
    restore(state: object, model) {
      const place = `${where}: state`;
      checkOptions(place, state, ["rates", "losses", "average", "kept", "least", "before"]);
      const own = state as Record<string, unknown>;
      rates.splice(0, Infinity, ...readFigures(`${place}: rates`, own["rates"]));
      losses.splice(0, Infinity, ...readFigures(`${place}: losses`, own["losses"]));
      [average, kept, least] = (["average", "kept", "least"] as const).map((name) =>
        readFigure(`${place}: ${name}`, own[name]),
      ) as [number, number, number];
      const earlier = own["before"] as Partial<typeof before> | undefined;
      const weights = readWeightsLike(`${place}: before: weights`, earlier?.weights, model.weights);
      before = { weights, training: earlier!.training! };
    },
    onBatchBegin(_, model) {
      model.learningRate = from * pow(to / from, rates.length / Math.max(steps - 1, 1));
    },
    onBatchEnd({ batchLoss }, { learningRate }) {
      average = smoothing * average + (1 - smoothing) * batchLoss;
      kept *= smoothing;
      rates.push(learningRate);
      // An average that began at zero is divided by the share of what it holds.
      const loss = average / (1 - kept);
      losses.push(loss);
      least = Math.min(least, loss);
      return rates.length === steps || loss > DIVERGED * least ? "stop" : undefined;
    },
    onTrainEnd(_, model) {
      model.setWeights(before.weights);
      model.setTrainingState(before.training);
    },
  };
}
