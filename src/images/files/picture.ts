import { FormatError } from "../../errors.ts";

/** An image as its file has it: rows from the top, pixels from the left, `channels` samples a pixel. */
export interface Picture {
  readonly width: number;
  readonly height: number;
  /** Grey, grey and opacity, RGB, RGB and opacity. */
  readonly channels: 1 | 2 | 3 | 4;
  /** The sample of white and of what is opaque: 255, or 65535 for samples of 16 bits. */
  readonly most: 255 | 65535;
  readonly samples: Uint8Array<ArrayBuffer> | Uint16Array<ArrayBuffer>;
}

/** A file that is no such image as was expected, or a broken one. */
export class PictureError extends FormatError {
  /** The file in words, which follow "got" in the sentence. */
  readonly given: string;

  constructor(given: string) {
    super(`expected a PNG or JPEG image, got ${given}`);
    this.given = given;
  }
}

/**
 * Limit of an image's bytes when it is unpacked. A file of a thousandth of that may ask for them, and to find out that
 * its checksum is wrong takes them all.
 */
export const MOST_BYTES = 2 ** 27;
