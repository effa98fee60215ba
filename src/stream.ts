/**
 * Streams of batches, which `fit`, `evaluate` and `predict` take in place of tensors for data that do not fit into memory.
 */
import { OptionError, OwnError, ShapeError } from "./errors.ts";
import type { Labels } from "./labels.ts";
import { checkOptions, isPlainObject, show } from "./options.ts";
import type { InputTensor } from "./tensor.ts";

/** Batches at hand, or a function of the epoch, counted from 1 since `compile`, that returns them. */
export type SyncStream<Batch> = Iterable<Batch> | ((epoch: number) => Iterable<Batch>);

/** Batches that may have to be waited for, or a function of the epoch, counted from 1 since `compile`, that returns them. */
export type Stream<Batch> =
  | Iterable<Batch | PromiseLike<Batch>>
  | AsyncIterable<Batch>
  | ((epoch: number) => Iterable<Batch | PromiseLike<Batch>> | AsyncIterable<Batch>);

/** A stream that can begin behind batches that a run has used, without reading them: for runs that go on. */
export interface SeekableStream<Batch> {
  /** The batches of an epoch, counted from 1, behind its first `batches`. */
  from(epoch: number, batches: number): Iterable<Batch | PromiseLike<Batch>> | AsyncIterable<Batch>;
}

/** Images with their labels, in the forms in which `fit` and `evaluate` take either. */
export type LabelledBatch<
  Images = InputTensor | Readonly<Record<string, InputTensor>>,
  BatchLabels = Labels | Readonly<Record<string, Labels>>,
> =
  | readonly [images: Images, labels: BatchLabels]
  | readonly [images: Images, labels: BatchLabels, sampleWeight: ArrayLike<number> | undefined]
  | BatchRecord<Images, BatchLabels>;

/** A batch as a record. */
export interface BatchRecord<
  Images = InputTensor | Readonly<Record<string, InputTensor>>,
  BatchLabels = Labels | Readonly<Record<string, Labels>>,
> {
  readonly images: Images;
  readonly labels: BatchLabels;
  /** The weight of each image in the loss, as the option of `fit`. Default: none, which is as 1 for each. */
  readonly sampleWeight?: ArrayLike<number> | undefined;
  /**
   * The number of each image in the data that the stream is drawn from, integers from 0 to 2³² − 1, by which random draws for
   * the image are known. Default: its place in the epoch.
   */
  readonly indices?: ArrayLike<number> | undefined;
}

type AnyIterator = Iterator<unknown> | AsyncIterator<unknown>;

/** What steps hand out: nothing, or a promise whose value they go on with. */
export type Step = void | PromiseLike<unknown>;

export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as PromiseLike<unknown> | null | undefined)?.then === "function";
}

/** Whether a value is a stream; tensors and records of tensors are none. */
export function isStream(value: unknown): value is Stream<unknown> {
  if (typeof value === "function" || Array.isArray(value)) return true;
  return isPlainObject(value) && (Symbol.asyncIterator in value || Symbol.iterator in value);
}

export function isSeekable<Batch>(stream: object): stream is SeekableStream<Batch> {
  return typeof (stream as Partial<SeekableStream<Batch>>).from === "function";
}

/** @throws OptionError for a bare iterator or generator, whose batches cannot be had again */
export function expectEpochs(where: string, stream: Stream<unknown>, epochs: number): void {
  if (epochs > 1 && typeof (stream as Partial<Iterator<unknown>>).next === "function") {
    throw new OptionError(
      `${where}: expected an iterable, or a function of the epoch, for ${epochs} epochs, got an iterator, which gives its batches once`,
    );
  }
}

/** Iterators that a run has begun to read: they do not begin again. */
const begun = new WeakSet<object>();

/** An epoch's batches behind the first `done`, which only a stream that can be asked for them leaves out. */
function batchesOf(stream: Stream<unknown>, epoch: number, done: number): unknown {
  if (done > 0 && isSeekable(stream)) return stream.from(epoch, done);
  return typeof stream === "function" ? stream(epoch) : stream;
}

/** The iterator over an epoch's batches. @throws OptionError when there is none, or only one that was read before */
function begin(stream: Stream<unknown>, epoch: number, atOnce: boolean, done: number): AnyIterator {
  const batches = batchesOf(stream, epoch, done) as AsyncIterable<unknown> & Iterable<unknown>;
  const open: (() => AnyIterator) | undefined =
    (!atOnce && batches?.[Symbol.asyncIterator]) || batches?.[Symbol.iterator];
  if (!open) {
    const kind = atOnce ? "a synchronous iterable" : "an iterable or async iterable";
    throw new OptionError(`expected ${kind} of batches, got ${show(batches)}`);
  }
  const iterator = open.call(batches);
  if (begun.has(iterator)) {
    throw new OptionError("expected batches from the first on, got an iterator that was read before");
  }
  begun.add(iterator);
  return iterator;
}

/**
 * Reads the batches of an epoch in steps; `use` returns the steps of one. With `atOnce` there is nothing to wait for. Of a
 * stream that can seek, the first `done` batches are left out. When the steps are returned from before their end, the iterator
 * is told. Nobody waits for that, since it may itself wait for what never comes.
 * @throws Error that names the batch, with its cause, when the stream fails or has no batch
 */
export function* readStream(
  where: string,
  stream: Stream<unknown>,
  epoch: number,
  atOnce: boolean,
  use: (batch: unknown, place: string) => Iterable<Step>,
  done = 0,
): Generator<Step, void, unknown> {
  let place = where;
  let iterator: AnyIterator | undefined;
  let ended = false;
  // The batch that was read. It passes through plain functions alone: a generator that waits may keep alive what its own
  // frame has held, though nothing reads it again.
  let read: unknown;
  const keep = (result: unknown): Step => {
    if (typeof result !== "object" || result === null) {
      throw new OptionError(`expected { done, value } of the iterator's next(), got ${show(result)}`);
    }
    const { done: last, value } = result as IteratorResult<unknown>;
    ended = last === true;
    if (atOnce || ended || !isThenable(value)) read = value;
    else return value.then((batch) => void (read = batch));
  };
  const next = (): Step => {
    const result = iterator!.next();
    return isThenable(result) ? result.then(keep) : keep(result);
  };
  const steps = (): Iterable<Step> => {
    const batch = read;
    read = undefined;
    return use(batch, place);
  };
  const fail = (cause: unknown): never => {
    // Iterators that failed are not closed.
    iterator = undefined;
    const Kind = cause instanceof OptionError ? OptionError : OwnError;
    throw new Kind(`${place}: ${cause instanceof Error ? cause.message : show(cause)}`, { cause });
  };
  try {
    for (let batch = done + 1; ; batch++) {
      try {
        iterator ??= begin(stream, epoch, atOnce, done);
        place = `${where}: batch ${batch}`;
        const reading = next();
        if (reading) yield reading.then(undefined, fail);
        if (ended) {
          iterator = undefined;
          if (batch === 1) throw new OptionError("expected at least one batch, got none");
          return;
        }
      } catch (error) {
        fail(error);
      }
      yield* steps();
    }
  } finally {
    close(iterator);
  }
}

function close(iterator: AnyIterator | undefined): void {
  try {
    const closed: unknown = iterator?.return?.();
    if (isThenable(closed)) closed.then(undefined, () => {});
  } catch {
    // The run ends for a reason of its own.
  }
}

/** The parts of a batch with labels. @throws OptionError, ShapeError */
export function readBatch(where: string, batch: unknown): BatchRecord {
  if (Array.isArray(batch) && (batch.length === 2 || batch.length === 3)) {
    const [images, labels, sampleWeight] = batch as unknown as Extract<LabelledBatch, readonly unknown[]>;
    return { images, labels, sampleWeight };
  }
  if (!isPlainObject(batch) || !("images" in batch)) {
    throw new ShapeError(`${where}: expected [images, labels] or { images, labels }, got ${show(batch)}`);
  }
  checkOptions(where, batch, ["images", "labels", "sampleWeight", "indices"]);
  const { images, labels, sampleWeight, indices } = batch as unknown as BatchRecord;
  return { images, labels, sampleWeight, indices };
}

/** The images of a batch, which may have labels besides: `predict` leaves those alone. */
export function imagesOf<Images>(
  batch: Images | readonly [Images, ...unknown[]] | BatchRecord<Images, unknown>,
): Images {
  if (Array.isArray(batch)) return batch[0] as Images;
  if (isPlainObject(batch) && "images" in batch && "labels" in batch) return batch.images as Images;
  return batch as Images;
}
