import { Corrections, momentReaders, MOMENTS } from "./moments.ts";
import { optimizerOf, type ClipOptions, type Optimizer } from "./optimizer.ts";
import type { LearningRate } from "./rate.ts";

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
  const readers = momentReaders(1e-8, defaultDecay);
  return optimizerOf(type, options, 0.001, readers, ({ beta1, beta2, epsilon, weightDecay }) => {
    const decoupled = type === "adamw";
    return {
      slots: MOMENTS,
      start() {
        const corrections = new Corrections(beta1, beta2);
        return {
          begin: (step) => corrections.begin(step),
          step({ kernels }, w, g, slots, n, rate, commit) {
            const { first, second } = corrections;
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
              first,
              second,
              commit,
            );
            return finite !== 0;
          },
        };
      },
    };
  });
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
