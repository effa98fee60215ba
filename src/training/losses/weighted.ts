/** The loss of a batch whose images have weights. */
import type { Runtime } from "../../runtime/runtime.ts";
import { correctRows, meanLoss, type Loss } from "./loss.ts";

/** The weights of a batch: that of image i is `values[order[start + i]]`, or `values[start + i]` without an order. */
export interface BatchWeights {
  readonly values: Float32Array;
  readonly order?: Uint32Array | undefined;
  readonly start: number;
}

/** Where the images of a batch stand, and their sizes: `targetSize` elements of targets an image, `size` of outputs. */
export interface LossOperands {
  readonly classes: boolean;
  readonly x: number;
  readonly targets: number;
  readonly targetSize: number;
  readonly dx: number;
  readonly size: number;
  readonly columns: number;
}

/**
 * Σ weightᵢ·lossᵢ / n over the `n` images, as Keras's `sum_over_batch_size`: the sum is divided by the number of images, not by
 * the sum of weights. lossᵢ is the mean over the rows of image i alone; they are added in float64 in ascending order. The
 * gradient of lossᵢ is multiplied by weightᵢ / n, rounded to float32, and the product is rounded once. Right rows are counted
 * without weights. Writes to `result` what `Loss.run` does.
 */
export function runWeighted(
  runtime: Runtime,
  loss: Loss,
  { classes, x, targets, targetSize, dx, size, columns }: LossOperands,
  n: number,
  { values, order, start }: BatchWeights,
  result: number,
): void {
  const { heap, kernels } = runtime;
  let total = 0;
  let correct = 0;
  for (let i = 0; i < n; i++) {
    const weight = values[order ? order[start + i]! : start + i]!;
    const at = i * size * 4;
    const slope = dx && dx + at;
    loss.run(runtime, classes, x + at, targets + i * targetSize * 4, slope, size / columns, columns, result);
    total += weight * meanLoss(heap, result);
    correct += correctRows(heap, result);
    if (slope) kernels.scaleForward(weight / n, slope, slope, size);
  }
  heap.doubles[result >>> 3] = total / n;
  heap.ints[(result >>> 2) + 2] = correct;
}
