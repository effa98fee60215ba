import { OptionError } from "../../errors.ts";
import { checkOptions, numberIn, show } from "../../options.ts";
import { CLIP_KEYS, clipOf, type ClipOptions, type Optimizer, type OptimizerRun } from "./optimizer.ts";
import { rateOf, type LearningRate } from "./rate.ts";

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
  const rate = rateOf(`${type}: learningRate`, options.learningRate ?? 0.001);
  const beta1 = numberIn(`${type}: beta1`, options.beta1 ?? 0.9, 0, 1);
  const beta2 = numberIn(`${type}: beta2`, options.beta2 ?? 0.999, 0, 1);
  const epsilon = numberIn(`${type}: epsilon`, options.epsilon ?? 1e-8, 0);
  // Without it a weight whose gradient is zero would step by 0 / 0.
  if (Math.fround(epsilon) === 0) {
    throw new OptionError(`${type}: epsilon: expected a float32 above 0, got ${show(epsilon)}`);
  }
  const weightDecay = numberIn(`${type}: weightDecay`, options.weightDecay ?? defaultDecay, 0);
  const decoupled = type === "adamw";
  const start = (): OptimizerRun => {
    // β^t as a running product: exact operations only, so that every host has the same.
    let power1 = 1;
    let power2 = 1;
    let factors = 0;
    let current = 0;
    return {
      begin(step) {
        current = rate(step);
        // More than one factor is missing when a run is taken up.
        while (factors <= step) {
          const next1 = power1 * beta1;
          const next2 = power2 * beta2;
          // Once a factor changes nothing, no further one does: a run that is taken up late need not multiply all.
          factors = next1 === power1 && next2 === power2 ? step + 1 : factors + 1;
          power1 = next1;
          power2 = next2;
        }
      },
      step({ kernels }, w, g, slots, n, commit) {
        const finite = kernels.adamStep(
          w,
          g,
          slots[0]!,
          slots[1]!,
          n,
          current,
          beta1,
          beta2,
          epsilon,
          weightDecay,
          decoupled,
          1 - power1,
          1 - power2,
          commit,
        );
        return finite !== 0;
      },
    };
  };
  return { type, slots: ["mean", "variance"], clip: clipOf(type, options), start };
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
