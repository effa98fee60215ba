import { OptionError } from "../../errors.ts";
import { flag, notNegative } from "../../options.ts";
import { optimizerOf, type ClipOptions, type Optimizer } from "./optimizer.ts";
import type { LearningRate } from "./rate.ts";

export interface SgdOptions extends ClipOptions {
  learningRate: LearningRate;
  /** Default: 0. */
  momentum?: number | undefined;
  /** Looks ahead along the momentum. Default: false. */
  nesterov?: boolean | undefined;
  /** Added to the gradient as weightDecay·w. Default: 0. */
  weightDecay?: number | undefined;
}

/**
 * Stochastic gradient descent as in PyTorch: g += weightDecay·w; v = momentum·v + g; w −= rate·v, or with nesterov
 * w −= rate·(g + momentum·v).
 * @throws OptionError
 */
export function sgd(options: SgdOptions): Optimizer {
  const readers = {
    momentum: [notNegative, 0],
    nesterov: [flag, false],
    weightDecay: [notNegative, 0],
  } as const;
  return optimizerOf("sgd", options, undefined, readers, ({ momentum, nesterov, weightDecay }) => {
    if (nesterov && momentum === 0) {
      throw new OptionError(`sgd: nesterov: expected a momentum above 0, got ${momentum}`);
    }
    return {
      slots: momentum === 0 ? [] : ["velocity"],
      start: () => ({
        step({ kernels }, w, g, slots, n, rate, commit) {
          const velocity = slots[0] ?? 0;
          return kernels.sgdStep(w, g, velocity, n, rate, momentum, weightDecay, nesterov, commit) !== 0;
        },
      }),
    };
  });
}
