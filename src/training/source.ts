/** Where `fit` gets its batches from: tensors that the caller holds, or a stream. */
import { ShapeError } from "../errors.ts";
import { show } from "../options.ts";
import { Random } from "../random.ts";
import { isThenable, readStream, type Step, type Stream } from "../stream.ts";
import type { TrainingBatch } from "./batch.ts";
import type { LabelledImages } from "./evaluation.ts";
import type { Trainer } from "./trainer.ts";

/** The batches of each epoch in turn. */
export interface BatchSource {
  /** Batches of an epoch, where they are known before it. */
  readonly batches: number | undefined;
  /** The batch that `next` came to. */
  readonly batch: TrainingBatch;
  /** Begins an epoch, which is counted from 1 in this run. */
  begin(epoch: number): void;
  /** Goes on to the next batch; false when there is none. A promise if it has to be waited for. */
  next(): boolean | PromiseLike<boolean>;
  /** Ends the run, perhaps within an epoch. */
  close(): void;
}

/** Batches of tensors, in their own order or in one that is drawn for each epoch. Allocates nothing once it was made. */
export class HeldBatches implements BatchSource {
  readonly batch: TrainingBatch;
  readonly batches: number;
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
    this.#size = Math.min(batchSize, count);
    this.batches = Math.ceil(count / this.#size);
    const order = shuffle ? new Uint32Array(count) : undefined;
    this.batch = { images, targets, order, weights, start: 0, count: 0, epoch: 0 };
  }

  begin(): void {
    const { batch } = this;
    this.#trainer.reserve(this.#size);
    batch.start = batch.count = 0;
    batch.epoch = this.#trainer.epochs;
    if (batch.order) drawOrder(batch.order, this.#trainer);
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
  batch = NO_BATCH;
  readonly #trainer: Trainer;
  readonly #stream: Stream<unknown>;
  readonly #check: (where: string, batch: unknown) => StreamBatch;
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

  begin(epoch: number): void {
    const { epochs } = this.#trainer;
    let seen = 0;
    this.#steps = readStream(`fit: epoch ${epoch}`, this.#stream, epochs + 1, false, (batch, place) => {
      const { images, targets, count, weights, indices } = this.#check(place, batch);
      const numbers = readIndices(`${place}: indices`, indices, seen, count);
      this.batch = { images, targets, weights, indices: numbers, start: 0, count, epoch: epochs };
      seen += count;
      return [undefined];
    });
  }

  next(): boolean | PromiseLike<boolean> {
    this.batch = NO_BATCH;
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
