import { checkOptions, numberIn } from "../../options.ts";
import { epsilonOf } from "./moments.ts";
import { CLIP_KEYS, clipOf, type ClipOptions, type Optimizer } from "./optimizer.ts";
import { checkRate, type LearningRate } from "./rate.ts";

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
  const keys = ["learningRate", "initialAccumulatorValue", "epsilon", "weightDecay", ...CLIP_KEYS];
  checkOptions("adagrad", options, keys);
  const learningRate = checkRate("adagrad", options.learningRate ?? 0.001);
  const initial = numberIn("adagrad: initialAccumulatorValue", options.initialAccumulatorValue ?? 0.1, 0);
  const epsilon = epsilonOf("adagrad", options.epsilon ?? 1e-8);
  const weightDecay = numberIn("adagrad: weightDecay", options.weightDecay ?? 0, 0);
  const start: Optimizer["start"] = () => ({
    // A mean of squares in which all of them count whole is their sum.
    step({ kernels }, w, g, [s], n, rate, commit) {
      return (
        kernels.rmspropStep(w, g, s!, 0, 0, n, rate, 1, 1, initial, epsilon, 0, weightDecay, commit) !== 0
      );
    },
  });
  const clip = clipOf("adagrad", options);
  const config = { initialAccumulatorValue: initial, epsilon, weightDecay };
  return { type: "adagrad", learningRate, slots: ["sumOfSquares"], clip, config, start };
}
