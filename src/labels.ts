import { OptionError, ShapeError } from "./errors.ts";
import { isTyped, show } from "./options.ts";
import { checkTensor, type Tensor } from "./tensor.ts";

/** What outputs are held against: class numbers `[n]`, or a tensor shaped like the output (one-hot rows, values). */
export type Labels = Int32Array | Uint8Array | readonly number[] | Tensor;

/** @throws OptionError naming the first that is no class below `count` */
export function checkClasses(where: string, labels: ArrayLike<number>, count: number): void {
  for (let i = 0; i < labels.length; i++) {
    const label = labels[i]!;
    if (!(Number.isInteger(label) && label >= 0 && label < count)) {
      throw new OptionError(`${where}[${i}]: expected a class from 0 to ${count - 1}, got ${show(label)}`);
    }
  }
}

/**
 * Class numbers as kernels take them, one a row of `columns`; undefined when the labels are a tensor of several dimensions.
 * @throws ShapeError, OptionError naming the place, the expected and the given.
 */
export function classNumbers(
  where: string,
  labels: Labels,
  rows: number,
  columns: number,
): Int32Array | undefined {
  const place = `${where}: labels`;
  let list: unknown = labels;
  if ((labels as Tensor | null)?.shape?.length === 1) {
    checkTensor(place, labels as Tensor);
    list = (labels as Tensor).data;
  } else if (!Array.isArray(labels) && !isTyped(labels, Int32Array) && !isTyped(labels, Uint8Array)) {
    return undefined;
  }
  const classes = list as ArrayLike<number>;
  if (classes.length !== rows) throw new ShapeError(`${place}: expected ${rows}, got ${classes.length}`);
  checkClasses(place, classes, columns);
  return Int32Array.from(classes);
}
