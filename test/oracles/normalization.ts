/** Normalization in float64, straight from its definition. */

/** `x[images, rows, c]` in sets of an image's channels, in `groups`, over all rows. */
export interface Cut {
  images: number;
  rows: number;
  c: number;
  groups: number;
}

/** A mean and a variance for each set. */
export interface Statistics {
  mean: number[];
  variance: number[];
}

export interface Affine {
  epsilon: number;
  gamma: ArrayLike<number>;
  beta: ArrayLike<number>;
}

/** The set of element `i`, and its channel. */
export function placeOf({ rows, c, groups }: Cut, i: number): { set: number; channel: number } {
  const channel = i % c;
  const image = Math.floor(i / (rows * c));
  return { set: image * groups + Math.floor((channel * groups) / c), channel };
}

const mean = (values: readonly number[]): number => values.reduce((sum, v) => sum + v, 0) / values.length;

/** The mean over its set of each element's value. */
export function setMeans(cut: Cut, values: ArrayLike<number>): number[] {
  const sets: number[][] = Array.from({ length: cut.images * cut.groups }, () => []);
  Array.from(values).forEach((value, i) => sets[placeOf(cut, i).set]!.push(value));
  return sets.map(mean);
}

export function statistics(cut: Cut, x: ArrayLike<number>): Statistics {
  const means = setMeans(cut, x);
  const squares = Array.from(x, (value, i) => (value - means[placeOf(cut, i).set]!) ** 2);
  return { mean: means, variance: setMeans(cut, squares) };
}

/** `gamma·(x − mean) / √(variance + epsilon) + beta`. */
export function normalize(
  cut: Cut,
  x: ArrayLike<number>,
  { mean: means, variance }: Statistics,
  { epsilon, gamma, beta }: Affine,
): number[] {
  return Array.from(x, (value, i) => {
    const { set, channel } = placeOf(cut, i);
    const normal = (value - means[set]!) / Math.sqrt(variance[set]! + epsilon);
    return gamma[channel]! * normal + beta[channel]!;
  });
}
