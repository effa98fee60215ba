import { OptionError, ShapeError } from "./errors.ts";
import { isTyped, show } from "./options.ts";
import type { Tensor } from "./tensor.ts";

/** What outputs are held against: class numbers `[n]`, or a tensor shaped like the output (one-hot rows, values). */
export type Labels = Int32Array | Uint8Array | readonly number[] | Tensor;

/**
 * Class numbers as kernels take them, one a row of `columns`; undefined when the labels are a tensor.
 * @throws ShapeError, OptionError naming the place, the expected and the given.
 */
export function classNumbers(
  where: string,
  labels: Labels,
  rows: number,
  columns: number,
): Int32Array | undefined {
  if (!Array.isArray(labels) && !isTyped(labels, Int32Array) && !isTyped(labels, Uint8Array)) {
    return undefined;
  }
  if (labels.length !== rows)
    throw new ShapeError(`${where}: labels: expected ${rows}, got ${labels.length}`);
  return Int32Array.from(labels as ArrayLike<number>, (label, i) => {
    if (Number.isInteger(label) && label >= 0 && label < columns) return label;
    throw new OptionError(
      `${where}: labels[${i}]: expected a class from 0 to ${columns - 1}, got ${show(label)}`,
    );
  });
}
