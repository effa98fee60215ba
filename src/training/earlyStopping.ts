import { OptionError } from "../errors.ts";
import { checkOptions, flag, numberIn, oneOf, show, type Settled } from "../options.ts";
import type { Tensor } from "../tensor.ts";
import type { EpochEnd, History } from "./history.ts";
import { readCount, readFigure, readWeightsLike } from "./states.ts";

const MONITORS = ["validationLoss", "loss", "validationAccuracy", "accuracy"] as const;

export interface EarlyStopping {
  /** The figure that is to get better: a loss smaller, an accuracy larger. Default: `"validationLoss"`. */
  monitor?: (typeof MONITORS)[number] | undefined;
  /** Training stops after so many epochs in a row that are no better than the best; after one for 0, the default. */
  patience?: number | undefined;
  /** A figure is better when it differs from the best one by more than this. Default: 0. */
  minDelta?: number | undefined;
  /**
   * Whether the model ends with the weights of its best epoch, stopped early or not. A `fit` that rejects keeps those of
   * its last step. Default: false.
   */
  restoreBestWeights?: boolean | undefined;
}

const KEYS = ["monitor", "patience", "minDelta", "restoreBestWeights"] as const;

/** @throws OptionError; also when there is nothing to monitor */
export function checkEarlyStopping(options: EarlyStopping, validated: boolean): Settled<EarlyStopping> {
  const where = "fit: earlyStopping";
  checkOptions(where, options, KEYS);
  const monitor = oneOf(`${where}: monitor`, options.monitor ?? "validationLoss", MONITORS);
  if (monitor.startsWith("validation") && !validated) {
    throw new OptionError(`${where}: monitor: expected validationData for "${monitor}", got none`);
  }
  return { monitor, ...stoppingSettings(where, options) };
}

/** What does not depend on the figure. @throws OptionError */
export function stoppingSettings(
  where: string,
  options: Omit<EarlyStopping, "monitor">,
): Omit<Settled<EarlyStopping>, "monitor"> {
  const { patience = 0 } = options;
  if (!(Number.isInteger(patience) && patience >= 0)) {
    throw new OptionError(`${where}: patience: expected an integer ≥ 0, got ${show(patience)}`);
  }
  return {
    patience,
    minDelta: numberIn(`${where}: minDelta`, options.minDelta ?? 0, 0),
    restoreBestWeights: flag(`${where}: restoreBestWeights`, options.restoreBestWeights ?? false),
  };
}

/** The weights of the model that trains. */
export interface Weights {
  read(): ReadonlyMap<string, Tensor>;
  write(where: string, weights: ReadonlyMap<string, Tensor>): void;
}

/** The figure is that of `monitor`, or one that a callback reads. */
type StopperSettings = Omit<Settled<EarlyStopping>, "monitor"> & Pick<EarlyStopping, "monitor">;

/** What it knows of the epochs so far. */
interface StopperState {
  readonly best: number;
  readonly bestEpoch: number;
  readonly bestWeights?: ReadonlyMap<string, Tensor> | undefined;
}

/** Watches the epochs of one `fit`. */
export class EarlyStopper {
  readonly #settings: StopperSettings;
  readonly #weights: Weights;
  /** The best figure, negated if smaller is better. */
  #best = -Infinity;
  /** The best epoch, or as long as there is none the one before the first. */
  #bestEpoch: number;
  readonly #initialEpoch: number;
  #bestWeights: ReadonlyMap<string, Tensor> | undefined;

  constructor(settings: StopperSettings, weights: Weights, initialEpoch = 0) {
    this.#settings = settings;
    this.#weights = weights;
    this.#initialEpoch = this.#bestEpoch = initialEpoch;
  }

  /** What `restore` takes. */
  state(): StopperState {
    const [best, bestEpoch, bestWeights] = [this.#best, this.#bestEpoch, this.#bestWeights];
    return { best, bestEpoch, ...(bestWeights && { bestWeights }) };
  }

  /** @throws OptionError, ShapeError for what `state` did not return of such settings and weights */
  restore(where: string, state: StopperState): void {
    checkOptions(where, state, ["best", "bestEpoch", "bestWeights"]);
    const { best, bestEpoch, bestWeights } = state;
    this.#best = readFigure(`${where}: best`, best);
    this.#bestEpoch = readCount(`${where}: bestEpoch`, bestEpoch);
    this.#bestWeights = undefined;
    if (this.#settings.restoreBestWeights && this.#bestEpoch > this.#initialEpoch) {
      this.#bestWeights = readWeightsLike(`${where}: bestWeights`, bestWeights, this.#weights.read());
    } else if (bestWeights !== undefined) {
      throw new OptionError(`${where}: bestWeights: expected none, got ${show(bestWeights)}`);
    }
  }

  /** Takes in an epoch; returns whether it is to be the last. */
  ended(state: EpochEnd): boolean {
    const { monitor = "validationLoss" } = this.#settings;
    const figure = state[monitor]!;
    return this.take(state.epoch, monitor.endsWith("oss") ? -figure : figure);
  }

  /** Takes in the figure of an epoch, negated if smaller is better; returns whether it is to be the last. */
  take(epoch: number, figure: number): boolean {
    const { patience, minDelta, restoreBestWeights } = this.#settings;
    if (figure - this.#best > minDelta) {
      this.#best = figure;
      this.#bestEpoch = epoch;
      if (restoreBestWeights) this.#bestWeights = this.#weights.read();
      return false;
    }
    return epoch - this.#bestEpoch >= patience;
  }

  /** Ends the run: writes the best epoch to the history, and its weights to the model if they are to be restored. */
  finish(history: History): void {
    if (this.#bestEpoch > this.#initialEpoch) history.bestEpoch = this.#bestEpoch;
    if (this.#bestWeights) this.#weights.write("fit", this.#bestWeights);
  }
}
