import { Region } from "../engine/region.ts";
import type { Runtime } from "../engine/runtime.ts";
import type { Loss } from "../losses/index.ts";
import type { Batch } from "./inference.ts";
import type { Targets } from "./targets.ts";
import { copyElements, RESULT_SIZE } from "./trainer.ts";

/** What `evaluate` finds over a set of images. */
export interface Evaluation {
  /** Mean loss of a row. */
  loss: number;
  /** Share of the rows whose largest element is where the target's is; 0 when a row has one element. */
  accuracy: number;
}

/** Mean loss and accuracy over batches of outputs with `columns` elements a row; yields after each batch. */
export function* evaluateBatches(
  runtime: Runtime,
  batches: Iterable<Batch>,
  columns: number,
  targets: Targets,
  loss: Loss,
): Generator<void, Evaluation> {
  let [lossSum, correct, rows] = [0, 0, 0];
  for (const batch of batches) {
    const result = lossOf(runtime, batch, columns, targets, loss);
    lossSum += result.loss * result.rows;
    correct += result.correct;
    rows += result.rows;
    yield;
  }
  return { loss: lossSum / rows, accuracy: correct / rows };
}

/** The mean loss of one batch's rows of output. */
function lossOf(
  { heap, kernels }: Runtime,
  { output, start, count }: Batch,
  columns: number,
  { classes, data, size }: Targets,
  loss: Loss,
): { loss: number; correct: number; rows: number } {
  // Read before the memory may grow, which detaches the view.
  const { byteOffset, length } = output;
  const rows = length / columns;
  const region = new Region(heap, "evaluate: labels");
  try {
    const labels = region.room(count * size);
    copyElements(data, start * size, classes ? heap.ints : heap.floats, labels >>> 2, count * size);
    const result = region.room(RESULT_SIZE);
    loss.run(kernels, classes, byteOffset, labels, 0, rows, columns, result);
    return { loss: heap.doubles[result >>> 3]!, correct: heap.ints[(result >>> 2) + 2]!, rows };
  } finally {
    region.release();
  }
}
