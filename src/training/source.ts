/** Where `fit` gets its batches from: tensors that the caller holds, or a stream. */
import { OptionError, ShapeError } from "../errors.ts";
import { show } from "../options.ts";
import { Random } from "../random.ts";
import type { Interruption } from "../runtime/interruption.ts";
import type { Pace } from "../runtime/yield.ts";
import { isSeekable, isThenable, readStream, type Step, type Stream } from "../stream.ts";
import type { TrainingBatch } from "./batch.ts";
import type { LabelledImages } from "./evaluation.ts";
import type { RunOptions } from "./place.ts";
import type { Trainer } from "./trainer.ts";

/** The batches of each epoch in turn. */
export interface BatchSource {
  /** Batches of an epoch, where they are known before it. */
  readonly batches: number | undefined;
  /** The batch that `next` came to. */
  readonly batch: TrainingBatch;
  /** What a run must have the same to go on. */
  readonly options: Pick<RunOptions, "images" | "batchSize" | "shuffle">;
  /**
   * Begins an epoch, behind its first `done` batches with `images` images. `epoch` names it in messages. Returns the number of
   * batches that are to be skipped. @throws OptionError when so many batches do not have so many images
   */
  begin(epoch: number, done: number, images: number): number;
  /** Goes on to the next batch, which nobody is going to use. */
  skip(): boolean | PromiseLike<boolean>;
  /** Goes on to the next batch; false when there is none. A promise if it has to be waited for. */
  next(): boolean | PromiseLike<boolean>;
  /** Ends the run, perhaps within an epoch. */
  close(): void;
}

/** Batches of tensors, in their own order or in one that is drawn for each epoch. Allocates nothing once it was made. */
export class HeldBatches implements BatchSource {
  readonly batch: TrainingBatch;
  readonly batches: number;
  readonly options: BatchSource["options"];
  readonly #trainer: Trainer;
  readonly #count: number;
  readonly #size: number;

  constructor(
    trainer: Trainer,
    { images, targets, count, weights }: Omit<LabelledImages, "objective">,
    batchSize: number,
    shuffle: boolean,
  ) {
    this.#trainer = trainer;
    this.#count = count;
    this.options = { images: count, batchSize, shuffle };
    this.#size = Math.min(batchSize, count);
    this.batches = Math.ceil(count / this.#size);
    const order = shuffle ? new Uint32Array(count) : undefined;
    this.batch = { images, targets, order, weights, start: 0, count: 0, epoch: 0 };
  }

  begin(_: number, done: number, images: number): number {
    const { batch } = this;
    const start = done * this.#size;
    if (done > this.batches || images !== Math.min(start, this.#count)) {
      throw new OptionError(
        `fit: the checkpoint: batch: expected one of the ${this.batches} of ${this.#count} images, got ${done} with ${images}`,
      );
    }
    this.#trainer.reserve(this.#size);
    batch.start = start;
    batch.count = 0;
    batch.epoch = this.#trainer.epochs;
    if (batch.order) drawOrder(batch.order, this.#trainer);
    return 0;
  }

  skip(): boolean {
    return this.next();
  }

  next(): boolean {
    const { batch } = this;
    batch.start += batch.count;
    batch.count = Math.min(this.#size, this.#count - batch.start);
    return batch.count > 0;
  }

  close(): void {}
}

/** The order of the images in an epoch: a function of the seed and the number of epochs done before alone. */
function drawOrder(order: Uint32Array, { seed, epochs }: Trainer): void {
  for (let i = 0; i < order.length; i++) order[i] = i;
  new Random(seed, epochs).shuffle(order);
}

const NO_BATCH: TrainingBatch = { images: [], targets: [], start: 0, count: 0 };

/** A batch of a stream, checked against the model. */
export interface StreamBatch extends Omit<LabelledImages, "objective"> {
  readonly indices: ArrayLike<number> | undefined;
}

/** Batches of a stream, each of which is let go of before the next one is asked for. */
export class StreamedBatches implements BatchSource {
  readonly batches = undefined;
  readonly options = { images: "stream" } as const;
  batch = NO_BATCH;
  readonly #trainer: Trainer;
  readonly #stream: Stream<unknown>;
  readonly #check: (where: string, batch: unknown) => StreamBatch;
  /** True while batches are read that nobody is going to use. */
  #skips = false;
  /** Reads the epoch. It hands out promises to wait for, and nothing when there is a batch. */
  #steps: Generator<Step, void, unknown> | undefined;

  constructor(
    trainer: Trainer,
    stream: Stream<unknown>,
    check: (where: string, batch: unknown) => StreamBatch,
  ) {
    this.#trainer = trainer;
    this.#stream = stream;
    this.#check = check;
  }

  begin(epoch: number, done: number, images: number): number {
    const { epochs } = this.#trainer;
    const first = isSeekable(this.#stream) ? done : 0;
    let seen = images;
    const use = (batch: unknown, place: string): Iterable<Step> => {
      if (this.#skips) return [undefined];
      const { images: own, targets, count, weights, indices } = this.#check(place, batch);
      const numbers = readIndices(`${place}: indices`, indices, seen, count);
      this.batch = { images: own, targets, weights, indices: numbers, start: 0, count, epoch: epochs };
      seen += count;
      return [undefined];
    };
    this.#steps = readStream(`fit: epoch ${epoch}`, this.#stream, epochs + 1, false, use, first);
    return done - first;
  }

  next(): boolean | PromiseLike<boolean> {
    return this.#read(false);
  }

  skip(): boolean | PromiseLike<boolean> {
    return this.#read(true);
  }

  #read(skips: boolean): boolean | PromiseLike<boolean> {
    this.batch = NO_BATCH;
    this.#skips = skips;
    return this.#go();
  }

  #go(input?: unknown): boolean | PromiseLike<boolean> {
    const { done, value } = this.#steps!.next(input);
    if (isThenable(value)) return value.then((result) => this.#go(result));
    return !done;
  }

  close(): void {
    this.#steps?.return();
  }
}

/** Skips batches of an epoch that a run used before it was interrupted. @throws OptionError when there are not so many */
export async function skipBatches(
  where: string,
  source: BatchSource,
  count: number,
  pace: Pace,
  interruption: Interruption,
): Promise<void> {
  for (let i = 0; i < count; i++) {
    const skipped = source.skip();
    if (!(typeof skipped === "boolean" ? skipped : await interruption.wait(skipped))) {
      throw new OptionError(
        `${where}: expected the ${count} batches that the interrupted run had used, and those behind, got ${i}`,
      );
    }
    interruption.check();
    if (pace.due) await pace.rest();
  }
}

/** The numbers of `count` images: copies of those that were passed, or those that follow `seen`. @throws ShapeError */
function readIndices(
  where: string,
  indices: ArrayLike<number> | undefined,
  seen: number,
  count: number,
): Uint32Array {
  const own = new Uint32Array(count);
  if (indices !== undefined && indices?.length !== count) {
    throw new ShapeError(`${where}: expected ${count} numbers, got ${show(indices)}`);
  }
  for (let i = 0; i < count; i++) {
    const index = indices ? indices[i]! : seen + i;
    own[i] = index;
    if (own[i] !== index) {
      throw new ShapeError(`${where}[${i}]: expected an integer from 0 to 2^32 - 1, got ${show(index)}`);
    }
  }
  return own;
}
