import type { Engine, Tensor } from "../index.ts";
import { PictureError } from "../images/files/picture.ts";
import { readImage } from "../images/files/read.ts";
import { imageOf, type ImageTensor } from "../images/image.ts";
import { normalize } from "../images/normalize.ts";
import { resize } from "../images/resize.ts";
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

/** The image in a file. @throws UsageError naming the file */
function decode(file: string, bytes: Uint8Array, channels: number): ImageTensor {
  if (channels !== 1 && channels !== 3) {
    throw new UsageError(`${file}: expected a net for images of 1 or 3 channels, got one for ${channels}`);
  }
  try {
    return imageOf(readImage(bytes), channels);
  } catch (error) {
    if (!(error instanceof PictureError)) throw error;
    throw new UsageError(`${file}: expected PNG, JPEG or .npy, got ${error.given}`);
  }
}

/**
 * A PNG or JPEG image as `[1, channels, h, w]`, resized bilinearly as by Pillow.
 * @throws UsageError naming the file
 */
export function imageTensor(
  engine: Engine,
  file: string,
  bytes: Uint8Array,
  channels: number,
  { size, ...numbers }: ImageOptions,
): Tensor {
  const image = decode(file, bytes, channels);
  const [h, w] = size ?? (image.shape as [number, number]);
  const count = channels * h * w;
  if (count > MOST_NUMBERS) {
    const given = `${count} of [1, ${channels}, ${h}, ${w}]`;
    throw new UsageError(`${file}: expected an image of at most ${MOST_NUMBERS} numbers, got ${given}`);
  }
  const sized = size ? resize(engine, image, { size }) : image;
  return normalize(engine, sized, { ...numbers, layout: "NCHW" });
}
