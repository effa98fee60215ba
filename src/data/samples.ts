/** Data sets: samples that are read when they are needed, in an order that follows from seeds and the epoch. */
import { OptionError } from "../errors.ts";
import { isPlainObject, numberIn, positiveInteger, show } from "../options.ts";
import type { Random } from "../random.ts";
import type { InputTensor } from "../tensor.ts";
import { batched, type Batches } from "./batch.ts";
import { iterated, readSample, seeded, type Origin, type Sample, type SampleImage } from "./origin.ts";

/** What a function of `map` knows besides the sample. */
export interface SampleContext {
  /** The number of the sample in the data that all came from: its place, shuffled and split or not. */
  readonly index: number;
  /** Counted from 1. */
  readonly epoch: number;
  /** The samples of this data set, and the k-th of them as it is before the map. */
  readonly size: number;
  sample(k: number): Promise<Sample>;
}

export type Change = (sample: Sample, context: SampleContext) => Sample | PromiseLike<Sample>;

/**
 * A data set. It is a function: called with an epoch, from 1, it returns the samples in that epoch's order, the same in each
 * call. All of its methods return new data sets, and nothing is read before it is asked for. `Images` are those of a batch: a
 * tensor, or tensors by name.
 */
export interface Samples<Images = InputTensor> {
  (epoch?: number): AsyncIterableIterator<Sample>;
  readonly size: number;
  /** Changes each sample when it is read, once an epoch. */
  map(change: Change): Samples<Images>;
  /**
   * Keeps samples when they are first read, as long as their images have at most so many bytes together; others are read again
   * each time. What is read is that of the first epoch in all epochs: put changes by chance behind.
   */
  cache(bytes: number): Samples<Images>;
  /**
   * Draws each next sample from the `buffer` that come next, anew for each epoch; all are equally likely to come first where the
   * buffer holds all. It holds numbers, not samples, so that it may be as large as the data.
   */
  shuffle(buffer: number, seed: number): Samples<Images>;
  /** A random share of the samples, ⌊fraction · size⌋, and the rest: the same ones in all epochs. */
  split(fraction: number, seed: number): [Samples<Images>, Samples<Images>];
  /** Puts samples of equal shapes together; the last batch may have fewer. */
  batch(size: number): Batches<Images>;
}

/** An order by which each next place is drawn from the `buffer` that come next, as `shuffle` of tf.data does. */
function* shuffled(places: Iterable<number>, buffer: number, random: Random): Generator<number, void> {
  const held: number[] = [];
  for (const place of places) {
    if (held.length < buffer) held.push(place);
    else {
      const at = random.integer(buffer);
      yield held[at]!;
      held[at] = place;
    }
  }
  while (held.length > 0) {
    const at = random.integer(held.length);
    const last = held.pop()!;
    if (at === held.length) yield last;
    else {
      yield held[at]!;
      held[at] = last;
    }
  }
}

function mapped(origin: Origin, change: Change): Origin {
  const { places } = origin;
  if (typeof change !== "function") throw new OptionError(`map: expected a function, got ${show(change)}`);
  return {
    ...origin,
    async read(index, epoch) {
      const sample = (k: number): Promise<Sample> => readSample(origin, places[k]!, epoch);
      return change(await origin.read(index, epoch), { index, epoch, size: places.length, sample });
    },
  };
}

function bytesOf({ image }: Sample): number {
  const images = isPlainObject(image) && "shape" in image ? [image] : Object.values(image);
  return (images as readonly SampleImage[]).reduce((sum, { data }) => sum + data.byteLength, 0);
}

function cached(origin: Origin, bytes: number): Origin {
  const kept = new Map<number, Sample>();
  let left = bytes;
  return {
    ...origin,
    async read(place) {
      const known = kept.get(place);
      if (known) return known;
      const sample = await origin.read(place, 1);
      const size = bytesOf(sample);
      // Another read of the same sample may have come first.
      if (size <= left && !kept.has(place)) {
        kept.set(place, sample);
        left -= size;
      }
      return sample;
    },
  };
}

/** The samples of these places alone, in the order that they have among all. */
function part(origin: Origin, places: Uint32Array): Origin {
  const own = new Set(places);
  return {
    ...origin,
    places: places.sort(),
    *order(epoch) {
      for (const place of origin.order(epoch)) if (own.has(place)) yield place;
    },
  };
}

function split(origin: Origin, fraction: number, seed: number): [Samples<never>, Samples<never>] {
  const places = origin.places.slice();
  const first = Math.floor(numberIn("split: fraction", fraction, 0, 1) * places.length);
  if (first === 0) {
    throw new OptionError(`split: expected samples on either side, got ${fraction} of ${places.length}`);
  }
  seeded("split", seed)().shuffle(places);
  return [samplesOf(part(origin, places.slice(0, first))), samplesOf(part(origin, places.slice(first)))];
}

/** Makes a data set. */
export function samplesOf(origin: Origin): Samples<never> {
  const samples = (epoch = 1): AsyncIterableIterator<Sample> => {
    const order = origin.order(positiveInteger("epoch", epoch))[Symbol.iterator]();
    return iterated(() => {
      const { done, value } = order.next();
      return done ? undefined : readSample(origin, value, epoch);
    });
  };
  return Object.assign(samples, {
    size: origin.places.length,
    map: (change: Change) => samplesOf(mapped(origin, change)),
    cache: (bytes: number) => samplesOf(cached(origin, positiveInteger("cache", bytes))),
    shuffle(buffer: number, seed: number) {
      positiveInteger("shuffle: buffer", buffer);
      const random = seeded("shuffle", seed);
      return samplesOf({
        ...origin,
        order: (epoch) => shuffled(origin.order(epoch), buffer, random(epoch)),
      });
    },
    split: (fraction: number, seed: number) => split(origin, fraction, seed),
    batch: (size: number) => batched(origin, positiveInteger("batch: size", size)),
  });
}

/** A data set of `size` samples in their own order. */
export function samplesAt(size: number, read: Origin["read"], name: Origin["name"]): Samples<never> {
  const places = Uint32Array.from({ length: size }, (_, i) => i);
  return samplesOf({ places, order: () => places, read, name });
}
