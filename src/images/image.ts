/** Images as tensors of bytes, and how the pixels of files and canvases become them. */
import { OptionError, ShapeError } from "../errors.ts";
import { isTyped, lengthOf, plainView, show } from "../options.ts";
import { readShape, shapeText, sizeOf, type Tensor } from "../tensor.ts";
import type { Picture } from "./files/picture.ts";

/** An image of bytes, `[h, w, c]`, or several of one size, `[n, h, w, c]`. */
export type ImageTensor = Tensor<Uint8Array<ArrayBuffer>>;

/** Grey, RGB, RGB and opacity. */
export type Channels = 1 | 3 | 4;

/** @throws OptionError */
export function readChannels(where: string, value: unknown): Channels {
  if (value === 1 || value === 3 || value === 4) return value;
  throw new OptionError(`${where}: channels: expected 1, 3 or 4, got ${show(value)}`);
}

/** Images as they were passed: how many, their sizes and a plain view of their bytes. */
export interface Images {
  readonly n: number;
  readonly h: number;
  readonly w: number;
  readonly c: number;
  readonly data: Uint8Array;
  /** Whether the shape has the number of images. */
  readonly batched: boolean;
}

/** @throws ShapeError unless it is a tensor of bytes `[h, w, c]` or `[n, h, w, c]` */
export function readImages(where: string, value: Tensor<Uint8Array>): Images {
  const shape = readShape(where, value?.shape, ".shape");
  if (shape.length !== 3 && shape.length !== 4) {
    throw new ShapeError(`${where}: expected [h, w, c] or [n, h, w, c], got ${shapeText(shape)}`);
  }
  const { data } = value;
  if (!isTyped(data, Uint8Array)) {
    throw new ShapeError(`${where}.data: expected a Uint8Array, got ${show(data)}`);
  }
  if (lengthOf(data) !== sizeOf(shape)) {
    throw new ShapeError(
      `${where}.data: expected ${sizeOf(shape)} elements for shape ${shapeText(shape)}, got ${lengthOf(data)}`,
    );
  }
  const [c, w, h, n = 1] = [...shape].reverse() as [number, number, number, number?];
  return { n, h, w, c, data: plainView(data, Uint8Array), batched: shape.length === 4 };
}

/** The shape of images of another size. */
export function shapeOf({ n, c, batched }: Images, [h, w]: readonly [number, number]): number[] {
  return batched ? [n, h, w, c] : [h, w, c];
}

/**
 * Pixels in the channels that are wanted. Grey becomes three equal channels, colours become their luma by ITU-R BT.601 in
 * integers, `(19595·r + 38470·g + 7471·b + 2¹⁵) >> 16`; opacity is left out, or 255 where there is none. Of samples of 16
 * bits the upper eight are kept. Bytes that fit as they are are not copied. Source: Pillow's `convert`, whose bytes these are.
 */
export function imageOf({ width, height, channels, most, samples }: Picture, wanted: Channels): ImageTensor {
  const shape = [height, width, wanted];
  if (channels === wanted && isTyped(samples, Uint8Array)) return { shape, data: samples };
  const shift = most === 255 ? 0 : 8;
  const pixels = width * height;
  const data = new Uint8Array(pixels * wanted);
  const coloured = channels >= 3;
  const opacity = channels % 2 === 0 ? channels - 1 : -1;
  for (let pixel = 0, to = 0; pixel < pixels; pixel++, to += wanted) {
    const from = pixel * channels;
    const red = samples[from]! >> shift;
    const green = coloured ? samples[from + 1]! >> shift : red;
    const blue = coloured ? samples[from + 2]! >> shift : red;
    if (wanted === 1) {
      data[to] = (19595 * red + 38470 * green + 7471 * blue + 0x8000) >> 16;
      continue;
    }
    data[to] = red;
    data[to + 1] = green;
    data[to + 2] = blue;
    if (wanted === 4) data[to + 3] = opacity < 0 ? 255 : samples[from + opacity]! >> shift;
  }
  return { shape, data };
}
