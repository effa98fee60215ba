/** An image combined with a row for each image, in float64: `x[images, rows, c]`, `s[images, c]`. */

export interface Rows {
  images: number;
  rows: number;
  c: number;
}

/** The index of the row's element that element `i` of the image meets. */
const rowIndex = ({ rows, c }: Rows, i: number): number => Math.floor(i / (rows * c)) * c + (i % c);

/** Each element of the image combined with its element of the row. */
export function combine(
  given: Rows,
  x: ArrayLike<number>,
  s: ArrayLike<number>,
  each: (x: number, s: number) => number,
): number[] {
  return Array.from(x, (value, i) => each(value, s[rowIndex(given, i)]!));
}

/** `Σ dy·factor(x)` down the columns of each image, and `Σ |dy·factor(x)|`. */
export function columnSums(
  given: Rows,
  dy: ArrayLike<number>,
  factor: (i: number) => number,
): { sum: Float64Array; absolute: Float64Array } {
  const sum = new Float64Array(given.images * given.c);
  const absolute = new Float64Array(sum.length);
  for (let i = 0; i < dy.length; i++) {
    const term = dy[i]! * factor(i);
    sum[rowIndex(given, i)]! += term;
    absolute[rowIndex(given, i)]! += Math.abs(term);
  }
  return { sum, absolute };
}
