import { convertIndexedToRgb, decode as decodePng } from "fast-png";
import { decode as decodeJpeg } from "jpeg-js";
import type { Tensor } from "../index.ts";
import { messageOf, UsageError } from "./usage.ts";

/** Pixels in 0…255, `channels` a pixel: grey, grey and alpha, RGB or RGBA. */
interface Pixels {
  readonly width: number;
  readonly height: number;
  readonly channels: number;
  readonly data: ArrayLike<number>;
}

/** How an image becomes an input: `(pixel · scale − mean) / std`, each for a channel or one for all. */
export interface ImageOptions {
  /** Height and width; the image's own without it. */
  readonly size?: readonly [number, number];
  readonly scale: number;
  readonly mean: readonly number[];
  readonly std: readonly number[];
}

/** The weights of red, green and blue in grey: ITU-R BT.601. */
const LUMA = [0.299, 0.587, 0.114];

export function isPng(bytes: Uint8Array): boolean {
  return bytes[0] === 0x89 && bytes[1] === 0x50;
}

export function isJpeg(bytes: Uint8Array): boolean {
  return bytes[0] === 0xff && bytes[1] === 0xd8;
}

function readPng(bytes: Uint8Array): Pixels {
  const png = decodePng(bytes);
  const { width, height, palette, depth } = png;
  if (palette) {
    const data = convertIndexedToRgb(png);
    return { width, height, channels: data.length / (width * height), data };
  }
  // Depths below 8 are unpacked, but not stretched.
  const stretch = 255 / ((1 << depth) - 1);
  return {
    width,
    height,
    channels: png.channels,
    data: Float32Array.from(png.data, (value) => value * stretch),
  };
}

function readJpeg(bytes: Uint8Array): Pixels {
  const { width, height, data } = decodeJpeg(bytes, { useTArray: true, formatAsRGBA: false });
  return { width, height, channels: 3, data };
}

/** One channel of a pixel as it is wanted: of one that has fewer the grey, of one that has more their luma; no alpha. */
function sample({ channels, data }: Pixels, pixel: number, channel: number, wanted: number): number {
  const at = pixel * channels;
  if (channels < 3) return data[at]!;
  if (wanted === 3) return data[at + channel]!;
  return LUMA.reduce((sum, weight, i) => sum + weight * data[at + i]!, 0);
}

/** Where a row or column of the result lies among those of the image, by the middles of the pixels. */
function placeOf(index: number, size: number, from: number): { low: number; high: number; part: number } {
  const at = Math.min(Math.max(((index + 0.5) * from) / size - 0.5, 0), from - 1);
  const low = Math.floor(at);
  return { low, high: Math.min(low + 1, from - 1), part: at - low };
}

/**
 * A PNG or JPEG image as `[1, channels, h, w]`, resized bilinearly.
 * @throws UsageError naming the file
 */
export function readImage(file: string, bytes: Uint8Array, channels: number, options: ImageOptions): Tensor {
  if (channels !== 1 && channels !== 3) {
    throw new UsageError(`${file}: expected a net for images of 1 or 3 channels, got one for ${channels}`);
  }
  let pixels: Pixels;
  try {
    pixels = isPng(bytes) ? readPng(bytes) : readJpeg(bytes);
  } catch (error) {
    throw new UsageError(`${file}: expected a whole PNG or JPEG image (${messageOf(error)})`);
  }
  const [h, w] = options.size ?? [pixels.height, pixels.width];
  const { scale, mean, std } = options;
  const of = (list: readonly number[], channel: number): number => list[list.length === 1 ? 0 : channel]!;
  const data = new Float32Array(channels * h * w);
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
