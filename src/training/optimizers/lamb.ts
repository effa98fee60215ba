import { checkOptions, numberIn } from "../../options.ts";
import type { Runtime } from "../../runtime/runtime.ts";
import { Corrections, decayOf, epsilonOf } from "./moments.ts";
import { CLIP_KEYS, clipOf, type ClipOptions, type Optimizer, type OptimizerRun } from "./optimizer.ts";
import { checkRate, type LearningRate } from "./rate.ts";

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
  checkOptions("lamb", options, ["learningRate", "beta1", "beta2", "epsilon", "weightDecay", ...CLIP_KEYS]);
  const learningRate = checkRate("lamb", options.learningRate ?? 0.001);
  const beta1 = decayOf("lamb: beta1", options.beta1 ?? 0.9);
  const beta2 = decayOf("lamb: beta2", options.beta2 ?? 0.999);
  const epsilon = epsilonOf("lamb", options.epsilon ?? 1e-6);
  const weightDecay = numberIn("lamb: weightDecay", options.weightDecay ?? 0, 0);
  const start = (): OptimizerRun => {
    const corrections = new Corrections(beta1, beta2);
    /** `‖w‖ / ‖u‖` of each weight by its address, from the dry run of a step. */
    const ratios = new Map<number, number>();
    const measure = ({ kernels }: Runtime, w: number, g: number, m: number, v: number, n: number): number => {
      const { first, second } = corrections;
      const squares = kernels.lambSquares(w, g, m, v, n, beta1, beta2, epsilon, weightDecay, first, second);
      const ratio = Math.sqrt(kernels.sumOfSquares(w, n)) / Math.sqrt(squares);
      const known = ratio > 0 && ratio < Infinity ? ratio : 1;
      ratios.set(w, known);
      return known;
    };
    return {
      begin: (step) => corrections.begin(step),
      step(runtime, w, g, [m, v], n, rate, commit) {
        const ratio = commit ? ratios.get(w)! : measure(runtime, w, g, m!, v!, n);
        const { first, second } = corrections;
        const scaled = rate * ratio;
        const finite = runtime.kernels.lambStep(
          w,
          g,
          m!,
          v!,
          n,
          scaled,
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
  };
  const clip = clipOf("lamb", options);
  const config = { beta1, beta2, epsilon, weightDecay };
  return { type: "lamb", learningRate, slots: ["mean", "variance"], clip, perWeight: true, config, start };
}
