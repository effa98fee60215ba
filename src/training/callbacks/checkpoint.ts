import { checkOptions, flag } from "../../options.ts";
import { checkpointWriter, type CheckpointPlaces } from "../checkpoints.ts";
import { readFigure } from "../states.ts";
import type { Callback } from "./callback.ts";
import { Monitor, type MonitorOptions } from "./figures.ts";

export interface CheckpointCallbackOptions extends CheckpointPlaces, MonitorOptions {
  /** Whether a checkpoint is written only after epochs whose figure is better than all before. Default: false. */
  saveBestOnly?: boolean | undefined;
}

/**
 * Writes a checkpoint after each epoch, or after those whose figure is the best so far, as `ModelCheckpoint` of Keras. The run can
 * go on from each, behind the epoch. The option `checkpoint` of `fit` writes more often, and when the run is aborted.
 * @throws OptionError
 */
export function checkpoint(options: CheckpointCallbackOptions): Callback {
  const where = "checkpoint";
  checkOptions(where, options, ["path", "save", "keep", "monitor", "mode", "saveBestOnly"]);
  const { monitor: name, mode, saveBestOnly = false, ...places } = options;
  const monitor = new Monitor(where, { monitor: name, mode });
  const bestOnly = flag(`${where}: saveBestOnly`, saveBestOnly);
  const writer = checkpointWriter(where, places);
  let best: number;
  return {
    onTrainBegin(state, model) {
      if (bestOnly) monitor.begin(state);
      best = -Infinity;
      writer.begin(model.steps, state.resumed);
    },
    state: () => ({ best }),
    restore(state: object) {
      checkOptions(`${where}: state`, state, ["best"]);
      best = readFigure(`${where}: state: best`, (state as Record<string, unknown>)["best"]);
    },
    async onEpochEnd(state, model) {
      const figure = bestOnly ? monitor.read(state) : Infinity;
      if (!(figure > best)) return;
      if (bestOnly) best = figure;
      await writer.write(model.toCheckpoint(), { epoch: state.epoch, step: model.steps });
    },
  };
}
