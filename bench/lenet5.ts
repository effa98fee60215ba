/** LeNet-5 for the benchmarks, and how far a correct evaluation is likely to be from float64. */
import { layers, load, sequential, tensor, type Model } from "../src/index.ts";
import type { Tensor } from "../src/tensor.ts";

/** The unit roundoff of float32. */
const UNIT_ROUNDOFF = 2 ** -24;
/** Standard deviations by which a correct output may be off. */
const DEVIATIONS = 4;

/** With relu and max pooling. Biases are not zero, so that a peer that leaves them out is found out. */
export function lenet5(): Model {
  const biasInitializer = { constant: 0.1 };
  const relu = { activation: "relu", biasInitializer } as const;
  return sequential({
    inputShape: [28, 28, 1],
    layers: [
      layers.conv2d({ filters: 6, kernelSize: 5, padding: "same", ...relu }),
      layers.maxPooling2d({ poolSize: 2 }),
      layers.conv2d({ filters: 16, kernelSize: 5, ...relu }),
      layers.maxPooling2d({ poolSize: 2 }),
      layers.flatten(),
      layers.dense({ units: 120, ...relu }),
      layers.dense({ units: 84, ...relu }),
      layers.dense({ units: 10, biasInitializer }),
    ],
    seed: 1,
  });
}

/**
 * Outputs in float64, and how far a float32 evaluation is likely to be from each, in whatever order it adds. Rounding
 * errors are taken as independent with mean zero (Higham and Mary, SIAM J. Sci. Comput. 41, 2019): in a sum of n steps
 * they grow as √n, and those of different sums add in squares. A bound of the worst case would be of the size of the
 * outputs after five layers, and tell nothing.
 */
interface Evaluation {
  /** Height and width; channels lie innermost. */
  readonly side: number;
  readonly values: Float64Array;
  readonly deviations: Float64Array;
}

/** The sizes behind the sums of a layer. */
interface Affine {
  /** Height and width of the filters; a dense layer's are those of its input. */
  readonly kernelSize: number;
  readonly padding: number;
  readonly relu: boolean;
}

/** A convolution with stride 1. */
function affine(x: Evaluation, kernel: Tensor, bias: Tensor, options: Affine): Evaluation {
  const { kernelSize, padding, relu } = options;
  const f = bias.data.length;
  const c = x.values.length / x.side ** 2;
  const side = x.side + 2 * padding - kernelSize + 1;
  const rounding = Math.sqrt(kernelSize ** 2 * c + 1) * UNIT_ROUNDOFF;
  const values = new Float64Array(side * side * f);
  const deviations = new Float64Array(values.length);
  for (let index = 0; index < values.length; index++) {
    const [pixel, filter] = [Math.floor(index / f), index % f];
    let sum = bias.data[filter]!;
    let magnitude = Math.abs(sum);
    let carried = 0;
    for (let tap = 0; tap < kernelSize ** 2; tap++) {
      const row = Math.floor(pixel / side) - padding + Math.floor(tap / kernelSize);
      const column = (pixel % side) - padding + (tap % kernelSize);
      if (Math.min(row, column) < 0 || Math.max(row, column) >= x.side) continue;
      for (let channel = 0; channel < c; channel++) {
        const at = (row * x.side + column) * c + channel;
        const weight = kernel.data[(tap * c + channel) * f + filter]!;
        sum += weight * x.values[at]!;
        magnitude += Math.abs(weight * x.values[at]!);
        carried += (weight * x.deviations[at]!) ** 2;
      }
    }
    values[index] = relu ? Math.max(0, sum) : sum;
    deviations[index] = Math.sqrt(carried + (rounding * magnitude) ** 2);
  }
  return { side, values, deviations };
}

/** Maxima of 2×2 pixels: as far off as the worst of the four. */
function maxPool(x: Evaluation): Evaluation {
  const side = x.side / 2;
  const c = x.values.length / x.side ** 2;
  const values = new Float64Array(side * side * c);
  const deviations = new Float64Array(values.length);
  for (let index = 0; index < values.length; index++) {
    const [pixel, channel] = [Math.floor(index / c), index % c];
    const corner = 2 * Math.floor(pixel / side) * x.side + 2 * (pixel % side);
    const four = [0, 1, x.side, x.side + 1].map((step) => (corner + step) * c + channel);
    values[index] = Math.max(...four.map((at) => x.values[at]!));
    deviations[index] = Math.max(...four.map((at) => x.deviations[at]!));
  }
  return { side, values, deviations };
}

/** The logits of `model`, which is `lenet5()`, for one image. */
function evaluateInFloat64(model: Model, image: Float32Array): Evaluation {
  const { weights } = model;
  const layer = (x: Evaluation, name: string, kernelSize: number, padding = 0, relu = true): Evaluation =>
    affine(x, weights.get(`${name}.kernel`)!, weights.get(`${name}.bias`)!, { kernelSize, padding, relu });
  const values = Float64Array.from(image);
  const input: Evaluation = { side: 28, values, deviations: new Float64Array(values.length) };
  const first = maxPool(layer(input, "conv2d", 5, 2));
  const second = maxPool(layer(first, "conv2d_1", 5));
  return layer(layer(layer(second, "dense", 5), "dense_1", 1), "dense_2", 1, 0, false);
}

/** Outputs, and by how much others may differ; without tolerances they may not. */
export interface Expected {
  readonly logits: ArrayLike<number>;
  readonly tolerance?: ArrayLike<number>;
}

/** Largest difference. @throws Error when one is above its tolerance. */
export function compareLogits(name: string, given: ArrayLike<number>, expected: Expected): number {
  const { logits, tolerance } = expected;
  if (given.length !== logits.length) {
    throw new Error(`${name}: expected ${logits.length} logits, got ${given.length}`);
  }
  return Array.from(logits).reduce((worst, logit, i) => {
    const difference = Math.abs(given[i]! - logit);
    const most = tolerance?.[i] ?? 0;
    if (difference <= most) return Math.max(worst, difference);
    throw new Error(`${name}: logit ${i}: expected ${logit} ± ${most}, got ${given[i]}`);
  }, 0);
}

/**
 * The package's logits of `model`, which is `lenet5()`, and by how much a peer's may differ from them.
 * @throws Error when the package's are too far from float64.
 */
export async function expectLogits(model: Model, image: Float32Array): Promise<Expected> {
  const engine = await load();
  model.compile({ engine });
  const { data: logits } = model.predict(tensor(image, [1, 28, 28, 1]));
  const { values, deviations } = evaluateInFloat64(model, image);
  engine.dispose();
  const tolerance = deviations.map((deviation) => DEVIATIONS * deviation);
  compareLogits("im2row", logits, { logits: values, tolerance });
  // Two evaluations are off independently: their deviations add in squares.
  return { logits, tolerance: tolerance.map((most) => Math.SQRT2 * most) };
}
