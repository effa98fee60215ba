/** Sums along an axis in float64, by a matrix of weights `[to][from]`; rows of zeros are the filling. */
export interface Taps {
  outer: number;
  from: number;
  inner: number;
  matrix: readonly (readonly number[])[];
  fill: number;
}

export function taps({ outer, from, inner, matrix, fill }: Taps, x: ArrayLike<number>): Float64Array {
  const to = matrix.length;
  return Float64Array.from({ length: outer * to * inner }, (_, i) => {
    const [o, j, k] = [Math.floor(i / (to * inner)), Math.floor(i / inner) % to, i % inner];
    const weights = matrix[j]!;
    if (weights.every((weight) => weight === 0)) return fill;
    return weights.reduce((sum, weight, p) => sum + weight * x[(o * from + p) * inner + k]!, 0);
  });
}

/** The transposed product. */
export function tapsGradient({ outer, from, inner, matrix }: Taps, dy: ArrayLike<number>): Float64Array {
  const to = matrix.length;
  return Float64Array.from({ length: outer * from * inner }, (_, i) => {
    const [o, p, k] = [Math.floor(i / (from * inner)), Math.floor(i / inner) % from, i % inner];
    return matrix.reduce((sum, weights, j) => sum + weights[p]! * dy[(o * to + j) * inner + k]!, 0);
  });
}
