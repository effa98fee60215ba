import { checkOptions, flag, numberIn } from "../../options.ts";
import { decayOf, epsilonOf } from "./moments.ts";
import { CLIP_KEYS, clipOf, type ClipOptions, type Optimizer } from "./optimizer.ts";
import { checkRate, type LearningRate } from "./rate.ts";

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
  const keys = ["learningRate", "rho", "momentum", "centered", "epsilon", "weightDecay", ...CLIP_KEYS];
  checkOptions("rmsprop", options, keys);
  const learningRate = checkRate("rmsprop", options.learningRate ?? 0.001);
  const rho = decayOf("rmsprop: rho", options.rho ?? 0.9);
  const momentum = numberIn("rmsprop: momentum", options.momentum ?? 0, 0);
  const centered = flag("rmsprop: centered", options.centered ?? false);
  const epsilon = epsilonOf("rmsprop", options.epsilon ?? 1e-8);
  const weightDecay = numberIn("rmsprop: weightDecay", options.weightDecay ?? 0, 0);
  const slots = ["meanSquare", ...(momentum > 0 ? ["velocity"] : []), ...(centered ? ["mean"] : [])];
  const start: Optimizer["start"] = () => ({
    step({ kernels }, w, g, [s, second, third], n, rate, commit) {
      const v = momentum > 0 ? second! : 0;
      const a = centered ? (third ?? second!) : 0;
      const finite = kernels.rmspropStep(
        w,
        g,
        s!,
        v,
        a,
        n,
        rate,
        rho,
        1 - rho,
        0,
        epsilon,
        momentum,
        weightDecay,
        commit,
      );
      return finite !== 0;
    },
  });
  const config = { rho, momentum, centered, epsilon, weightDecay };
  return { type: "rmsprop", learningRate, slots, clip: clipOf("rmsprop", options), config, start };
}
