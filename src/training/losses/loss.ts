/** The contract of a loss, and how its results are read. Nothing else in the package asks which loss it is. */
import type { ActivationName } from "../../kernels/activation.ts";
import type { LabelRange } from "../../labels.ts";
import type { Heap } from "../../runtime/heap.ts";
import type { Runtime } from "../../runtime/runtime.ts";

/**
 * How the rows of an output are counted as right. `"argmax"`: the largest element of a row stands where the target's does;
 * a row of one element is neither right nor wrong. `"threshold"`: each element is above 0 where the target's is above ½, and
 * only there.
 */
export type OutputEvaluation = "argmax" | "threshold";

/** A loss: the mean over the batch, its gradient and the count of right rows come from one kernel. */
export interface Loss {
  /** The name of its factory, for messages. */
  readonly type: string;
  /** The options with their defaults, from which the factory of `losses` makes the same again. Absent in those of users. */
  readonly config?: Readonly<Record<string, number>> | undefined;
  /** True when class numbers `[n]` serve as labels, besides rows like the output's. */
  readonly takesClasses: boolean;
  /** The values that labels may have. */
  readonly labels: LabelRange;
  /**
   * The activation that the loss applies to the output itself. An output that has been through it is refused: it would be
   * applied twice. Absent when the loss takes the output as it is.
   */
  readonly impliedActivation?: ActivationName;
  readonly outputEvaluation: OutputEvaluation;
  /**
   * Computes the loss of `rows` rows of `columns` elements. Outputs, targets, gradients and results are addresses in the memory.
   * @param classes whether the targets are an int32 class number a row; else they are float32 rows like the output's
   * @param x the output; it may be overwritten where `dx` is `x`
   * @param targets what the output should be
   * @param dx where the gradient of the loss by `x` goes, unless it is 0
   * @param result where { float64 mean loss, int32 number of right rows } goes
   */
  run(
    runtime: Runtime,
    classes: boolean,
    x: number,
    targets: number,
    dx: number,
    rows: number,
    columns: number,
    result: number,
  ): void;
}

/** The float32 elements that the result of a loss takes in memory. */
export const RESULT_ELEMENTS = 4;

/** The mean loss in a result. */
export function meanLoss({ doubles }: Heap, result: number): number {
  return doubles[result >>> 3]!;
}

/** The number of right rows in a result. */
export function correctRows({ ints }: Heap, result: number): number {
  return ints[(result >>> 2) + 2]!;
}

/** True when rows of so many elements can be right or wrong for a loss. */
export function countsCorrect({ outputEvaluation }: Loss, columns: number): boolean {
  return columns > 1 || outputEvaluation === "threshold";
}
