import { flag, notNegative } from "../../options.ts";
import { decayOf, epsilonOf } from "./moments.ts";
import { optimizerOf, type ClipOptions, type Optimizer } from "./optimizer.ts";
import type { LearningRate } from "./rate.ts";

export interface RmspropOptions extends ClipOptions {
  /** Default: 0.001. */
  learningRate?: LearningRate | undefined;
  /** Decay of the mean of the squared gradients, `alpha` in PyTorch. Default: 0.9. */
  rho?: number | undefined;
  /** Default: 0. */
  momentum?: number | undefined;
  /** Divides by the deviation of the gradients instead of the root of their mean square. Default: false. */
  centered?: boolean | undefined;
  /** Added to the root in the denominator. Default: 1e-8. */
  epsilon?: number | undefined;
  /** Added to the gradient as weightDecay·w. Default: 0. */
  weightDecay?: number | undefined;
}

/**
 * RMSprop (Tieleman & Hinton 2012) as in PyTorch: s and a are decaying means of g² and g; v = momentum·v + g / (√d + ε) with
 * d = s, or s − a² when `centered`; w −= rate·v.
 * @throws OptionError
 */
export function rmsprop(options: RmspropOptions = {}): Optimizer {
  const readers = {
    rho: [decayOf, 0.9],
    momentum: [notNegative, 0],
    centered: [flag, false],
    epsilon: [epsilonOf, 1e-8],
    weightDecay: [notNegative, 0],
  } as const;
  return optimizerOf("rmsprop", options, 0.001, readers, (config) => {
    const { rho, momentum, centered, epsilon, weightDecay } = config;
    return {
      slots: ["meanSquare", ...(momentum > 0 ? ["velocity"] : []), ...(centered ? ["mean"] : [])],
      start: () => ({
        step({ kernels }, w, g, [s, second, third], n, rate, commit) {
          const v = momentum > 0 ? second! : 0;
          const a = centered ? (third ?? second!) : 0;
          const rest = 1 - rho;
          const [e, m, decay] = [epsilon, momentum, weightDecay];
          return kernels.rmspropStep(w, g, s!, v, a, n, rate, rho, rest, 0, e, m, decay, commit) !== 0;
        },
      }),
    };
  });
}
