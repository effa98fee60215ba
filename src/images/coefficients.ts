/**
 * Which pixels of a row become a pixel of the resized row, and with what weights. The formulas are those of Pillow
 * (`Resample.c`, and `Geometry.c` for the nearest pixel), in its types, so that the bytes are the same.
 */
import { RESAMPLE_BITS } from "../kernels/kernels.ts";

export const INTERPOLATIONS = ["bilinear", "bicubic", "nearest"] as const;

export type ImageInterpolation = (typeof INTERPOLATIONS)[number];

export interface Resampling {
  readonly interpolation: ImageInterpolation;
  readonly antialias: boolean;
}

/** The part of a row that is resized: from a place to another, both in pixels and of any fraction. */
export type Span = readonly [start: number, end: number];

/** The table of `resampleBytes`, and how many weights a line has. */
export interface ResampleTable {
  readonly width: number;
  readonly table: Int32Array;
}

interface Filter {
  /** The weight is 0 from this distance on. */
  readonly support: number;
  weight(distance: number): number;
}

const FILTERS: Readonly<Record<Exclude<ImageInterpolation, "nearest">, Filter>> = {
  bilinear: { support: 1, weight: (x) => Math.max(0, 1 - x) },
  // Keys' cubic convolution with a = −½.
  bicubic: {
    support: 2,
    weight(x) {
      if (x < 1) return (1.5 * x - 2.5) * x * x + 1;
      return x < 2 ? (((x - 5) * x + 8) * x - 4) * -0.5 : 0;
    },
  },
};

const WHOLE = 1 << RESAMPLE_BITS;

/** The nearest whole number, half away from zero. */
const rounded = (x: number): number => Math.trunc(x < 0 ? x - 0.5 : x + 0.5);

/** Pillow's spans are float32. */
const lengthOf = ([start, end]: Span): number => Math.fround(end - start);

/** The pixels whose centres are nearest; their places are summed up one after the other. */
function nearest(size: number, span: Span, outputs: number): ResampleTable {
  const step = lengthOf(span) / outputs;
  const table = new Int32Array(3 * outputs);
  let place = span[0] + step * 0.5;
  for (let i = 0; i < outputs; i++, place += step) {
    table.set([Math.min(Math.max(Math.trunc(place), 0), size - 1), 1, WHOLE], 3 * i);
  }
  return { width: 1, table };
}

/**
 * The table for `outputs` pixels from a span of a row of `size` pixels. When it gets smaller, the filter is as much wider, so
 * that every pixel counts; without antialiasing it is not.
 */
export function resampleTable(
  size: number,
  [start, end]: Span,
  outputs: number,
  { interpolation, antialias }: Resampling,
): ResampleTable {
  const span: Span = [Math.fround(start), Math.fround(end)];
  if (interpolation === "nearest") return nearest(size, span, outputs);
  const { support, weight } = FILTERS[interpolation];
  const scale = lengthOf(span) / outputs;
  const wide = antialias ? Math.max(scale, 1) : 1;
  const reach = support * wide;
  const width = 2 * Math.ceil(reach) + 1;
  const line = 2 + width;
  const table = new Int32Array(line * outputs);
  const weights = new Float64Array(width);
  for (let i = 0; i < outputs; i++) {
    const centre = span[0] + (i + 0.5) * scale;
    const first = Math.max(Math.trunc(centre - reach + 0.5), 0);
    const taps = Math.min(Math.trunc(centre + reach + 0.5), size) - first;
    let sum = 0;
    for (let tap = 0; tap < taps; tap++) {
      weights[tap] = weight(Math.abs((tap + first - centre + 0.5) * (1 / wide)));
      sum += weights[tap]!;
    }
    table.set([first, taps], line * i);
    for (let tap = 0; tap < taps; tap++) table[line * i + 2 + tap] = rounded((weights[tap]! / sum) * WHOLE);
  }
  return { width, table };
}
