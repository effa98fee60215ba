import type { Batch, Inference } from "../graph/inference.ts";
import { Region } from "../runtime/region.ts";
import type { Runtime } from "../runtime/runtime.ts";
import type { InputTensor } from "../tensor.ts";
import { copyElements } from "./batch.ts";
import { correctRows, countsCorrect, meanLoss, RESULT_ELEMENTS } from "./losses/loss.ts";
import { runLoss } from "./losses/run.ts";
import type { MetricFigures } from "./metrics/index.ts";
import { countRows, type Count, type Metric } from "./metrics/metric.ts";
import type { LossOutput, Objective } from "./objective.ts";
import type { Targets } from "./targets.ts";

/** The figures of metrics by their names. */
export type FiguresOf<Metrics extends readonly Metric[]> = {
  readonly [M in Metrics[number] as M["name"]]: M extends Metric<infer T> ? T : never;
};

/** The results of `evaluate` for one output that do not depend on metrics. */
export interface LossFigures {
  /** Mean loss of a row. */
  loss: number;
  /**
   * Share of the rows that are right by the measure of the loss: their largest element is where the target's is, or for
   * `sigmoidCrossEntropy` each element is above 0 where the target is above ½, and only there. 0 for rows of one number
   * with other losses, of which none is right or wrong.
   */
  accuracy: number;
}

/** The results of `evaluate` for one output, the metrics passed to `compile` included. */
export type Figures<Metrics = MetricFigures> = LossFigures & Metrics;

/**
 * What `evaluate` finds over a set of images; for several outputs the sum of the losses, and the accuracy over all rows that
 * can be right.
 */
export type Evaluation<Metrics = MetricFigures> = Figures<Metrics> & {
  /** The figures of each output, by name, when there are several; those of the metrics stand here then. */
  outputs?: Record<string, Figures<Metrics>>;
};

/** The figures that every evaluation has: a metric of the name would take their place. */
export const OWN_FIGURES: readonly string[] = ["loss", "accuracy", "outputs"];

/** Sums over the rows seen so far. */
interface Sums {
  loss: number;
  correct: number;
  rows: number;
}

/** Images with their labels, checked against a model and what it was compiled with. */
export interface LabelledImages {
  readonly objective: Objective;
  /** The images of each input. */
  readonly images: readonly InputTensor[];
  /** The labels of each output that has a loss. */
  readonly targets: readonly Targets[];
  readonly count: number;
  /** The weight of each image in the loss; absent when none has one. */
  readonly weights?: Float32Array | undefined;
}

/** One evaluation: the sums over all images that were added, in batches. */
export class EvaluationRun {
  readonly #where: string;
  readonly #runtime: Runtime;
  readonly #inference: Inference;
  readonly #outputs: readonly LossOutput[];
  readonly #penalty: () => number;
  /** The weights that are measured. */
  readonly #revision: number;
  readonly #sums: readonly Sums[];
  readonly #counts: readonly (readonly Count[])[];

  constructor(where: string, runtime: Runtime, inference: Inference, { outputs, penalty }: Objective) {
    this.#where = where;
    this.#runtime = runtime;
    this.#inference = inference;
    this.#outputs = outputs;
    this.#penalty = penalty;
    this.#revision = inference.revision;
    this.#sums = outputs.map((): Sums => ({ loss: 0, correct: 0, rows: 0 }));
    this.#counts = outputs.map(({ metrics, columns }) => metrics.map((metric) => metric.start(columns)));
  }

  /** Takes images in, batch by batch. Yields after each. */
  *add(
    { images, targets, weights }: Omit<LabelledImages, "objective">,
    batchSize: number,
  ): Generator<void, void> {
    const pixels = images.map(({ data }) => data);
    const read = (batch: Batch): void => this.#take(batch, targets, weights);
    yield* this.#inference.batches(this.#where, pixels, batchSize, read, this.#revision);
  }

  #take(
    { outputs, start, count }: Batch,
    targets: readonly Targets[],
    weights: Float32Array | undefined,
  ): void {
    const own = this.#outputs.map(({ index }) => outputs[index]!);
    // Read before the memory may grow, which detaches the views.
    own.forEach((output, i) => {
      const { columns, size } = this.#outputs[i]!;
      const { data, classes } = targets[i]!;
      countRows(this.#counts[i]!, output, columns, data, classes, start * (size / columns));
    });
    const addresses = own.map(({ byteOffset }) => byteOffset);
    addresses.forEach((address, i) =>
      addLoss(this.#sums[i]!, this.#runtime, address, start, count, this.#outputs[i]!, targets[i]!, weights),
    );
  }

  /** The mean losses, the accuracies and the metrics. */
  result(): Evaluation {
    const lossOutputs = this.#outputs;
    const means = this.#sums.map(({ loss, correct, rows }, i): Figures => {
      const figures = lossOutputs[i]!.metrics.map(
        ({ name }, j) => [name, this.#counts[i]![j]!.result()] as const,
      );
      return { loss: loss / rows, accuracy: correct / rows, ...Object.fromEntries(figures) };
    });
    const penalty = this.#penalty();
    if (means.length === 1) return { ...means[0]!, loss: means[0]!.loss + penalty };
    const counted = this.#sums.filter((_, i) => countsCorrect(lossOutputs[i]!.loss, lossOutputs[i]!.columns));
    const total = (of: "correct" | "rows"): number => counted.reduce((sum, each) => sum + each[of], 0);
    return {
      loss: means.reduce((sum, { loss }) => sum + loss, 0) + penalty,
      accuracy: total("correct") / (total("rows") || 1),
      outputs: Object.fromEntries(lossOutputs.map(({ name }, i) => [name, means[i]!])),
    };
  }
}

/** Adds the loss and the right rows of `count` images from `start` on, whose output lies at `address`. */
function addLoss(
  sums: Sums,
  runtime: Runtime,
  address: number,
  start: number,
  count: number,
  output: LossOutput,
  targets: Targets,
  weights: Float32Array | undefined,
): void {
  const { heap } = runtime;
  const rows = (count * output.size) / output.columns;
  const region = new Region(heap, "evaluate: labels");
  try {
    const labels = region.allocate(count * targets.size);
    const result = region.allocate(RESULT_ELEMENTS);
    const words = targets.classes ? heap.ints : heap.floats;
    copyElements(targets.data, start * targets.size, words, labels >>> 2, count * targets.size);
    runLoss(runtime, output, targets, address, labels, 0, count, { weights, start }, result);
    sums.loss += meanLoss(heap, result) * rows;
    sums.correct += correctRows(heap, result);
    sums.rows += rows;
  } finally {
    region.release();
  }
}
