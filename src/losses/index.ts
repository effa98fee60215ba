import type { Kernels } from "../engine/kernels.ts";

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

/**
 * Mean over the batch of −Σ target·log softmax(logits). Labels are class numbers `[n]` or rows `[n, classes]`. The last
 * layer stays linear: the softmax is part of the loss.
 */
export function softmaxCrossEntropy(): Loss {
  return {
    type: "softmaxCrossEntropy",
    takesClasses: true,
    run(kernels, classes, x, targets, dx, rows, columns, result) {
      if (classes) kernels.softmaxCrossEntropySparse(x, targets, dx, rows, columns, result);
      else kernels.softmaxCrossEntropyDense(x, targets, dx, rows, columns, result);
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
