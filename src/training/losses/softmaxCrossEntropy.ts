import { checkOptions, numberIn } from "../../options.ts";
import type { Loss } from "./loss.ts";

export interface SoftmaxCrossEntropyOptions {
  /** Share s of each target that is spread over the classes: (1 − s)·target + s / classes. Default: 0. */
  labelSmoothing?: number | undefined;
}

/**
 * Mean over the batch of −Σ target·log softmax(logits). Labels are class numbers `[n]` or rows `[n, classes]` of numbers ≥ 0
 * that sum to one within 10⁻³. The last layer stays linear: the softmax is part of the loss.
 * @throws OptionError unless 0 ≤ labelSmoothing < 1.
 */
export function softmaxCrossEntropy(options: SoftmaxCrossEntropyOptions = {}): Loss {
  checkOptions("softmaxCrossEntropy", options, ["labelSmoothing"]);
  const smoothing = numberIn("softmaxCrossEntropy: labelSmoothing", options.labelSmoothing ?? 0, 0, 1);
  return {
    type: "softmaxCrossEntropy",
    config: { labelSmoothing: smoothing },
    takesClasses: true,
    labels: "distribution",
    impliedActivation: "softmax",
    outputEvaluation: "argmax",
    run({ kernels }, classes, x, targets, dx, rows, columns, result) {
      if (classes) kernels.softmaxCrossEntropySparse(x, targets, smoothing, dx, rows, columns, result);
      else kernels.softmaxCrossEntropyDense(x, targets, smoothing, dx, rows, columns, result);
    },
  };
}
