/** The losses that are a mean over single elements, computed by `assembly/training/pointwiseLoss.ts`. */
import { OptionError } from "../../errors.ts";
import { POINTWISE_LOSS } from "../../kernels/kernels.ts";
import { checkOptions, numberIn, show } from "../../options.ts";
import type { Loss } from "./loss.ts";

/** The options of a factory that has none. */
type NoOptions = Readonly<Record<string, never>>;

/** A loss of finite numbers, unless `differences` says otherwise. */
function pointwise(type: keyof typeof POINTWISE_LOSS, delta = 0, differences: Partial<Loss> = {}): Loss {
  return {
    type,
    config: {},
    takesClasses: false,
    labels: "finite",
    outputEvaluation: "argmax",
    run({ kernels }, _classes, x, targets, dx, rows, columns, result) {
      kernels.pointwiseLoss(POINTWISE_LOSS[type], delta, x, targets, dx, rows, columns, result);
    },
    ...differences,
  };
}

/** Mean of (output − target)² over all elements of the batch. Labels are finite and have the output's shape. */
export function meanSquaredError(options: NoOptions = {}): Loss {
  checkOptions("meanSquaredError", options, []);
  return pointwise("meanSquaredError");
}

/** Mean of |output − target| over all elements of the batch. Labels are finite and have the output's shape. */
export function meanAbsoluteError(options: NoOptions = {}): Loss {
  checkOptions("meanAbsoluteError", options, []);
  return pointwise("meanAbsoluteError");
}

export interface HuberOptions {
  /** The difference at which the square ends and the straight line begins. Default: 1. */
  delta?: number | undefined;
}

/**
 * Mean over all elements of the batch, with d = output − target, of d² / 2 for |d| ≤ delta, else delta·(|d| − delta / 2).
 * Labels are finite and have the output's shape.
 * @throws OptionError unless delta is a float32 above 0.
 */
export function huber(options: HuberOptions = {}): Loss {
  checkOptions("huber", options, ["delta"]);
  const delta = Math.fround(numberIn("huber: delta", options.delta ?? 1, 0));
  if (delta > 0 && delta < Infinity) return pointwise("huber", delta, { config: { delta } });
  throw new OptionError(`huber: delta: expected a float32 above 0, got ${show(options.delta)}`);
}

/**
 * Mean over all elements of the batch of −target·log σ(x) − (1 − target)·log σ(−x): for answers of yes or no, of which
 * an image may have several. Labels, 0 to 1, have the output's shape. The last layer stays linear: the sigmoid is part of
 * the loss. Its accuracy is the share of rows of which each output is above 0 where the label is above ½, and only there.
 */
export function sigmoidCrossEntropy(options: NoOptions = {}): Loss {
  checkOptions("sigmoidCrossEntropy", options, []);
  return pointwise("sigmoidCrossEntropy", 0, {
    labels: "unit",
    impliedActivation: "sigmoid",
    outputEvaluation: "threshold",
  });
}
