/** The loss of a batch, whose images may have weights. */
import type { Runtime } from "../../runtime/runtime.ts";
import type { LossOutput } from "../objective.ts";
import type { Targets } from "../targets.ts";
import { correctRows, meanLoss } from "./loss.ts";

/** The weights of a batch: that of image i is `weights[order[start + i]]`, or `weights[start + i]` without an order. */
export interface BatchWeights {
  /** Absent when no image has one. */
  readonly weights?: Float32Array | undefined;
  readonly order?: Uint32Array | undefined;
  readonly start: number;
}

/**
 * Computes the loss of the first `n` images of an output and, unless `dx` is 0, its gradient. The output, its targets, gradient and
 * result are addresses in memory. Writes to `result` what `Loss.run` does.
 *
 * With weights it is Σ weightᵢ·lossᵢ / n, as Keras's `sum_over_batch_size`: the sum is divided by the number of images, not by the
 * sum of weights. lossᵢ is the mean over the rows of image i alone; they are added in float64 in ascending order. The
 * gradient of lossᵢ is multiplied by weightᵢ / n, rounded to float32, and the product is rounded once. Right rows are counted
 * without weights.
 */
export function runLoss(
  runtime: Runtime,
  { loss, size, columns }: LossOutput,
  { classes, size: targetSize }: Targets,
  x: number,
  targets: number,
  dx: number,
  n: number,
  { weights, order, start }: BatchWeights,
  result: number,
): void {
  const rows = size / columns;
  if (!weights) {
    loss.run(runtime, classes, x, targets, dx, n * rows, columns, result);
    return;
  }
  const { heap, kernels } = runtime;
  let total = 0;
  let correct = 0;
  for (let i = 0; i < n; i++) {
    const weight = weights[order ? order[start + i]! : start + i]!;
    const at = i * size * 4;
    const slope = dx && dx + at;
    loss.run(runtime, classes, x + at, targets + i * targetSize * 4, slope, rows, columns, result);
    total += weight * meanLoss(heap, result);
    correct += correctRows(heap, result);
    if (slope) kernels.scaleForward(weight / n, slope, slope, size);
  }
  heap.doubles[result >>> 3] = total / n;
  heap.ints[(result >>> 2) + 2] = correct;
}
