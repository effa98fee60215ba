import type { Engine, Tensor } from "../../index.ts";
import { PictureError } from "../../images/files/picture.ts";
import { readImage } from "../../images/files/read.ts";
import { shortSided } from "../../images/fit.ts";
import { imageOf, type ImageTensor } from "../../images/image.ts";
import { preprocess, type PreprocessOptions } from "../../images/preprocess.ts";
import { isAboutFile } from "./net.ts";
import { FileError, UsageError } from "../usage.ts";

/** Limit of the numbers that are made of an image: sizes come from files, too. */
const MOST_NUMBERS = 2 ** 26;

/** The image in a file. @throws FileError; UsageError for a net that takes no images */
function decode(file: string, bytes: Uint8Array, channels: number): ImageTensor {
  if (channels !== 1 && channels !== 3) {
    throw new UsageError(`${file}: expected a net for images of 1 or 3 channels, got one for ${channels}`);
  }
  try {
    return imageOf(readImage(bytes), channels);
  } catch (error) {
    if (!(error instanceof PictureError)) throw error;
    throw new FileError(`${file}: expected PNG, JPEG or .npy, got ${error.given}`);
  }
}

/**
 * A PNG or JPEG image as a batch of one in the layout that is asked for, prepared as told; without a size it stays as large
 * as it is.
 * @throws FileError, UsageError naming the file
 */
export function imageTensor(
  engine: Engine,
  file: string,
  bytes: Uint8Array,
  channels: number,
  preprocessing: PreprocessOptions,
): Tensor {
  const image = decode(file, bytes, channels);
  const own = image.shape as [number, number];
  const { shortSide, size } = preprocessing;
  const resized = shortSide === undefined ? undefined : shortSided(own, shortSide);
  // What the size is cut out of is made before.
  for (const [h, w] of [resized ?? size ?? own, size ?? own]) {
    const count = channels * h * w;
    if (count > MOST_NUMBERS) {
      const given = `${count} of [1, ${channels}, ${h}, ${w}]`;
      throw new FileError(`${file}: expected an image of at most ${MOST_NUMBERS} numbers, got ${given}`);
    }
  }
  try {
    return preprocess(engine, image, preprocessing);
  } catch (error) {
    if (!isAboutFile(error)) throw error;
    throw new FileError(`${file}: ${error.message}`, { cause: error });
  }
}
