/** Images of another size in float64: each output pixel from the weights of all input pixels. */

/** The weight of input `j` in an output at `place`: 1 at the place itself, falling to 0 at a distance of 1. */
const hat = (place: number, j: number): number => Math.max(0, 1 - Math.abs(place - j));

export interface Resize {
  n: number;
  h: number;
  w: number;
  c: number;
  /** Places of the output rows and columns among those of the input, none beyond its ends. */
  rows: readonly number[];
  columns: readonly number[];
}

/** Calls `each` with every pair of an output and an input element that have to do with each other, and the weight. */
function eachPair(
  { n, h, w, c, rows, columns }: Resize,
  each: (output: number, input: number, weight: number) => void,
): void {
  const [oh, ow] = [rows.length, columns.length];
  for (let i = 0; i < n * oh * ow * c; i++) {
    const [ch, ox, oy] = [i % c, Math.floor(i / c) % ow, Math.floor(i / (c * ow)) % oh];
    const image = Math.floor(i / (c * ow * oh));
    for (let iy = 0; iy < h; iy++) {
      for (let ix = 0; ix < w; ix++) {
        const weight = hat(rows[oy]!, iy) * hat(columns[ox]!, ix);
        if (weight > 0) each(i, ((image * h + iy) * w + ix) * c + ch, weight);
      }
    }
  }
}

export function resize(given: Resize, x: ArrayLike<number>): Float64Array {
  const y = new Float64Array(given.n * given.rows.length * given.columns.length * given.c);
  eachPair(given, (output, input, weight) => void (y[output]! += weight * x[input]!));
  return y;
}

/** The gradient, and how many outputs each input is part of. */
export function resizeGradient(
  given: Resize,
  dy: ArrayLike<number>,
): { dx: Float64Array; terms: Float64Array; absolute: Float64Array } {
  const size = given.n * given.h * given.w * given.c;
  const [dx, terms, absolute] = [new Float64Array(size), new Float64Array(size), new Float64Array(size)];
  eachPair(given, (output, input, weight) => {
    dx[input]! += weight * dy[output]!;
    absolute[input]! += weight * Math.abs(dy[output]!);
    terms[input]!++;
  });
  return { dx, terms, absolute };
}
