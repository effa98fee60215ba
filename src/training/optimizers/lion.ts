import { notNegative } from "../../options.ts";
import { decayOf } from "./moments.ts";
import { optimizerOf, type ClipOptions, type Optimizer } from "./optimizer.ts";
import type { LearningRate } from "./rate.ts";

export interface LionOptions extends ClipOptions {
  /** Every weight moves by it in every step: a third to a tenth of that of AdamW. Default: 0.0001. */
  learningRate?: LearningRate | undefined;
  /** The share of the mean in the direction of a step. Default: 0.9. */
  beta1?: number | undefined;
  /** Decay of the mean of the gradients. Default: 0.99. */
  beta2?: number | undefined;
  /** Taken off the weights, apart from the gradient. Default: 0. */
  weightDecay?: number | undefined;
}

/**
 * Lion (Chen et al. 2023): w −= rate·(sign(beta1·m + (1 − beta1)·g) + weightDecay·w), then m = beta2·m + (1 − beta2)·g.
 * @throws OptionError
 */
export function lion(options: LionOptions = {}): Optimizer {
  const readers = { beta1: [decayOf, 0.9], beta2: [decayOf, 0.99], weightDecay: [notNegative, 0] } as const;
  return optimizerOf("lion", options, 0.0001, readers, ({ beta1, beta2, weightDecay }) => ({
    slots: ["mean"],
    start: () => ({
      step({ kernels }, w, g, [m], n, rate, commit) {
        return kernels.lionStep(w, g, m!, n, rate, beta1, beta2, weightDecay, commit) !== 0;
      },
    }),
  }));
}
