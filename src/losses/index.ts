import type { Kernels } from "../engine/kernels.ts";
import { checkOptions, numberIn } from "../options.ts";

/** A loss: the mean over the batch, its gradient and the count of right rows come from one kernel. */
export interface Loss {
  readonly type: "softmaxCrossEntropy" | "meanSquaredError";
  /** True when class numbers `[n]` serve as labels besides rows like the output's. */
  readonly takesClasses: boolean;
  /**
   * Writes { float64 loss, int32 correct } to `result` and, unless `dx` is 0, the loss's gradient to `dx`.
   * `classes`: the targets are int32 class numbers.
   */
  run(
    kernels: Kernels,
    classes: boolean,
    x: number,
    targets: number,
    dx: number,
    rows: number,
    columns: number,
    result: number,
  ): void;
}

export interface SoftmaxCrossEntropyOptions {
  /** Share s of each target that is spread over the classes: (1 − s)·target + s / classes. Default: 0. */
  labelSmoothing?: number;
}

/**
 * Mean over the batch of −Σ target·log softmax(logits). Labels are class numbers `[n]` or rows `[n, classes]`. The last
 * layer stays linear: the softmax is part of the loss.
 * @throws OptionError unless 0 ≤ labelSmoothing < 1.
 */
export function softmaxCrossEntropy(options: SoftmaxCrossEntropyOptions = {}): Loss {
  checkOptions("softmaxCrossEntropy", options, ["labelSmoothing"]);
  const smoothing = numberIn("softmaxCrossEntropy: labelSmoothing", options.labelSmoothing ?? 0, 0, 1);
  return {
    type: "softmaxCrossEntropy",
    takesClasses: true,
    run(kernels, classes, x, targets, dx, rows, columns, result) {
      if (classes) kernels.softmaxCrossEntropySparse(x, targets, smoothing, dx, rows, columns, result);
      else kernels.softmaxCrossEntropyDense(x, targets, smoothing, dx, rows, columns, result);
    },
  };
}

/** Mean of (output − target)² over all elements of the batch. Labels have the output's shape. */
export function meanSquaredError(): Loss {
  return {
    type: "meanSquaredError",
    takesClasses: false,
    run(kernels, _classes, x, targets, dx, rows, columns, result) {
      kernels.meanSquaredError(x, targets, dx, rows, columns, result);
    },
  };
}
