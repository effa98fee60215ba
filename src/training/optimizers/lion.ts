import { checkOptions, numberIn } from "../../options.ts";
import { decayOf } from "./moments.ts";
import { CLIP_KEYS, clipOf, type ClipOptions, type Optimizer } from "./optimizer.ts";
import { checkRate, type LearningRate } from "./rate.ts";

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
  checkOptions("lion", options, ["learningRate", "beta1", "beta2", "weightDecay", ...CLIP_KEYS]);
  const learningRate = checkRate("lion", options.learningRate ?? 0.0001);
  const beta1 = decayOf("lion: beta1", options.beta1 ?? 0.9);
  const beta2 = decayOf("lion: beta2", options.beta2 ?? 0.99);
  const weightDecay = numberIn("lion: weightDecay", options.weightDecay ?? 0, 0);
  const start: Optimizer["start"] = () => ({
    step({ kernels }, w, g, [m], n, rate, commit) {
      return kernels.lionStep(w, g, m!, n, rate, beta1, beta2, weightDecay, commit) !== 0;
    },
  });
  const config = { beta1, beta2, weightDecay };
  return { type: "lion", learningRate, slots: ["mean"], clip: clipOf("lion", options), config, start };
}
