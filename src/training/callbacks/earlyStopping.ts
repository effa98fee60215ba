import { checkOptions } from "../../options.ts";
import type { Tensor } from "../../tensor.ts";
import { EarlyStopper, stoppingSettings, type EarlyStopping } from "../earlyStopping.ts";
import type { Callback } from "./callback.ts";
import { Monitor, type MonitorOptions } from "./figures.ts";

/** The options of `fit`'s `earlyStopping`, of any figure. */
export interface EarlyStoppingOptions extends Omit<EarlyStopping, "monitor">, MonitorOptions {}

/**
 * Ends training when a figure gets no better, as `EarlyStopping` of Keras, and as the option `earlyStopping` of `fit`. It begins
 * anew with each `fit`. @throws OptionError
 */
export function earlyStopping(options: EarlyStoppingOptions = {}): Callback {
  const where = "earlyStopping";
  checkOptions(where, options, ["monitor", "mode", "patience", "minDelta", "restoreBestWeights"]);
  const monitor = new Monitor(where, options);
  const settings = stoppingSettings(where, options);
  let stopper: EarlyStopper;
  return {
    onTrainBegin(state, model) {
      monitor.begin(state);
      const weights = {
        read: () => model.weights,
        write: (_: string, best: ReadonlyMap<string, Tensor>) => model.setWeights(best),
      };
      stopper = new EarlyStopper(settings, weights, state.initialEpoch);
    },
    state: () => stopper.state(),
    restore: (state) => stopper.restore(`${where}: state`, state),
    onEpochEnd(state) {
      return stopper.take(state.epoch, monitor.read(state)) ? "stop" : undefined;
    },
    onTrainEnd(history) {
      stopper.finish(history);
    },
  };
}
