/** What a trained net shows of itself: its worst mistakes and its first filters. */
import { resize } from "../../images/resize.ts";
import { tensor, type Engine, type Tensor } from "../../index.ts";
import { argmaxRows } from "../report.ts";
import type { HeldOut, Judged } from "../train/task.ts";
import type { Filters, Mistake, Picture } from "./trainingReport.ts";

/** What is shown has a limit, however large data and net are. */
export const MOST_MISTAKES = 24;
export const MOST_PLANES = 64;
/** Pixels of the longer side of a picture, grey or coloured; larger images are made smaller. */
export const MOST_SIDE = 64;
export const MOST_COLOURED_SIDE = 48;

/** A picture that is no larger than the limit. */
function limited(engine: Engine, picture: Picture): Picture {
  const { width, height, channels, pixels } = picture;
  const scale = (channels === 1 ? MOST_SIDE : MOST_COLOURED_SIDE) / Math.max(height, width);
  if (scale >= 1) return picture;
  const size = [height, width].map((side) => Math.max(1, Math.round(side * scale))) as [number, number];
  const { data } = resize(engine, { shape: [height, width, channels], data: pixels }, { size });
  return { height: size[0], width: size[1], channels, pixels: data };
}

/** What a net made of held-out images, and these. */
type JudgedImages = Judged & Pick<HeldOut, "picture" | "file">;

/** The scores of one image as a batch. */
function rowOf(scores: Float32Array, classes: number, index: number): Tensor {
  return tensor(scores.slice(index * classes, (index + 1) * classes), [1, classes]);
}

/**
 * The images that were taken for another class, by their losses, the largest first; of equal losses the first image. Scores
 * are the logits `[n, classes]`.
 */
export async function worstMistakes(
  engine: Engine,
  { labels, scores, picture, file }: JudgedImages,
  classes: number,
  most = MOST_MISTAKES,
): Promise<Mistake[]> {
  const predicted = argmaxRows(scores, classes);
  const wrong = [...labels.keys()].filter((index) => labels[index] !== predicted[index]);
  // The loss of each is the kernel's own: by the probabilities those of hopeless mistakes would all be infinite.
  const losses = wrong.map((index) => ({
    index,
    loss: engine.softmaxCrossEntropy(rowOf(scores, classes, index), labels.slice(index, index + 1)).loss,
  }));
  const worst = losses.sort((a, b) => b.loss - a.loss || a.index - b.index).slice(0, most);
  const mistakes: Mistake[] = [];
  for (const { index, loss } of worst) {
    const [truth, taken] = [labels[index]!, predicted[index]!];
    const probabilities = engine.activation(rowOf(scores, classes, index), "softmax").data;
    mistakes.push({
      index,
      file: file?.(index),
      truth,
      predicted: taken,
      loss,
      truthProbability: probabilities[truth]!,
      predictedProbability: probabilities[taken]!,
      picture: limited(engine, await picture(index)),
    });
  }
  return mistakes;
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
