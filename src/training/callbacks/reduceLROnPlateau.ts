import { OptionError } from "../../errors.ts";
import { checkOptions, numberIn, show } from "../../options.ts";
import type { Callback } from "./callback.ts";
import { readCount, readFigure } from "../states.ts";
import { Monitor, type MonitorOptions } from "./figures.ts";

export interface ReduceLROnPlateauOptions extends MonitorOptions {
  /** The factor of the learning rate, below 1. Default: 0.1. */
  factor?: number | undefined;
  /** The rate falls after so many epochs in a row that are no better than the best. Default: 10. */
  patience?: number | undefined;
  /** A figure is better when it differs from the best one by more than this. Default: 0.0001. */
  minDelta?: number | undefined;
  /** The epochs after a fall that are not counted. Default: 0. */
  cooldown?: number | undefined;
  /** The learning rate falls no lower. Default: 0. */
  minLearningRate?: number | undefined;
}

function epochs(where: string, value: number): number {
  if (Number.isInteger(value) && value >= 0) return value;
  throw new OptionError(`${where}: expected an integer ≥ 0, got ${show(value)}`);
}

/**
 * Multiplies the learning rate by `factor` when a figure gets no better, as `ReduceLROnPlateau` of Keras. It begins anew with each
 * `fit`, which refuses it beside a schedule. @throws OptionError
 */
export function reduceLROnPlateau(options: ReduceLROnPlateauOptions = {}): Callback {
  const where = "reduceLROnPlateau";
  const own = ["factor", "patience", "minDelta", "cooldown", "minLearningRate"] as const;
  checkOptions(where, options, ["monitor", "mode", ...own]);
  const monitor = new Monitor(where, options);
  const factor = numberIn(`${where}: factor`, options.factor ?? 0.1, 0, 1);
  const patience = epochs(`${where}: patience`, options.patience ?? 10);
  const minDelta = numberIn(`${where}: minDelta`, options.minDelta ?? 1e-4, 0);
  const cooldown = epochs(`${where}: cooldown`, options.cooldown ?? 0);
  const least = numberIn(`${where}: minLearningRate`, options.minLearningRate ?? 0, 0);
  let best: number;
  let waited: number;
  let cooling: number;
  return {
    onTrainBegin(state, model) {
      monitor.begin(state);
      best = -Infinity;
      waited = cooling = 0;
      // A schedule cannot be replaced: this says so at once.
      model.learningRate = Number(model.learningRate);
    },
    state: () => ({ best, waited, cooling }),
    restore(state: object) {
      checkOptions(`${where}: state`, state, ["best", "waited", "cooling"]);
      const before = state as Record<string, unknown>;
      best = readFigure(`${where}: state: best`, before["best"]);
      waited = readCount(`${where}: state: waited`, before["waited"]);
      cooling = readCount(`${where}: state: cooling`, before["cooling"]);
    },
    onEpochEnd(state, model) {
      const figure = monitor.read(state);
      if (cooling > 0) {
        cooling--;
        waited = 0;
      }
      if (figure - best > minDelta) {
        best = figure;
        waited = 0;
      } else if (cooling === 0 && ++waited >= patience && model.learningRate > least) {
        model.learningRate = Math.max(model.learningRate * factor, least);
        cooling = cooldown;
        waited = 0;
      }
    },
  };
}
