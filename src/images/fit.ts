/** How an image of one proportion is fitted into a size of another; Pillow's `ImageOps` and torchvision have the formulas. */
import type { Span } from "./coefficients.ts";

export const FITS = ["stretch", "crop", "letterbox"] as const;

export type Fit = (typeof FITS)[number];

export type Sides = readonly [height: number, width: number];

/** The part of an image that is resized, to which size, and where that lies in the result. */
export interface Fitting {
  readonly rows: Span;
  readonly columns: Span;
  readonly inner: Sides;
  readonly top: number;
  readonly left: number;
  readonly outer: Sides;
}

/** The nearest whole number, the even one of two. */
export function roundHalfEven(x: number): number {
  const low = Math.floor(x);
  const rest = x - low;
  if (rest === 0.5) return low % 2 === 0 ? low : low + 1;
  return rest < 0.5 ? low : low + 1;
}

const whole = ([h, w]: Sides, size: Sides): Fitting => ({
  rows: [0, h],
  columns: [0, w],
  inner: size,
  top: 0,
  left: 0,
  outer: size,
});

/** The largest part in the middle that has the proportions of `size`, of any fraction of pixels (`ImageOps.fit`). */
function cropped([h, w]: Sides, size: Sides): Fitting {
  const ratio = size[1] / size[0];
  const [ch, cw] = w / h >= ratio ? [h, ratio * h] : [w / ratio, w];
  const [top, left] = [(h - ch) * 0.5, (w - cw) * 0.5];
  return { ...whole([h, w], size), rows: [top, top + ch], columns: [left, left + cw] };
}

/** All of the image in the middle of `size` (`ImageOps.pad`). */
function letterboxed([h, w]: Sides, size: Sides): Fitting {
  const all = whole([h, w], size);
  if (w / h === size[1] / size[0]) return all;
  const side = (length: number): number => Math.max(1, roundHalfEven(length));
  const inner: Sides =
    w / h > size[1] / size[0] ? [side((h / w) * size[1]), size[1]] : [size[0], side((w / h) * size[0])];
  const [top, left] = [roundHalfEven((size[0] - inner[0]) * 0.5), roundHalfEven((size[1] - inner[1]) * 0.5)];
  return { ...all, inner, top, left };
}

export function fitted(fit: Fit, image: Sides, size: Sides): Fitting {
  if (fit === "crop") return cropped(image, size);
  return fit === "letterbox" ? letterboxed(image, size) : whole(image, size);
}

/** The size of an image whose shorter side is to have so many pixels, the longer one cut off (torchvision's `Resize`). */
export function shortSided([h, w]: Sides, side: number): Sides {
  return h <= w ? [side, Math.trunc((side * w) / h)] : [Math.trunc((side * h) / w), side];
}
