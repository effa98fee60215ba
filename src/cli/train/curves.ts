/** Curves of a training run, of no more points than a picture shows, however long the run. */
import type { BatchState } from "../progress.ts";

/** Loss and accuracy of a stretch of training, or of the held-out images after an epoch. */
export interface CurvePoint {
  /** Epochs since the start of the run, at the end of the stretch. */
  readonly epochs: number;
  readonly loss: number;
  readonly accuracy: number;
}

/** The means of an epoch, and what the held-out images gave after it. */
export interface EpochPoint extends CurvePoint {
  readonly heldOutLoss: number;
  readonly heldOutAccuracy: number;
}

export interface TrainingCurves {
  /** Means over stretches of batches that follow each other; none has fewer than one batch. */
  readonly training: readonly CurvePoint[];
  /** All epochs, or as many as fit, evenly spread; the last one is among them. */
  readonly epochs: readonly EpochPoint[];
}

interface Sums {
  images: number;
  loss: number;
  correct: number;
}

/** Curves of a run that is not at its end, with what the next points are made of. */
export interface RecordedCurves extends TrainingCurves {
  readonly stretch: Sums;
  readonly before: Sums;
}

/** Points of the curves by batches, few enough to see a trend in, and by epochs, which a table can show. */
export const MOST_POINTS = 120;
export const MOST_EPOCHS = 60;

/** Whether the last of `done` is where one of at most `most` even stretches of `total` ends. */
function endsStretch(done: number, total: number, most: number): boolean {
  const stretches = Math.min(total, most);
  return Math.floor((done * stretches) / total) > Math.floor(((done - 1) * stretches) / total);
}

/** Records the curves while `fit` runs, from what its callbacks are told. */
export class CurveRecorder {
  readonly #training: CurvePoint[] = [];
  readonly #epochs: EpochPoint[] = [];
  /** Sums over the images of the stretch, and over those of the epoch before it. */
  #stretch: Sums = { images: 0, loss: 0, correct: 0 };
  #before: Sums = { images: 0, loss: 0, correct: 0 };

  constructor(
    readonly epochs: number,
    readonly images: number,
    readonly batchSize: number,
  ) {}

  get curves(): TrainingCurves {
    return { training: this.#training, epochs: this.#epochs };
  }

  /** A copy of all that it has recorded. */
  get state(): RecordedCurves {
    const copy = <T extends object>(points: readonly T[]): T[] => points.map((point) => ({ ...point }));
    return {
      training: copy(this.#training),
      epochs: copy(this.#epochs),
      stretch: { ...this.#stretch },
      before: { ...this.#before },
    };
  }

  /** Goes on from where `state` was read. */
  restore({ training, epochs, stretch, before }: RecordedCurves): void {
    this.#training.splice(0, Infinity, ...training);
    this.#epochs.splice(0, Infinity, ...epochs);
    this.#stretch = { ...stretch };
    this.#before = { ...before };
  }

  /** Takes the running means of the epoch after a batch. */
  batch({ epoch, batch, batches, loss, accuracy }: Omit<BatchState, "rate">): void {
    const images = Math.min(batch * this.batchSize, this.images);
    const sums = { images, loss: loss * images, correct: accuracy * images };
    const stretch = this.#stretch;
    stretch.images += sums.images - this.#before.images;
    stretch.loss += sums.loss - this.#before.loss;
    stretch.correct += sums.correct - this.#before.correct;
    this.#before = batch === batches ? { images: 0, loss: 0, correct: 0 } : sums;
    const done = (epoch - 1) * batches + batch;
    if (!endsStretch(done, this.epochs * batches, MOST_POINTS)) return;
    this.#training.push({
      epochs: done / batches,
      loss: stretch.loss / stretch.images,
      accuracy: stretch.correct / stretch.images,
    });
    this.#stretch = { images: 0, loss: 0, correct: 0 };
  }

  /** Takes the means of an epoch. */
  epoch(point: EpochPoint): void {
    if (endsStretch(point.epochs, this.epochs, MOST_EPOCHS)) this.#epochs.push(point);
  }
}

/** The curves of two runs of which the second goes on where the first ended. */
export function joinedCurves(first: TrainingCurves, second: TrainingCurves): TrainingCurves {
  const { epochs: done } = first.epochs.at(-1)!;
  const later = <Point extends CurvePoint>(point: Point): Point => ({
    ...point,
    epochs: done + point.epochs,
  });
  return {
    training: [...first.training, ...second.training.map(later)],
    epochs: [...first.epochs, ...second.epochs.map(later)],
  };
}

const BLOCKS = "▁▂▃▄▅▆▇█";

/** Smaller losses look like this one. */
const LEAST = 1e-6;

/**
 * Values above 0 as blocks; means of neighbours where there are more than `width`. Heights go by the logarithm, as losses
 * fall: from the least to the largest.
 */
export function sparkline(values: readonly number[], width = 48): string {
  const columns = Math.min(width, values.length);
  const heights = Array.from({ length: columns }, (_, column) => {
    const start = Math.floor((column * values.length) / columns);
    const part = values.slice(start, Math.floor(((column + 1) * values.length) / columns));
    return Math.log(Math.max(LEAST, part.reduce((sum, value) => sum + value, 0) / part.length));
  });
  const [low, high] = [Math.min(...heights), Math.max(...heights)];
  const level = (height: number): number =>
    high > low ? Math.round(((BLOCKS.length - 1) * (height - low)) / (high - low)) : 0;
  return heights.map((height) => BLOCKS[level(height)]!).join("");
}
