/** Features on one scale, on which a layer learns at the same rate whatever net they are from. */
import type { Tensor } from "../../index.ts";

/** Of each feature, its mean and its standard deviation over some images; 1 for one that is the same in all of them. */
export interface Scale {
  readonly mean: Float64Array;
  readonly deviation: Float64Array;
}

/** The scale of the features in rows, by sums over the rows in their order. */
export function scaleOf(rows: Float32Array, size: number): Scale {
  const count = rows.length / size;
  const [mean, deviation] = [new Float64Array(size), new Float64Array(size)];
  rows.forEach((value, i) => {
    mean[i % size]! += value / count;
  });
  rows.forEach((value, i) => {
    const difference = value - mean[i % size]!;
    deviation[i % size]! += (difference * difference) / count;
  });
  return { mean, deviation: deviation.map((variance) => (variance > 0 ? Math.sqrt(variance) : 1)) };
}

export function standardized(rows: Float32Array, { mean, deviation }: Scale): Float32Array {
  const size = mean.length;
  return rows.map((value, i) => (value - mean[i % size]!) / deviation[i % size]!);
}

/** Weights by which a dense layer makes of features what it makes of standardized ones by those that are passed. */
export function forRawFeatures(
  weights: ReadonlyMap<string, Tensor>,
  { mean, deviation }: Scale,
): Map<string, Tensor> {
  const [kernel, bias] = [weights.get("kernel")!, weights.get("bias")!];
  const units = bias.shape[0]!;
  const shifts = Float64Array.from(bias.data);
  const scaled = kernel.data.map((weight, i) => {
    const feature = Math.floor(i / units);
    shifts[i % units]! -= (weight * mean[feature]!) / deviation[feature]!;
    return weight / deviation[feature]!;
  });
  return new Map([
    ["kernel", { shape: kernel.shape, data: scaled }],
    ["bias", { shape: bias.shape, data: Float32Array.from(shifts) }],
  ]);
}
