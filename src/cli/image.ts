import type { Tensor } from "../index.ts";
import { PictureError, type Picture } from "../images/files/picture.ts";
import { readImage } from "../images/files/read.ts";
import { UsageError } from "./usage.ts";

/**
 * An image becomes an input by `(pixel · scale − mean) / std`, with one mean and std for each channel or one for all.
 */
export interface ImageOptions {
  /** Height and width; the image's own without it. */
  readonly size?: readonly [number, number];
  readonly scale: number;
  readonly mean: readonly number[];
  readonly std: readonly number[];
}

/** Limit of the numbers that are made of an image: sizes come from files, too. */
const MOST_NUMBERS = 2 ** 26;

/** The weights of red, green and blue in grey: ITU-R BT.601. */
const LUMA = [0.299, 0.587, 0.114];

/**
 * One channel of a pixel as it is wanted: of one that has fewer the grey, of one that has more their luma; no alpha.
 */
function sample(
  { channels, samples: data }: Picture,
  pixel: number,
  channel: number,
  wanted: number,
): number {
  const at = pixel * channels;
  if (channels < 3) return data[at]!;
  if (wanted === 3) return data[at + channel]!;
  return LUMA.reduce((sum, weight, i) => sum + weight * data[at + i]!, 0);
}

/** Finds the two rows or columns of the image between which one of the result lies, by the middles of the pixels. */
function placeOf(index: number, size: number, from: number): { low: number; high: number; part: number } {
  const at = Math.min(Math.max(((index + 0.5) * from) / size - 0.5, 0), from - 1);
  const low = Math.floor(at);
  return { low, high: Math.min(low + 1, from - 1), part: at - low };
}

/**
 * A PNG or JPEG image as `[1, channels, h, w]`, resized bilinearly.
 * @throws UsageError naming the file
 */
export function imageTensor(
  file: string,
  bytes: Uint8Array,
  channels: number,
  options: ImageOptions,
): Tensor {
  if (channels !== 1 && channels !== 3) {
    throw new UsageError(`${file}: expected a net for images of 1 or 3 channels, got one for ${channels}`);
  }
  let pixels: Picture;
  try {
    pixels = readImage(bytes);
  } catch (error) {
    if (!(error instanceof PictureError)) throw error;
    throw new UsageError(`${file}: expected PNG, JPEG or .npy, got ${error.given}`);
  }
  const [h, w] = options.size ?? [pixels.height, pixels.width];
  const count = channels * h * w;
  if (count > MOST_NUMBERS) {
    const given = `${count} of [1, ${channels}, ${h}, ${w}]`;
    throw new UsageError(`${file}: expected an image of at most ${MOST_NUMBERS} numbers, got ${given}`);
  }
  const { mean, std } = options;
  // Samples of 16 bits have 65535 for 255.
  const scale = (options.scale * 255) / pixels.most;
  const of = (list: readonly number[], channel: number): number => list[list.length === 1 ? 0 : channel]!;
  const data = new Float32Array(count);
  let to = 0;
  for (let channel = 0; channel < channels; channel++) {
    const read = (row: number, column: number): number =>
      sample(pixels, row * pixels.width + column, channel, channels);
    for (let y = 0; y < h; y++) {
      const row = placeOf(y, h, pixels.height);
      for (let x = 0; x < w; x++) {
        const column = placeOf(x, w, pixels.width);
        const above =
          read(row.low, column.low) * (1 - column.part) + read(row.low, column.high) * column.part;
        const below =
          read(row.high, column.low) * (1 - column.part) + read(row.high, column.high) * column.part;
        const value = above * (1 - row.part) + below * row.part;
        data[to++] = (value * scale - of(mean, channel)) / of(std, channel);
      }
    }
  }
  return { shape: [1, channels, h, w], data };
}
