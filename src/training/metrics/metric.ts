/** What metrics count: the rows of outputs, each with its class. */

/** A figure over rows of outputs, of one model's output or of predictions. */
export interface Metric<T = unknown> {
  /** Its name among what `evaluate` tells. */
  readonly name: string;
  /** A count that starts at nothing, over rows of so many columns. */
  start(columns: number): Count<T>;
}

/** A metric that counts. */
export interface Count<T = unknown> {
  /** Takes in a row, which is only lent, and the column of its class. */
  add(row: Float32Array, label: number): void;
  /** The figure over the rows so far. */
  result(): T;
}

/** Whether `a` is larger than `b`; NaN is larger than any number, as it is to the losses. */
function larger(a: number, b: number): boolean {
  return a > b || (a !== a && b === b);
}

/** The column of the largest element: the first on a tie, the first NaN if there is one. */
export function argmax(row: Float32Array): number {
  let winner = 0;
  for (let j = 1; j < row.length; j++) if (larger(row[j]!, row[winner]!)) winner = j;
  return winner;
}

/** How many columns come before this one, by size and then by number. */
export function rankOf(row: Float32Array, column: number): number {
  const own = row[column]!;
  let rank = 0;
  for (let j = 0; j < row.length; j++) {
    if (larger(row[j]!, own) || (j < column && !larger(own, row[j]!))) rank++;
  }
  return rank;
}

/**
 * Counts `outputs`, rows of `columns`. A row's class is `labels[row]` or, without `classes`, the column of the largest
 * in its row of `labels`. `firstRow` is the number of the first among all that the labels are for.
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
    const at = (firstRow + row) * columns;
    if (!classes) for (let j = 0; j < columns; j++) target[j] = labels[at + j]!;
    const label = classes ? labels[firstRow + row]! : argmax(target);
    const own = outputs.subarray(row * columns, (row + 1) * columns);
    for (const count of counts) count.add(own, label);
  }
}
