import { notNegative } from "../../options.ts";
import { epsilonOf } from "./moments.ts";
import { optimizerOf, type ClipOptions, type Optimizer } from "./optimizer.ts";
import type { LearningRate } from "./rate.ts";

export interface AdagradOptions extends ClipOptions {
  /** Default: 0.001. */
  learningRate?: LearningRate | undefined;
  /** What the sum of squares starts at. Default: 0.1. */
  initialAccumulatorValue?: number | undefined;
  /** Added to the root in the denominator. Default: 1e-8. */
  epsilon?: number | undefined;
  /** Added to the gradient as weightDecay·w. Default: 0. */
  weightDecay?: number | undefined;
}

/**
 * Adagrad (Duchi, Hazan & Singer 2011): s is the sum of all g²; w −= rate·g / (√(initialAccumulatorValue + s) + ε).
 * @throws OptionError
 */
export function adagrad(options: AdagradOptions = {}): Optimizer {
  const readers = {
    initialAccumulatorValue: [notNegative, 0.1],
    epsilon: [epsilonOf, 1e-8],
    weightDecay: [notNegative, 0],
  } as const;
  return optimizerOf("adagrad", options, 0.001, readers, (config) => {
    const { initialAccumulatorValue: initial, epsilon, weightDecay } = config;
    return {
      slots: ["sumOfSquares"],
      start: () => ({
        // A mean of squares in which all of them count whole is their sum.
        step: ({ kernels }, w, g, [s], n, rate, commit) =>
          kernels.rmspropStep(w, g, s!, 0, 0, n, rate, 1, 1, initial, epsilon, 0, weightDecay, commit) !== 0,
      }),
    };
  });
}
