/** Losses of users: `defineLoss` makes a loss from a function on plain arrays. */
import { checkDefinition, checkFunctions, configOf, type Definition } from "../../definition.ts";
import { OptionError } from "../../errors.ts";
import type { ActivationName } from "../../kernels/activation.ts";
import type { LabelRange } from "../../labels.ts";
import { checkOptions, flag, oneOf, show } from "../../options.ts";
import type { Heap } from "../../runtime/heap.ts";
import { larger } from "../metrics/metric.ts";
import type { Loss, OutputEvaluation } from "./loss.ts";

/** What a loss computes from and fills in. The arrays are views of linear memory, which are valid only during the call. */
export interface LossViews<Config> {
  readonly config: Config;
  /** The loss is taken over so many rows, each with so many numbers: those of the output's last axis. */
  readonly rows: number;
  readonly columns: number;
  /** The output, row after row. */
  readonly y: Float32Array;
  /** What it should be: rows like the output's; empty when there are `classes`. */
  readonly targets: Float32Array;
  /** The number of the class of each row, for a loss that takes such labels, when they are such. */
  readonly classes: Int32Array | null;
  /** Where the gradient of the loss by the output goes, zero at first; null when nothing asks for it. */
  readonly dy: Float32Array | null;
}

export interface LossDefinition<Config extends object> extends Definition<Config> {
  /**
   * Returns the mean loss of the rows, in float64, and fills in `dy`, the gradient of that mean. Evaluation weighs the means
   * of batches by their rows.
   */
  compute(views: LossViews<Config>): number;
  /** The values that labels may have. Default: "finite". */
  readonly labels?: LabelRange;
  /** True when class numbers serve as labels as well. Default: false. */
  readonly takesClasses?: boolean;
  /** The activation that the loss applies to the output itself: an output that has been through it is refused. Default: none. */
  readonly impliedActivation?: ActivationName;
  /** How rows are counted as right, for the accuracy. Default: "argmax". */
  readonly outputEvaluation?: OutputEvaluation;
}

/** Makes a loss from its options. */
export type LossFactory<Config extends object> = (options?: Partial<Config>) => Loss;

/**
 * Makes a kind of loss. The result is a factory like those of `losses`.
 *
 * @example
 * const squares = defineLoss({
 *   type: "squares",
 *   compute({ y, targets, dy, rows }) {
 *     let sum = 0;
 *     for (let i = 0; i < y.length; i++) {
 *       const d = y[i]! - targets[i]!;
 *       sum += d * d;
 *       if (dy) dy[i] = (2 * d) / rows;
 *     }
 *     return sum / rows;
 *   },
 * });
 * @throws OptionError naming what is missing or wrong in the definition; the factory throws it for options.
 */
export function defineLoss<Config extends object = Record<never, never>>(
  definition: LossDefinition<Config>,
): LossFactory<Config> {
  const where = "defineLoss";
  checkDefinition(where, "a loss", definition);
  const { type } = definition;
  checkFunctions(where, definition, ["compute"]);
  checkOptions(`${where}: ${type}`, definition, [
    "type",
    "config",
    "compute",
    "labels",
    "takesClasses",
    "impliedActivation",
    "outputEvaluation",
  ]);
  const {
    labels = "finite",
    takesClasses = false,
    outputEvaluation = "argmax",
    impliedActivation,
  } = definition;
  const traits = {
    type,
    labels: oneOf(`${where}: ${type}: labels`, labels, ["finite", "unit", "distribution"]),
    takesClasses: flag(`${where}: ${type}: takesClasses`, takesClasses),
    outputEvaluation: oneOf(`${where}: ${type}: outputEvaluation`, outputEvaluation, ["argmax", "threshold"]),
    ...(impliedActivation && { impliedActivation }),
  };
  return (options = {}) => {
    const config = configOf(definition, options);
    const viewsOf = remembered(config);
    return {
      ...traits,
      run({ heap }, classes, x, targets, dx, rows, columns, result) {
        const views = viewsOf(heap, classes, x, targets, dx, rows, columns);
        views.dy?.fill(0);
        const mean: unknown = definition.compute(views);
        if (typeof mean !== "number") {
          throw new OptionError(`${type}: compute: expected the mean loss, a number, got ${show(mean)}`);
        }
        heap.doubles[result >>> 3] = mean;
        heap.ints[(result >>> 2) + 2] = rightRows(views, outputEvaluation);
      },
    };
  };
}

type Arguments = [
  heap: Heap,
  classes: boolean,
  x: number,
  targets: number,
  dx: number,
  rows: number,
  columns: number,
];

/** Makes the views of a call, or those of the last call again when nothing has changed: training steps allocate none. */
function remembered<Config>(config: Config): (...given: Arguments) => LossViews<Config> {
  let [memory, last, made]: [unknown, readonly unknown[], LossViews<Config> | undefined] = [0, [], undefined];
  return (...given) => {
    const [heap, classes, x, targets, dx, rows, columns] = given;
    const now = heap.memory.buffer;
    if (made && now === memory && last.every((each, i) => each === given[i])) return made;
    const size = rows * columns;
    const floats = (at: number, length: number): Float32Array =>
      heap.floats.subarray(at >>> 2, (at >>> 2) + length);
    [memory, last] = [now, given];
    made = {
      config,
      rows,
      columns,
      y: floats(x, size),
      targets: floats(targets, classes ? 0 : size),
      classes: classes ? heap.ints.subarray(targets >>> 2, (targets >>> 2) + rows) : null,
      dy: dx === 0 ? null : floats(dx, size),
    };
    return made;
  };
}

/** The number of rows that are right. */
function rightRows(views: LossViews<unknown>, evaluation: OutputEvaluation): number {
  const { rows, columns, y, targets, classes } = views;
  if (evaluation === "argmax" && columns === 1) return 0;
  let right = 0;
  for (let row = 0; row < rows; row++) {
    const first = row * columns;
    if (evaluation === "argmax") {
      right +=
        largestOf(y, first, columns) === (classes ? classes[row]! : largestOf(targets, first, columns))
          ? 1
          : 0;
      continue;
    }
    let all = 1;
    for (let j = 0; j < columns; j++) {
      const wanted = classes ? classes[row] === j : targets[first + j]! > 0.5;
      if (y[first + j]! > 0 !== wanted) all = 0;
    }
    right += all;
  }
  return right;
}

/** The column of the largest number of a row, as `argmax` finds it. */
function largestOf(data: Float32Array, first: number, columns: number): number {
  let winner = 0;
  for (let j = 1; j < columns; j++) if (larger(data[first + j]!, data[first + winner]!)) winner = j;
  return winner;
}
