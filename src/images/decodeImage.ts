import { FormatError } from "../errors.ts";
import { checkOptions, isTyped, plainView, show } from "../options.ts";
import { PictureError } from "./files/picture.ts";
import { readImage } from "./files/read.ts";
import { imageOf, readChannels, type Channels, type ImageTensor } from "./image.ts";

export interface DecodeOptions {
  /** 1 for grey, 3 for RGB, 4 for RGB and opacity, whatever the file has. Default: 3. */
  channels?: Channels | undefined;
}

/**
 * The image in a PNG or JPEG file: bytes `[h, w, channels]`, upright by its EXIF orientation. The same bytes in every
 * runtime; no decoder of the host is used.
 * @throws FormatError for another, a broken or a very large file, saying which; OptionError
 */
export function decodeImage(bytes: Uint8Array, options: DecodeOptions = {}): ImageTensor {
  checkOptions("decodeImage", options, ["channels"]);
  const channels = readChannels("decodeImage", options.channels ?? 3);
  if (!isTyped(bytes, Uint8Array)) {
    throw new FormatError(`decodeImage: expected a Uint8Array, got ${show(bytes)}`);
  }
  try {
    return imageOf(readImage(plainView(bytes, Uint8Array)), channels);
  } catch (error) {
    if (!(error instanceof PictureError)) throw error;
    throw new FormatError(`decodeImage: ${error.message}`, { cause: error });
  }
}
