import { OptionError, ShapeError } from "./errors.ts";
import { lengthOf, show } from "./options.ts";
import { noTensor, readTensor, sizeOf, type Filled, type Shape, type Tensor } from "./tensor.ts";

/** Class numbers, one a row: whole numbers of whatever type. */
export type ClassNumbers =
  | readonly number[]
  | Int8Array
  | Uint8Array
  | Uint8ClampedArray
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | Float32Array
  | Float64Array
  | BigInt64Array
  | BigUint64Array;

/**
 * Labels are compared with outputs: class numbers `[n]`, or a tensor of the shape of the output (one-hot rows, values).
 */
export type Labels = ClassNumbers | Tensor;

/** The values that a loss takes as labels: finite numbers, numbers from 0 to 1, or rows of such that sum to one. */
export type LabelRange = "finite" | "unit" | "distribution";

/** The sum of a distribution may differ from one by this: more than rounding to float16 or to four digits costs. */
const SLACK = 1e-3;

/**
 * The class numbers in labels; undefined for a tensor of several dimensions, which `into` is then. @throws ShapeError
 */
export function classList(where: string, labels: Labels, into: Filled): ArrayLike<unknown> | undefined {
  if (typeof labels === "object" && labels !== null && "shape" in labels) {
    const { shape, data } = readTensor(where, labels, undefined, into);
    return shape.length === 1 ? data : undefined;
  }
  if (typeof labels?.length === "number") return labels;
  throw new ShapeError(`${where}: expected an array or a tensor, got ${show(labels)}`);
}

/**
 * Copies `into.length ≥ n` class numbers below `count`. Each is read once and what was read is checked: kernels use them
 * as indices, and the caller's array may have getters or change in another thread meanwhile.
 * @throws OptionError naming the first that is none
 */
export function copyClasses(
  where: string,
  labels: ArrayLike<unknown>,
  n: number,
  count: number,
  into: Int32Array,
): void {
  for (let i = 0; i < n; i++) {
    const given = labels[i];
    // A list of a bigint is no list of numbers; an array of int64 holds nothing else.
    const label = typeof given === "bigint" && ArrayBuffer.isView(labels) ? Number(given) : given;
    if (!(Number.isInteger(label) && (label as number) >= 0 && (label as number) < count)) {
      throw new OptionError(`${where}[${i}]: expected a class from 0 to ${count - 1}, got ${show(given)}`);
    }
    into[i] = label as number;
  }
}

/**
 * Copies the values of labels of this shape, as `copyClasses` does. @throws OptionError naming the first out of range
 */
export function copyValues(
  where: string,
  values: ArrayLike<number>,
  shape: Shape,
  range: LabelRange,
  into: Float32Array,
): void {
  const size = sizeOf(shape);
  const columns = range === "distribution" ? shape.at(-1)! : size;
  const least = range === "finite" ? -Infinity : 0;
  const most = range === "finite" ? Infinity : range === "unit" ? 1 : 1 + SLACK;
  for (let first = 0; first < size; first += columns) {
    let sum = 0;
    for (let i = first; i < first + columns; i++) {
      const value = (into[i] = values[i]!);
      if (!(value >= least && value <= most && Number.isFinite(value))) {
        const expected = range === "finite" ? "a finite number" : "a number from 0 to 1";
        throw new OptionError(`${where}${indexText(i, shape)}: expected ${expected}, got ${show(value)}`);
      }
      sum += value;
    }
    if (range === "distribution" && Math.abs(sum - 1) > SLACK) {
      const row = indexText(first / columns, shape.slice(0, -1));
      throw new OptionError(`${where}${row}: expected numbers that sum to 1, got a sum of ${sum}`);
    }
  }
}

/** The index of an element as text, `[1, 0, 2]`. */
function indexText(i: number, shape: Shape): string {
  const index: number[] = [];
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    index.unshift(i % shape[axis]!);
    i = Math.floor(i / shape[axis]!);
  }
  return `[${index.join(", ")}]`;
}

/**
 * Class numbers as kernels take them, one a row of `columns`; or the labels as they were read when they are a tensor of
 * several dimensions.
 * @throws ShapeError, OptionError naming the place, the expected and the given.
 */
export function classNumbers(
  where: string,
  labels: Labels,
  rows: number,
  columns: number,
): Int32Array | Filled {
  const place = `${where}: labels`;
  const tensor = noTensor();
  const list = classList(place, labels, tensor);
  if (!list) return tensor;
  const given = lengthOf(list);
  if (given !== rows) throw new ShapeError(`${place}: expected ${rows}, got ${given}`);
  const classes = new Int32Array(rows);
  copyClasses(place, list, rows, columns, classes);
  return classes;
}
