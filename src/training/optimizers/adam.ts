import { checkOptions, numberIn } from "../../options.ts";
import { Corrections, decayOf, epsilonOf } from "./moments.ts";
import { CLIP_KEYS, clipOf, type ClipOptions, type Optimizer, type OptimizerRun } from "./optimizer.ts";
import { checkRate, type LearningRate } from "./rate.ts";

export interface AdamOptions extends ClipOptions {
  /** Default: 0.001. */
  learningRate?: LearningRate | undefined;
  /** Decay of the mean of the gradients. Default: 0.9. */
  beta1?: number | undefined;
  /** Decay of the mean of their squares. Default: 0.999. */
  beta2?: number | undefined;
  /** Added to the root in the denominator. Default: 1e-8. */
  epsilon?: number | undefined;
  /** Default: 0 in adam (added to the gradient), 0.01 in adamw (taken off the weights). */
  weightDecay?: number | undefined;
}

function adaptive(type: "adam" | "adamw", options: AdamOptions, defaultDecay: number): Optimizer {
  checkOptions(type, options, ["learningRate", "beta1", "beta2", "epsilon", "weightDecay", ...CLIP_KEYS]);
  const learningRate = checkRate(type, options.learningRate ?? 0.001);
  const beta1 = decayOf(`${type}: beta1`, options.beta1 ?? 0.9);
  const beta2 = decayOf(`${type}: beta2`, options.beta2 ?? 0.999);
  const epsilon = epsilonOf(type, options.epsilon ?? 1e-8);
  const weightDecay = numberIn(`${type}: weightDecay`, options.weightDecay ?? defaultDecay, 0);
  const decoupled = type === "adamw";
  const start = (): OptimizerRun => {
    const corrections = new Corrections(beta1, beta2);
    return {
      begin: (step) => corrections.begin(step),
      step({ kernels }, w, g, slots, n, rate, commit) {
        const finite = kernels.adamStep(
          w,
          g,
          slots[0]!,
          slots[1]!,
          n,
          rate,
          beta1,
          beta2,
          epsilon,
          weightDecay,
          decoupled,
          corrections.first,
          corrections.second,
          commit,
        );
        return finite !== 0;
      },
    };
  };
  const config = { beta1, beta2, epsilon, weightDecay };
  return { type, learningRate, slots: ["mean", "variance"], clip: clipOf(type, options), config, start };
}

/**
 * Adam (Kingma & Ba 2015): m and v are decaying means of g and g²; w −= rate·m̂ / (√v̂ + ε).
 * @throws OptionError
 */
export function adam(options: AdamOptions = {}): Optimizer {
  return adaptive("adam", options, 0);
}

/**
 * AdamW (Loshchilov & Hutter 2019): Adam with w −= rate·weightDecay·w besides, apart from the gradient.
 * @throws OptionError
 */
export function adamw(options: AdamOptions = {}): Optimizer {
  return adaptive("adamw", options, 0.01);
}
