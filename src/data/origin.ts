/** What data sets are made of: samples that are read by their places. */
import { OptionError, OwnError } from "../errors.ts";
import { show } from "../options.ts";
import { Random } from "../random.ts";
import type { Tensor } from "../tensor.ts";

/** An image as bytes or floats, of whatever shape. */
export type SampleImage = Tensor<Float32Array | Uint8Array>;

/** The number of a class, or a tensor. */
export type SampleLabel = number | Tensor;

/** One image with its label; by name for models with several inputs or outputs. */
export interface Sample {
  readonly image: SampleImage | Readonly<Record<string, SampleImage>>;
  readonly label: SampleLabel | Readonly<Record<string, SampleLabel>>;
  /** Its weight in the loss. Default: 1. */
  readonly weight?: number | undefined;
}

/** Where samples come from. They are known by their places in the data that all came from. */
export interface Origin {
  /** The places of the samples, ascending, and their order in an epoch. */
  readonly places: Uint32Array;
  order(epoch: number): Iterable<number>;
  read(place: number, epoch: number): Sample | PromiseLike<Sample>;
  /** A sample in messages. */
  name(place: number): string;
}

/** Iterates over values that are made in order, and may be made before they are asked for. */
export function iterated<T>(
  next: () => Promise<T> | undefined,
): AsyncIterableIterator<T> & { next(): Promise<IteratorResult<T, undefined>> } {
  let ended = false;
  const end = (): Promise<IteratorResult<T, undefined>> => {
    ended = true;
    return Promise.resolve({ done: true, value: undefined });
  };
  return {
    next() {
      const made = ended ? undefined : next();
      return made?.then((value) => ({ done: false, value })) ?? end();
    },
    return: end,
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}

/** Reads a sample. @throws Error that names it, with its cause */
export async function readSample(origin: Origin, place: number, epoch: number): Promise<Sample> {
  try {
    return await origin.read(place, epoch);
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : show(cause);
    throw new OwnError(`${origin.name(place)}: ${message}`, { cause });
  }
}

/** Makes the streams of a seed. @throws OptionError naming `where` for what is no seed */
export function seeded(where: string, seed: number): (...stream: readonly number[]) => Random {
  if (Number.isSafeInteger(seed) && seed >= 0) return (...stream) => new Random(seed, ...stream);
  throw new OptionError(`${where}: seed: expected an integer from 0 to 2^53 - 1, got ${show(seed)}`);
}
