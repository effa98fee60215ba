/** Activations and softmax in float64, straight from their definitions. */

export const LINEAR = 0;
export const RELU = 1;
export const LEAKY_RELU = 2;
export const SIGMOID = 3;
export const TANH = 4;

export function activation(kind: number, alpha: number, x: number): number {
  switch (kind) {
    case RELU:
      return x < 0 ? 0 : x;
    case LEAKY_RELU:
      return x < 0 ? alpha * x : x;
    case SIGMOID:
      return 1 / (1 + Math.exp(-x));
    case TANH:
      return Math.tanh(x);
    default:
      return x;
  }
}

/** Softmax of one row. */
export function softmax(row: ArrayLike<number>): number[] {
  const largest = Math.max(...Array.from(row));
  const terms = Array.from(row, (value) => Math.exp(value - largest));
  const sum = terms.reduce((total, term) => total + term, 0);
  return terms.map((term) => term / sum);
}

/** The rows of a matrix of `cols` columns. */
export function rowsOf(matrix: ArrayLike<number>, cols: number): number[][] {
  const values = Array.from(matrix);
  return Array.from({ length: values.length / cols }, (_, row) => values.slice(row * cols, (row + 1) * cols));
}
