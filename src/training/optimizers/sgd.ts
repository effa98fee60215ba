import { OptionError } from "../../errors.ts";
import { checkOptions, flag, numberIn, show } from "../../options.ts";
import { CLIP_KEYS, clipOf, type ClipOptions, type Optimizer } from "./optimizer.ts";
import { checkRate, type LearningRate } from "./rate.ts";

export interface SgdOptions extends ClipOptions {
  learningRate: LearningRate;
  /** Default: 0. */
  momentum?: number | undefined;
  /** Looks ahead along the momentum. Default: false. */
  nesterov?: boolean | undefined;
  /** Added to the gradient as weightDecay·w. Default: 0. */
  weightDecay?: number | undefined;
}

/**
 * Stochastic gradient descent as in PyTorch: g += weightDecay·w; v = momentum·v + g; w −= rate·v, or with nesterov
 * w −= rate·(g + momentum·v).
 * @throws OptionError
 */
export function sgd(options: SgdOptions): Optimizer {
  checkOptions("sgd", options, ["learningRate", "momentum", "nesterov", "weightDecay", ...CLIP_KEYS]);
  const learningRate = checkRate("sgd", options.learningRate);
  const momentum = numberIn("sgd: momentum", options.momentum ?? 0, 0);
  const weightDecay = numberIn("sgd: weightDecay", options.weightDecay ?? 0, 0);
  const nesterov = flag("sgd: nesterov", options.nesterov ?? false);
  if (nesterov && momentum === 0) {
    throw new OptionError(`sgd: nesterov: expected a momentum above 0, got ${show(momentum)}`);
  }
  const start: Optimizer["start"] = () => ({
    step({ kernels }, w, g, slots, n, rate, commit) {
      const velocity = slots[0] ?? 0;
      return kernels.sgdStep(w, g, velocity, n, rate, momentum, weightDecay, nesterov, commit) !== 0;
    },
  });
  const slots = momentum === 0 ? [] : ["velocity"];
  const config = { momentum, nesterov, weightDecay };
  return { type: "sgd", learningRate, slots, clip: clipOf("sgd", options), config, start };
}
