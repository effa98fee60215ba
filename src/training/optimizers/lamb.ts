import { Corrections, momentReaders, MOMENTS } from "./moments.ts";
import { optimizerOf, type ClipOptions, type Optimizer } from "./optimizer.ts";
import type { LearningRate } from "./rate.ts";

export interface LambOptions extends ClipOptions {
  /** Default: 0.001. */
  learningRate?: LearningRate | undefined;
  /** Decay of the mean of the gradients. Default: 0.9. */
  beta1?: number | undefined;
  /** Decay of the mean of their squares. Default: 0.999. */
  beta2?: number | undefined;
  /** Added to the root in the denominator. Default: 1e-6. */
  epsilon?: number | undefined;
  /** Added to the direction of a step as weightDecay·w, before its length is measured. Default: 0. */
  weightDecay?: number | undefined;
}

/**
 * LAMB (You et al. 2020), for large batches: u = m̂ / (√v̂ + ε) + weightDecay·w with the means of Adam;
 * w −= rate·(‖w‖ / ‖u‖)·u for each weight by itself, and w −= rate·u when either length is 0. The squares are added in
 * float64, in one order whatever the number of threads.
 * @throws OptionError
 */
export function lamb(options: LambOptions = {}): Optimizer {
  const readers = momentReaders(1e-6, 0);
  return optimizerOf("lamb", options, 0.001, readers, ({ beta1, beta2, epsilon, weightDecay }) => ({
    slots: MOMENTS,
    perWeight: true,
    start() {
      const corrections = new Corrections(beta1, beta2);
      /** `‖w‖ / ‖u‖` of each weight by its address, from the dry run of a step. */
      const ratios = new Map<number, number>();
      return {
        begin: (step) => corrections.begin(step),
        step({ kernels }, w, g, [m, v], n, rate, commit) {
          const { first, second } = corrections;
          if (!commit) {
            const squares = kernels.lambSquares(
              w,
              g,
              m!,
              v!,
              n,
              beta1,
              beta2,
              epsilon,
              weightDecay,
              first,
              second,
            );
            const ratio = Math.sqrt(kernels.sumOfSquares(w, n)) / Math.sqrt(squares);
            ratios.set(w, ratio > 0 && ratio < Infinity ? ratio : 1);
          }
          const finite = kernels.lambStep(
            w,
            g,
            m!,
            v!,
            n,
            rate * ratios.get(w)!,
            beta1,
            beta2,
            epsilon,
            weightDecay,
            first,
            second,
            commit,
          );
          return finite !== 0;
        },
      };
    },
  }));
}
