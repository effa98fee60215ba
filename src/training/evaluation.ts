import { Region } from "../runtime/region.ts";
import type { Runtime } from "../runtime/runtime.ts";
import type { Loss } from "./losses/index.ts";
import type { Metric } from "./metrics/metric.ts";
import { countRows } from "./metrics/metric.ts";
import type { Batch } from "../graph/inference.ts";
import type { Targets } from "./targets.ts";
import { copyElements, RESULT_SIZE } from "./trainer.ts";

/** What `evaluate` finds of one output, the metrics that `compile` was given included. */
export interface Figures {
  /** Mean loss of a row. */
  loss: number;
  /**
   * Share of the rows that are right in the eyes of the loss: their largest element is where the target's is, or for
   * `sigmoidCrossEntropy` each element is above 0 where the target is above ½, and only there. 0 for rows of one number
   * with other losses, of which none is right or wrong.
   */
  accuracy: number;
  [topK: `topK${number}`]: number;
  confusionMatrix?: number[][];
}

/**
 * What `evaluate` finds over a set of images; of several outputs the sum of the losses, and the accuracy over all rows that
 * can be right.
 */
export interface Evaluation extends Figures {
  /** Each output's, by name, when there are several; the metrics are here then. */
  outputs?: Record<string, Figures>;
}

/** Whether rows of so many columns can be right in the eyes of a loss. */
export function decides({ type }: Loss, columns: number): boolean {
  return columns > 1 || type === "sigmoidCrossEntropy";
}

/** One output of a model with what it is to be. */
export interface Judged {
  readonly name: string;
  /** Its place among all outputs. */
  readonly place: number;
  /** Elements of a row, over which the loss is taken. */
  readonly columns: number;
  readonly targets: Targets;
  readonly loss: Loss;
  readonly metrics: readonly Metric[];
}

/** Mean losses and accuracies over batches of outputs; yields after each batch. */
export function* evaluateBatches(
  runtime: Runtime,
  batches: Iterable<Batch>,
  judged: readonly Judged[],
): Generator<void, Evaluation> {
  const sums = judged.map(() => ({ loss: 0, correct: 0, rows: 0 }));
  const counts = judged.map(({ metrics, columns }) => metrics.map((metric) => metric.start(columns)));
  for (const { outputs, start, count } of batches) {
    const own = judged.map(({ place }) => outputs[place]!);
    // Read before the memory may grow, which detaches the views.
    own.forEach((output, i) => {
      const { columns, targets } = judged[i]!;
      const rowsPerImage = output.length / columns / count;
      countRows(counts[i]!, output, columns, targets.data, targets.classes, start * rowsPerImage);
    });
    const places = own.map(({ byteOffset, length }) => ({ byteOffset, length }));
    places.forEach((place, i) => {
      const result = lossOf(runtime, place, start, count, judged[i]!);
      const sum = sums[i]!;
      sum.loss += result.loss * result.rows;
      sum.correct += result.correct;
      sum.rows += result.rows;
    });
    yield;
  }
  const means = sums.map(({ loss, correct, rows }, i): Figures => {
    const found = judged[i]!.metrics.map(({ name }, j) => [name, counts[i]![j]!.result()] as const);
    return { loss: loss / rows, accuracy: correct / rows, ...Object.fromEntries(found) };
  });
  if (means.length === 1) return means[0]!;
  const decided = sums.filter((_, i) => decides(judged[i]!.loss, judged[i]!.columns));
  const total = (of: "correct" | "rows"): number => decided.reduce((sum, each) => sum + each[of], 0);
  return {
    loss: means.reduce((sum, { loss }) => sum + loss, 0),
    accuracy: total("correct") / (total("rows") || 1),
    outputs: Object.fromEntries(judged.map(({ name }, i) => [name, means[i]!])),
  };
}

/** The mean loss of one batch's rows of one output. */
function lossOf(
  { heap, kernels }: Runtime,
  { byteOffset, length }: { byteOffset: number; length: number },
  start: number,
  count: number,
  { columns, targets: { classes, data, size }, loss }: Judged,
): { loss: number; correct: number; rows: number } {
  const rows = length / columns;
  const region = new Region(heap, "evaluate: labels");
  try {
    const labels = region.allocate(count * size);
    copyElements(data, start * size, classes ? heap.ints : heap.floats, labels >>> 2, count * size);
    const result = region.allocate(RESULT_SIZE);
    loss.run(kernels, classes, byteOffset, labels, 0, rows, columns, result);
    return { loss: heap.doubles[result >>> 3]!, correct: heap.ints[(result >>> 2) + 2]!, rows };
  } finally {
    region.release();
  }
}
