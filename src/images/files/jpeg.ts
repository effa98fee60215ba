import decode from "jpeg-js/lib/decoder.js";
import { readSegments, type JpegParts } from "./jpegSegments.ts";
import { PictureError, type Picture } from "./picture.ts";

/** Components with these names are RGB where nothing else says so. */
const RGB = "RGB";

/** Whether three components are brightness and colour differences, and four the same and black. Source: libjpeg. */
function isTransformed({ components, adobe, jfif }: JpegParts): boolean {
  if (components.length === 4) return adobe === 2;
  if (adobe !== undefined) return adobe !== 0;
  return jfif || String.fromCharCode(...components.map(({ id }) => id)) !== RGB;
}

/**
 * By orientation: each function maps a pixel of the upright image to its position in the stored one, of `width` × `height`
 * pixels.
 */
const SOURCES: readonly ((x: number, y: number, width: number, height: number) => [number, number])[] = [
  (x, y) => [x, y],
  (x, y, width) => [width - 1 - x, y],
  (x, y, width, height) => [width - 1 - x, height - 1 - y],
  (x, y, _, height) => [x, height - 1 - y],
  (x, y) => [y, x],
  (x, y, _, height) => [y, height - 1 - x],
  (x, y, width, height) => [width - 1 - y, height - 1 - x],
  (x, y, width) => [width - 1 - y, x],
];

/** Turns and mirrors an RGB image as EXIF says. */
function upright(
  width: number,
  height: number,
  pixels: Uint8Array<ArrayBuffer>,
  orientation: number,
): Picture {
  const rest = { channels: 3, most: 255 } as const;
  if (orientation === 1) return { width, height, samples: pixels, ...rest };
  const source = SOURCES[orientation - 1]!;
  const [w, h] = orientation < 5 ? [width, height] : [height, width];
  const samples = new Uint8Array(pixels.length);
  let to = 0;
  for (let y = 0; y < h; y++) {
    for (let x = 0; x < w; x++) {
      const [column, row] = source(x, y, width, height);
      const from = 3 * (row * width + column);
      for (let i = 0; i < 3; i++) samples[to++] = pixels[from + i]!;
    }
  }
  return { width: w, height: h, samples, ...rest };
}

/**
 * Reads a JPEG image as RGB: baseline or progressive, grey, YCbCr, RGB, or Adobe's CMYK and YCCK, upright by its EXIF
 * orientation. Bytes after its end marker are left alone.
 *
 * @throws PictureError for other kinds (arithmetic codes, 12 bits), broken files, and more than 2²⁰ blocks of 8×8
 */
export function readJpeg(file: Uint8Array): Picture {
  const parts = readSegments(file);
  if (parts.components.length === 4 && parts.adobe === undefined) {
    throw new PictureError("a JPEG image of four components without Adobe's segment, which cannot be read");
  }
  try {
    const { width, height, data } = decode(file, {
      useTArray: true,
      formatAsRGBA: false,
      colorTransform: isTransformed(parts),
      // The limits are those of the segments.
      maxResolutionInMP: Infinity,
      maxMemoryUsageInMB: Infinity,
    });
    return upright(width, height, data, parts.orientation);
  } catch (error) {
    // A TypeError or RangeError speaks of the decoder's own variables, which says nothing to a user.
    const why =
      error instanceof TypeError || error instanceof RangeError ? "" : ` (${(error as Error).message})`;
    throw new PictureError(`a JPEG image whose pixels are broken${why}`);
  }
}
