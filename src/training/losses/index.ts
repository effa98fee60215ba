import { POINTWISE_LOSS, type Kernels } from "../../kernels/kernels.ts";
import { OptionError } from "../../errors.ts";
import type { LabelRange } from "../../labels.ts";
import { checkOptions, numberIn, show } from "../../options.ts";

/** A loss: the mean over the batch, its gradient and the count of right rows come from one kernel. */
export interface Loss {
  readonly type: "softmaxCrossEntropy" | keyof typeof POINTWISE_LOSS;
  /** True when class numbers `[n]` serve as labels besides rows like the output's. */
  readonly takesClasses: boolean;
  /** What values it takes. */
  readonly labels: LabelRange;
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
 * Mean over the batch of −Σ target·log softmax(logits). Labels are class numbers `[n]` or rows `[n, classes]` of numbers ≥ 0
 * that sum to one within 10⁻³. The last layer stays linear: the softmax is part of the loss.
 * @throws OptionError unless 0 ≤ labelSmoothing < 1.
 */
export function softmaxCrossEntropy(options: SoftmaxCrossEntropyOptions = {}): Loss {
  checkOptions("softmaxCrossEntropy", options, ["labelSmoothing"]);
  const smoothing = numberIn("softmaxCrossEntropy: labelSmoothing", options.labelSmoothing ?? 0, 0, 1);
  return {
    type: "softmaxCrossEntropy",
    takesClasses: true,
    labels: "distribution",
    run(kernels, classes, x, targets, dx, rows, columns, result) {
      if (classes) kernels.softmaxCrossEntropySparse(x, targets, smoothing, dx, rows, columns, result);
      else kernels.softmaxCrossEntropyDense(x, targets, smoothing, dx, rows, columns, result);
    },
  };
}

/** Of a factory that has none. */
type NoOptions = Readonly<Record<string, never>>;

function pointwise(type: keyof typeof POINTWISE_LOSS, delta = 0): Loss {
  return {
    type,
    takesClasses: false,
    labels: type === "sigmoidCrossEntropy" ? "unit" : "finite",
    run(kernels, _classes, x, targets, dx, rows, columns, result) {
      kernels.pointwiseLoss(POINTWISE_LOSS[type], delta, x, targets, dx, rows, columns, result);
    },
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
  /** Where the square ends and the straight line begins. Default: 1. */
  delta?: number;
}

/**
 * Mean over all elements of the batch, with d = output − target, of d² / 2 for |d| ≤ delta, else delta·(|d| − delta / 2).
 * Labels are finite and have the output's shape.
 * @throws OptionError unless delta is a float32 above 0.
 */
export function huber(options: HuberOptions = {}): Loss {
  checkOptions("huber", options, ["delta"]);
  const delta = Math.fround(numberIn("huber: delta", options.delta ?? 1, 0));
  if (delta > 0 && delta < Infinity) return pointwise("huber", delta);
  throw new OptionError(`huber: delta: expected a float32 above 0, got ${show(options.delta)}`);
}

/**
 * Mean over all elements of the batch of −target·log σ(x) − (1 − target)·log σ(−x): for answers of yes or no, of which
 * an image may have several. Labels, 0 to 1, have the output's shape. The last layer stays linear: the sigmoid is part of
 * the loss. Its accuracy is the share of rows of which each output is above 0 where the label is above ½, and only there.
 */
export function sigmoidCrossEntropy(options: NoOptions = {}): Loss {
  checkOptions("sigmoidCrossEntropy", options, []);
  return pointwise("sigmoidCrossEntropy");
}
