/** The contract of a metric, and how the rows of outputs are counted. */

/** A figure over the rows of outputs: of one output of a model, or of predictions. */
export interface Metric<T = unknown, Name extends string = string> {
  /** Its name among the figures of `evaluate`. */
  readonly name: Name;
  /** The least columns that a row must have. Default: 1. */
  readonly minColumns?: number;
  /** Starts a count over rows of so many columns, at nothing. */
  start(columns: number): Count<T>;
}

/** The count of one metric over one set of rows. */
export interface Count<T = unknown> {
  /**
   * Takes in a row of the output and what it should be: the number of its class, or a row of labels. Rows are only lent.
   * `classOf` makes a class of either.
   */
  add(row: Float32Array, target: number | Float32Array): void;
  /** The figure over the rows so far. */
  result(): T;
}

/** True when `a` is larger than `b`. NaN is larger than any number, as it is to the losses. */
export function larger(a: number, b: number): boolean {
  return a > b || (a !== a && b === b);
}

/** The column of the largest element: the first on a tie, the first NaN if there is one. */
export function argmax(row: Float32Array): number {
  let winner = 0;
  for (let j = 1; j < row.length; j++) if (larger(row[j]!, row[winner]!)) winner = j;
  return winner;
}

/** The class that a target names: its number, or the column of its largest element. */
export function classOf(target: number | Float32Array): number {
  return typeof target === "number" ? target : argmax(target);
}

/** The number of columns that come before this one, by size and then by number. */
export function rankOf(row: Float32Array, column: number): number {
  const own = row[column]!;
  let rank = 0;
  for (let j = 0; j < row.length; j++) {
    if (larger(row[j]!, own) || (j < column && !larger(own, row[j]!))) rank++;
  }
  return rank;
}

/**
 * Counts `outputs`, rows of `columns`. With `classes`, `labels` holds the number of the class of each row; else it holds
 * rows like those of the output. `firstRow` is the number of the first row among all that the labels are for.
 */
export function countRows(
  counts: readonly Count[],
  outputs: Float32Array,
  columns: number,
  labels: ArrayLike<number>,
  classes: boolean,
  firstRow: number,
): void {
  if (counts.length === 0) return;
  const target = new Float32Array(columns);
  for (let row = 0; row * columns < outputs.length; row++) {
    const first = (firstRow + row) * columns;
    if (!classes) for (let j = 0; j < columns; j++) target[j] = labels[first + j]!;
    const own = outputs.subarray(row * columns, (row + 1) * columns);
    for (const count of counts) count.add(own, classes ? labels[firstRow + row]! : target);
  }
}
