/** Random maps of images in float64, pixel by pixel, from the formulas alone. */
import { lowbias32 } from "./dropout.ts";

/** What the random numbers of a layer in an epoch follow from. */
export interface EpochKey {
  readonly seedLow: number;
  readonly seedHigh: number;
  readonly epoch: number;
  readonly layer: number;
}

const xor = (a: number, b: number): number => (a ^ b) >>> 0;
const plusGolden = (a: number): number => (a + 0x9e3779b9) % 2 ** 32;

/** The numbers in [0, 1) of the counters 0 and 1 for the image with this number. */
export function draws({ seedLow, seedHigh, epoch, layer }: EpochKey, image: number): [number, number] {
  let [a, b] = [seedLow, seedHigh];
  for (const word of [1, epoch, layer, image]) {
    a = xor(a, word);
    b = xor(b, lowbias32(plusGolden(a)));
    a = xor(a, lowbias32(plusGolden(b)));
  }
  const of = (counter: number): number => lowbias32(xor(lowbias32(xor(counter, a)), b)) / 2 ** 32;
  return [of(0), of(1)];
}

export type Fill = "constant" | "nearest" | "reflect" | "wrap";

/** The place of a pixel within a row of `n`, walked to step by step; undefined for the constant. */
function inside(i: number, n: number, fill: Fill): number | undefined {
  if (fill === "constant") return i < 0 || i >= n ? undefined : i;
  let place = i;
  while (place < 0 || place >= n) {
    if (fill === "nearest") place = place < 0 ? 0 : n - 1;
    else if (fill === "wrap") place += place < 0 ? n : -n;
    else place = place < 0 ? -1 - place : 2 * n - 1 - place;
  }
  return place;
}

/** An image of `[h, w, c]`. */
export interface Picture {
  readonly h: number;
  readonly w: number;
  readonly c: number;
  readonly data: ArrayLike<number>;
}

export interface Sampling {
  readonly fill: Fill;
  readonly bilinear: boolean;
  readonly value: number;
}

/** The value of a channel at a place of an image. */
export function sampled(picture: Picture, sy: number, sx: number, channel: number, how: Sampling): number {
  const { h, w, c, data } = picture;
  const at = (i: number, j: number): number => {
    const [row, column] = [inside(i, h, how.fill), inside(j, w, how.fill)];
    return row === undefined || column === undefined ? how.value : data[(row * w + column) * c + channel]!;
  };
  if (!how.bilinear) return at(Math.floor(sy + 0.5), Math.floor(sx + 0.5));
  const [top, left] = [Math.floor(sy), Math.floor(sx)];
  const [fy, fx] = [sy - top, sx - left];
  return (
    (1 - fy) * (1 - fx) * at(top, left) +
    (1 - fy) * fx * at(top, left + 1) +
    fy * (1 - fx) * at(top + 1, left) +
    fy * fx * at(top + 1, left + 1)
  );
}

export type Kind = "flip" | "translation" | "rotation" | "zoom" | "evenZoom" | "crop";

/** The place in the image that the pixel (i, j) of the result of oh × ow pixels shows. */
export function source(
  kind: Kind,
  [lowH, highH, lowW, highW]: readonly number[],
  [u, v]: readonly [number, number],
  { h, w }: Picture,
  [oh, ow]: readonly [number, number],
  i: number,
  j: number,
): [number, number] {
  const [p, q] = [lowH! + (highH! - lowH!) * u, lowW! + (highW! - lowW!) * v];
  if (kind === "crop") return [i + Math.floor(u * (h - oh + 1)), j + Math.floor(v * (w - ow + 1))];
  if (kind === "flip") return [u < lowH! ? h - 1 - i : i, v < lowW! ? w - 1 - j : j];
  if (kind === "translation") return [i - p * h, j - q * w];
  const [y, x] = [i - (h - 1) / 2, j - (w - 1) / 2];
  const [cy, cx] = [(h - 1) / 2, (w - 1) / 2];
  if (kind === "rotation") {
    const [sin, cos] = [Math.sin(2 * Math.PI * p), Math.cos(2 * Math.PI * p)];
    return [cy + cos * y + sin * x, cx + cos * x - sin * y];
  }
  return [cy + (1 + p) * y, cx + (1 + (kind === "zoom" ? q : p)) * x];
}
