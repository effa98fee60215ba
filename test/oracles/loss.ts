/** Losses in float64, straight from their definitions. */
import { rowsOf, softmax } from "./activation.ts";

const mean = (values: number[]): number => values.reduce((total, value) => total + value, 0) / values.length;

/** −Σ target · ln softmax(x), the mean over the rows. */
export function crossEntropy(logits: ArrayLike<number>, targets: ArrayLike<number>, cols: number): number {
  const targetRows = rowsOf(targets, cols);
  const losses = rowsOf(logits, cols).map((row, i) => {
    const p = softmax(row);
    return (targetRows[i] as number[]).reduce((sum, t, j) => sum - t * Math.log(p[j] as number), 0);
  });
  return mean(losses);
}

/** `(1 − smoothing)·target + smoothing / cols`. */
export function smoothed(targets: ArrayLike<number>, smoothing: number, cols: number): number[] {
  return Array.from(targets, (target) => (1 - smoothing) * target + smoothing / cols);
}

/** Rows of zeros with a one in the column of the label. */
export function oneHot(labels: ArrayLike<number>, cols: number): Float32Array {
  return Float32Array.from(
    Array.from(labels).flatMap((label) => Array.from({ length: cols }, (_, j) => (j === label ? 1 : 0))),
  );
}

/** A loss of single elements, and what tests of its kernel need to know of it. */
export interface PointwiseOracle {
  /** The loss of one output and its target. */
  of(y: number, target: number, delta: number): number;
  /** The delta to test it with, where its slope has a kink besides that at the target. Default: 0. */
  readonly delta?: number;
  /** Whether outputs are logits, and targets from 0 to 1. */
  readonly logits?: true;
}

/** Losses of single elements by name. The tests of the kernel run through all of them. */
export const POINTWISE: Readonly<Record<string, PointwiseOracle>> = {
  meanSquaredError: { of: (y, target) => (y - target) ** 2 },
  meanAbsoluteError: { of: (y, target) => Math.abs(y - target) },
  huber: {
    delta: 0.75,
    of(y, target, delta) {
      const size = Math.abs(y - target);
      return size > delta ? delta * (size - delta / 2) : size ** 2 / 2;
    },
  },
  sigmoidCrossEntropy: {
    logits: true,
    of: (y, target) => target * Math.log1p(Math.exp(-y)) + (1 - target) * Math.log1p(Math.exp(y)),
  },
};

/** The mean of one of them over all elements. */
export function pointwise(
  { of, delta = 0 }: PointwiseOracle,
  y: ArrayLike<number>,
  targets: ArrayLike<number>,
): number {
  return mean(Array.from(y, (value, i) => of(value, targets[i]!, delta)));
}

/** Rows whose first largest element is in the same column in both. */
export function agreement(y: ArrayLike<number>, targets: ArrayLike<number>, cols: number): number {
  const first = (row: number[]): number => row.indexOf(Math.max(...row));
  const targetRows = rowsOf(targets, cols);
  return rowsOf(y, cols).filter((row, i) => first(row) === first(targetRows[i] as number[])).length;
}
