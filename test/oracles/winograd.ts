/**
 * What bounds the rounding errors of Winograd's F(4×4, 3×3): its transforms with absolute values in place of the
 * entries of the matrices and of the operands, in float64. An error is at most γ of the number of roundings times that.
 */
import { at, type Convolution } from "./conv2d.ts";

type Matrix = readonly (readonly number[])[];

const [a, b] = [Math.SQRT1_2, Math.SQRT2];
const [alpha, beta] = [2 / 3, 1 / 6];

/** The absolute values of Bᵀ, G and Aᵀ of `assembly/conv/winograd/transform.ts`. */
const INPUT: Matrix = [
  [1, 0, 2.5, 0, 1, 0],
  [0, 2 * a, 2, a, 1, 0],
  [0, 2 * a, 2, a, 1, 0],
  [0, b / 2, 0.5, b, 1, 0],
  [0, b / 2, 0.5, b, 1, 0],
  [0, 1, 0, 2.5, 0, 1],
];
const FILTER: Matrix = [
  [1, 0, 0],
  [alpha, alpha * a, alpha / 2],
  [alpha, alpha * a, alpha / 2],
  [beta, beta * b, beta * 2],
  [beta, beta * b, beta * 2],
  [0, 0, 1],
];
const OUTPUT: Matrix = [
  [1, 1, 1, 1, 1, 0],
  [0, a, a, b, b, 0],
  [0, 0.5, 0.5, 2, 2, 0],
  [0, a / 2, a / 2, 2 * b, 2 * b, 1],
];

/** Roundings of the three transforms: four a matrix and dimension, errors of the constants among them. */
export const TRANSFORM_ROUNDINGS = 24;

const transpose = (m: Matrix): Matrix => m[0]!.map((_, j) => m.map((row) => row[j]!));

/** `M·t·Mᵀ` of a square tile, row by row. */
function sandwich(m: Matrix, tile: ArrayLike<number>): Float64Array {
  const [rows, size] = [m.length, m[0]!.length];
  const half = new Float64Array(rows * size);
  for (let i = 0; i < half.length; i++) {
    const [r, x] = [Math.floor(i / size), i % size];
    for (let y = 0; y < size; y++) half[i]! += m[r]![y]! * tile[y * size + x]!;
  }
  return Float64Array.from({ length: rows * rows }, (_, i) => {
    const [r, s] = [Math.floor(i / rows), i % rows];
    return m[s]!.reduce((sum, value, x) => sum + value * half[r * size + x]!, 0);
  });
}

/** The absolute values of `size`×`size` pixels of one channel from `(y, x)` on, zero outside of the image. */
function pixels(
  data: ArrayLike<number>,
  [h, w, c]: readonly [number, number, number],
  [image, y, x, ch]: readonly [number, number, number, number],
  size: number,
): Float64Array {
  return Float64Array.from({ length: size * size }, (_, i) => {
    const [iy, ix] = [y + Math.floor(i / size), x + (i % size)];
    if (Math.min(iy, ix) < 0 || iy >= h || ix >= w) return 0;
    return Math.abs(at(data, ((image * h + iy) * w + ix) * c + ch));
  });
}

/** Calls `each` with the image and the first output pixel of every tile. */
function eachTile({ g, n }: Convolution, each: (image: number, y: number, x: number) => void): void {
  for (let image = 0; image < n; image++) {
    for (let y = 0; y < g.oh; y += 4) for (let x = 0; x < g.ow; x += 4) each(image, y, x);
  }
}

/** The taps of one filter over one channel, transformed. */
function filterPoints({ g, f }: Convolution, w: ArrayLike<number>, ch: number, o: number): Float64Array {
  const taps = Float64Array.from({ length: 9 }, (_, tap) => Math.abs(at(w, (tap * g.c + ch) * f + o)));
  return sandwich(FILTER, taps);
}

/** For each output what bounds its error; all channels of a tile are added before they are transformed back. */
export function forwardMagnitude(
  conv: Convolution,
  x: ArrayLike<number>,
  w: ArrayLike<number>,
): Float64Array {
  const { g, n, f } = conv;
  const magnitude = new Float64Array(n * g.oh * g.ow * f);
  const filters = Array.from({ length: g.c * f }, (_, i) => filterPoints(conv, w, Math.floor(i / f), i % f));
  eachTile(conv, (image, oy, ox) => {
    const channels = Array.from({ length: g.c }, (_, ch) =>
      sandwich(INPUT, pixels(x, [g.h, g.w, g.c], [image, oy - g.top, ox - g.left, ch], 6)),
    );
    for (let o = 0; o < f; o++) {
      const points = Float64Array.from({ length: 36 }, (_, i) =>
        channels.reduce((sum, channel, ch) => sum + channel[i]! * filters[ch * f + o]![i]!, 0),
      );
      sandwich(OUTPUT, points).forEach((value, i) => {
        const [y, xx] = [oy + Math.floor(i / 4), ox + (i % 4)];
        if (y < g.oh && xx < g.ow) magnitude[((image * g.oh + y) * g.ow + xx) * f + o] = value;
      });
    }
  });
  return magnitude;
}

/** The same for each element of the filter gradient. */
export function filterMagnitude(
  conv: Convolution,
  x: ArrayLike<number>,
  dy: ArrayLike<number>,
): Float64Array {
  const { g, f } = conv;
  const points = Array.from({ length: g.c * f }, () => new Float64Array(36));
  eachTile(conv, (image, oy, ox) => {
    const gradients = Array.from({ length: f }, (_, o) =>
      sandwich(transpose(OUTPUT), pixels(dy, [g.oh, g.ow, f], [image, oy, ox, o], 4)),
    );
    for (let ch = 0; ch < g.c; ch++) {
      const tile = pixels(x, [g.h, g.w, g.c], [image, oy - g.top, ox - g.left, ch], 6);
      const channel = sandwich(INPUT, tile);
      gradients.forEach((gradient, o) => {
        const sums = points[ch * f + o]!;
        for (let i = 0; i < 36; i++) sums[i]! += channel[i]! * gradient[i]!;
      });
    }
  });
  const magnitude = new Float64Array(9 * g.c * f);
  points.forEach((sums, i) => {
    sandwich(transpose(FILTER), sums).forEach((value, tap) => {
      magnitude[tap * g.c * f + i] = value;
    });
  });
  return magnitude;
}

/** The convolution whose forward pass over `dy` is the input gradient of `conv`. */
export function rotatedConvolution({ g, n, f }: Convolution): Convolution {
  const turned = { ...g, h: g.oh, w: g.ow, c: f, oh: g.h, ow: g.w, top: 2 - g.top, left: 2 - g.left };
  return { n, f: g.c, groups: 1, g: turned };
}

/** Its filters: those of `conv` rotated by 180°, channels and filters swapped. */
export function rotatedFilters({ g, f }: Convolution, w: ArrayLike<number>): Float32Array {
  return Float32Array.from({ length: 9 * g.c * f }, (_, i) => {
    const [tap, o, ch] = [Math.floor(i / (f * g.c)), Math.floor(i / g.c) % f, i % g.c];
    return at(w, ((8 - tap) * g.c + ch) * f + o);
  });
}

/** The same for each element of the input gradient. */
export function inputMagnitude(conv: Convolution, dy: ArrayLike<number>, w: ArrayLike<number>): Float64Array {
  return forwardMagnitude(rotatedConvolution(conv), dy, rotatedFilters(conv, w));
}

/** Tiles of a batch. */
export function tilesOf({ g, n }: Convolution): number {
  return n * Math.ceil(g.oh / 4) * Math.ceil(g.ow / 4);
}
