/** What a trained net shows of itself: its worst mistakes and its first filters. */
import { resize } from "../../images/resize.ts";
import { tensor, type Engine, type Tensor } from "../../index.ts";
import { pixelsOf, type Split } from "../data.ts";
import { argmaxRows } from "../report.ts";
import type { Filters, GreyPicture, Mistake } from "./trainingReport.ts";

/** What is shown has a limit, however large data and net are. */
export const MOST_MISTAKES = 24;
export const MOST_PLANES = 64;
/** Pixels of the longer side of a picture; larger images are made smaller. */
export const MOST_SIDE = 64;

/** The image as it was before it was normalised, no larger than the limit. */
function pictureOf(engine: Engine, { images }: Split, index: number): GreyPicture {
  const [height, width] = images.shape.slice(1, 3) as [number, number];
  const pixels = pixelsOf(images, index);
  const scale = MOST_SIDE / Math.max(height, width);
  if (scale >= 1) return { width, height, pixels };
  const size = [height, width].map((side) => Math.max(1, Math.round(side * scale))) as [number, number];
  const { data } = resize(engine, { shape: [height, width, 1], data: pixels }, { size });
  return { height: size[0], width: size[1], pixels: data };
}

/**
 * The images of a split that were taken for another class, by their losses, the largest first; of equal losses the first
 * image. `scores` are the logits `[n, classes]`.
 */
export function worstMistakes(
  engine: Engine,
  split: Split,
  scores: Float32Array,
  classes: number,
  most = MOST_MISTAKES,
): Mistake[] {
  const { labels } = split;
  const predicted = argmaxRows(scores, classes);
  const rowOf = (index: number) => tensor(scores.slice(index * classes, (index + 1) * classes), [1, classes]);
  const wrong = [...labels.keys()].filter((index) => labels[index] !== predicted[index]);
  // The loss of each is the kernel's own: by the probabilities those of hopeless mistakes would all be infinite.
  const losses = wrong.map((index) => ({
    index,
    loss: engine.softmaxCrossEntropy(rowOf(index), labels.slice(index, index + 1)).loss,
  }));
  const worst = losses.sort((a, b) => b.loss - a.loss || a.index - b.index).slice(0, most);
  return worst.map(({ index, loss }) => {
    const [truth, taken] = [labels[index]!, predicted[index]!];
    const probabilities = engine.activation(rowOf(index), "softmax").data;
    return {
      index,
      truth,
      predicted: taken,
      loss,
      truthProbability: probabilities[truth]!,
      predictedProbability: probabilities[taken]!,
      picture: pictureOf(engine, split, index),
    };
  });
}

/** The filters of the first convolution, whose weights are `[h, w, channels, filters]`; undefined if there is none. */
export function firstFilters(weights: ReadonlyMap<string, Tensor>, most = MOST_PLANES): Filters | undefined {
  const [name, kernel] =
    [...weights].find(([weight, { shape }]) => weight.endsWith(".kernel") && shape.length === 4) ?? [];
  if (name === undefined || !kernel) return undefined;
  const [height, width, channels, filters] = kernel.shape as [number, number, number, number];
  const count = channels * filters;
  const planes = Array.from({ length: Math.min(count, most) }, (_, plane) => {
    const first = (plane % channels) * filters + Math.floor(plane / channels);
    return kernel.data.filter((__, i) => i % count === first);
  });
  return { layer: name.slice(0, -".kernel".length), height, width, channels, planes, count };
}
