/** Samples in batches, as `fit` takes them. */
import { OptionError, ShapeError } from "../errors.ts";
import { isCount, isPlainObject, isTyped, lengthOf, positiveInteger, show, typedName } from "../options.ts";
import type { BatchRecord } from "../stream.ts";
import { readShape, sameShape, shapeText, sizeOf, type InputTensor, type Tensor } from "../tensor.ts";
import { iterated, readSample, type Origin, type Sample } from "./origin.ts";

/** A batch with the numbers of its samples in the data that all came from. */
export interface BatchedData<Images = InputTensor> extends BatchRecord<Images> {
  readonly indices: Uint32Array;
}

/**
 * Batches of an epoch, which is counted from 1: what `fit`, `evaluateAsync` and `predictAsync` take. `Images` are a tensor or
 * tensors by name.
 */
export interface Batches<Images = InputTensor> {
  (epoch?: number): AsyncIterableIterator<BatchedData<Images>>;
  /** Batches of an epoch. */
  readonly size: number;
  /** The batches of an epoch behind the first `batches`, of which no sample is read: by it `fit` finds where a run was left. */
  from(epoch: number, batches: number): AsyncIterableIterator<BatchedData<Images>>;
  /** Makes up to `count` batches before they are asked for, while the one before is used. */
  prefetch(count: number): Batches<Images>;
}

type Values<T> = T | Readonly<Record<string, T>>;

/** Whether a value is one that is put together, rather than a record of such. */
const isOne = (value: unknown): boolean => !isPlainObject(value) || "shape" in value;

/** Puts values together, or those of each name. `name` says which sample a value is of. */
function combined<T, U>(
  where: string,
  values: readonly Values<T>[],
  name: (i: number) => string,
  stack: (where: string, values: readonly T[], name: (i: number) => string) => U,
): U | Record<string, U> {
  const [first] = values;
  if (isOne(first)) return stack(where, values as readonly T[], name);
  const entries = Object.keys(first as object).map((key) => {
    const own = values.map((value) => (value as Readonly<Record<string, T>>)[key]!);
    return [key, stack(`${where}: ${key}`, own, name)] as const;
  });
  return Object.fromEntries(entries);
}

/** Puts tensors of one shape together, bytes as bytes. @throws ShapeError naming the sample that differs */
function stacked(where: string, tensors: readonly InputTensor[], name: (i: number) => string): InputTensor {
  const shape = readShape(`${name(0)}: ${where}`, tensors[0]?.shape as number[], ".shape");
  const size = sizeOf(shape);
  const bytes = isTyped(tensors[0]!.data, Uint8Array);
  const type = bytes ? Uint8Array : Float32Array;
  const data = new type(tensors.length * size);
  tensors.forEach((each, i) => {
    const place = `${name(i)}: ${where}`;
    const own = readShape(place, each?.shape, ".shape");
    if (!sameShape(own, shape)) {
      throw new ShapeError(
        `${place}: expected shape ${shapeText(shape)}, which the first of its batch has, got ${shapeText(own)}`,
      );
    }
    if (typedName(each.data) !== type.name || lengthOf(each.data) !== size) {
      throw new ShapeError(`${place}.data: expected a ${type.name} of ${size}, got ${show(each.data)}`);
    }
    data.set(each.data, i * size);
  });
  return { shape: [tensors.length, ...shape], data };
}

type Label = number | Tensor;

/** Puts the numbers of classes together, or tensors. */
function labelled(where: string, labels: readonly Label[], name: (i: number) => string): number[] | Tensor {
  const other = labels.findIndex((label) => typeof label !== "number");
  if (other < 0) return labels as number[];
  if (other > 0) {
    throw new ShapeError(`${name(other)}: ${where}: expected a class, as before, got ${show(labels[other])}`);
  }
  return stacked(where, labels as readonly Tensor[], name) as Tensor;
}

function combine(origin: Origin, places: readonly number[], samples: readonly Sample[]): BatchedData<never> {
  const name = (i: number): string => origin.name(places[i]!);
  samples.forEach((sample, i) => {
    if (!isPlainObject(sample) || !("image" in sample && "label" in sample)) {
      throw new ShapeError(`${name(i)}: expected { image, label }, got ${show(sample)}`);
    }
  });
  const weighed = samples.some(({ weight }) => weight !== undefined);
  return {
    images: combined(
      "image",
      samples.map(({ image }) => image),
      name,
      stacked,
    ) as never,
    labels: combined(
      "label",
      samples.map(({ label }) => label),
      name,
      labelled,
    ),
    indices: Uint32Array.from(places),
    ...(weighed && { sampleWeight: samples.map(({ weight = 1 }) => weight) }),
  };
}

/** Reads the samples of a batch, all at once. */
async function readBatch(
  origin: Origin,
  places: readonly number[],
  epoch: number,
): Promise<BatchedData<never>> {
  return combine(origin, places, await Promise.all(places.map((place) => readSample(origin, place, epoch))));
}

export function batched(origin: Origin, size: number): Batches<never> {
  const start = (epoch: number, skipped: number): AsyncIterableIterator<BatchedData<never>> => {
    const order = origin.order(positiveInteger("epoch", epoch))[Symbol.iterator]();
    for (let i = 0; i < skipped * size && !order.next().done;) i++;
    return iterated(() => {
      const places: number[] = [];
      for (let next; places.length < size && !(next = order.next()).done;) places.push(next.value);
      return places.length === 0 ? undefined : readBatch(origin, places, epoch);
    });
  };
  return batchesOf(start, Math.ceil(origin.places.length / size));
}

function batchesOf<I>(
  start: (epoch: number, skipped: number) => AsyncIterableIterator<BatchedData<I>>,
  size: number,
): Batches<I> {
  return Object.assign((epoch = 1) => start(epoch, 0), {
    size,
    from(epoch: number, batches: number) {
      if (isCount(batches)) return start(epoch, batches);
      throw new OptionError(`from: batches: expected an integer ≥ 0, got ${show(batches)}`);
    },
    prefetch(count: number) {
      positiveInteger("prefetch", count);
      return batchesOf((epoch, skipped) => ahead(start(epoch, skipped), count), size);
    },
  });
}

/** Asks for `count` results more than were asked of it. */
function ahead<T>(iterator: AsyncIterableIterator<T>, count: number): AsyncIterableIterator<T> {
  const asked: Promise<IteratorResult<T>>[] = [];
  return {
    next() {
      while (asked.length <= count) {
        const result = iterator.next();
        // One that fails is heard of when its turn comes, or never when the run ends before.
        result.catch(() => {});
        asked.push(result);
      }
      return asked.shift()!;
    },
    return(value) {
      asked.length = 0;
      return iterator.return!(value);
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}
