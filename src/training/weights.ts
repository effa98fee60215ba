/** Weights of images in `fit`, and the share of images that is kept for validation. */
import { OptionError, ShapeError } from "../errors.ts";
import { isPlainObject, numberIn, show } from "../options.ts";
import type { LabelledImages } from "./evaluation.ts";
import { argmax } from "./metrics/metric.ts";

/** By the number of a class, the weight of its images. */
export type ClassWeights = Readonly<Record<number, number>>;

type Data = Omit<LabelledImages, "objective">;

/** @throws ShapeError, OptionError unless there are `n` finite weights ≥ 0 */
function readSampleWeights(where: string, weights: ArrayLike<number>, n: number): Float32Array {
  if (weights?.length !== n) throw new ShapeError(`${where}: expected ${n} weights, got ${show(weights)}`);
  return Float32Array.from({ length: n }, (_, i) => numberIn(`${where}[${i}]`, weights[i], 0));
}

/** A weight for each class; 1 for those that have none. @throws OptionError */
function readClassWeights(where: string, weights: ClassWeights, classes: number): Float32Array {
  if (!isPlainObject(weights)) {
    throw new OptionError(`${where}: expected { class: weight }, got ${show(weights)}`);
  }
  const own = new Float32Array(classes).fill(1);
  for (const [key, weight] of Object.entries(weights)) {
    if (!(String(Number(key)) === key && Number(key) in own)) {
      throw new OptionError(`${where}: expected classes from 0 to ${classes - 1}, got ${show(key)}`);
    }
    own[Number(key)] = numberIn(`${where}: ${key}`, weight, 0);
  }
  return own;
}

/** The weight of each image's class. @throws OptionError unless the one output has a class for an image */
function weightsByClass(
  where: string,
  weights: ClassWeights,
  { objective: { outputs }, targets, count }: LabelledImages,
): Float32Array {
  const [{ size, columns }] = outputs as [LabelledImages["objective"]["outputs"][0]];
  if (outputs.length > 1 || size !== columns || columns === 1) {
    throw new OptionError(`${where}: expected a model with one output, a class an image`);
  }
  const byClass = readClassWeights(where, weights, columns);
  const { classes, data } = targets[0]!;
  const classAt = (i: number): number =>
    classes ? data[i]! : argmax((data as Float32Array).subarray(i * columns, (i + 1) * columns));
  return Float32Array.from({ length: count }, (_, i) => byClass[classAt(i)]!);
}

/**
 * The data with a weight for each image: its own, or that of its class.
 * @throws ShapeError, OptionError; also when both are passed, as in Keras
 */
export function weigh(
  where: string,
  data: LabelledImages,
  sampleWeight: ArrayLike<number> | undefined,
  classWeight: ClassWeights | undefined,
): LabelledImages {
  if (sampleWeight === undefined && classWeight === undefined) return data;
  if (sampleWeight !== undefined && classWeight !== undefined) {
    throw new OptionError(`${where}: expected sampleWeight or classWeight, got both`);
  }
  const weights =
    sampleWeight === undefined
      ? weightsByClass(`${where}: classWeight`, classWeight!, data)
      : readSampleWeights(`${where}: sampleWeight`, sampleWeight, data.count);
  return { ...data, weights };
}

/** The images from `start` to `end`. */
function slice<D extends Data>(data: D, start: number, end: number): D {
  const count = end - start;
  return {
    ...data,
    images: data.images.map(({ shape, data: values }) => {
      const size = values.length / data.count;
      return { shape: [count, ...shape.slice(1)], data: values.subarray(start * size, end * size) };
    }),
    targets: data.targets.map((targets) => ({
      ...targets,
      data: targets.data.subarray(start * targets.size, end * targets.size),
    })),
    count,
    weights: data.weights?.subarray(start, end),
  };
}

/**
 * Cuts off the last share of the images, ⌊count · (1 − share)⌋ remain, as Keras does. @throws OptionError when either part
 * would be empty
 */
export function splitLast<D extends Data>(where: string, data: D, share: number): readonly [D, D] {
  const { count } = data;
  const at = Math.floor(count * (1 - share));
  if (at === 0 || at === count) {
    throw new OptionError(`${where}: expected images on either side, got ${share} of ${count}`);
  }
  return [slice(data, 0, at), slice(data, at, count)];
}
