/** Pooling over axes of any number, in TypeScript. */
import { sizeOf } from "../../../../tensor.ts";
import type { HostPlan } from "../../layers/host.ts";
import { Unsupported } from "../../node.ts";
import type { Numbers } from "../../../file/constant.ts";
import type { ImageSizes } from "../window/images.ts";
import type { Pair, SlidingWindow } from "../window/window.ts";
import { countTaps, eachPosition, tapsWithin } from "../window/taps.ts";

/** A function of the window at a position, whose taps are pairs of offsets behind `base` and in the window. */
export interface Pool {
  value(x: Numbers, base: number, taps: Int32Array, position: number): number;
  /** The place that the value is from. */
  winner?(x: Numbers, base: number, taps: Int32Array): number;
  /** Steps for a tap; default: 1. */
  readonly work?: number;
}

/** `y[n, c, …]`, and with `winners` their places. */
export function poolPlan(
  { n, c, sizes }: ImageSizes,
  window: SlidingWindow,
  { value, winner, work = 1 }: Pool,
  winners = false,
): HostPlan {
  const shape = [n, c, ...window.sizes];
  const y = { type: "float32", shape } as const;
  const [size, positions] = [sizeOf(sizes), sizeOf(window.sizes)];
  return {
    outputs: winners ? [y, { type: "int64", shape }] : [y],
    work: countTaps(window, n * c) * work,
    run([x], [ys, places]) {
      eachPosition(window, sizes, (taps, position) => {
        for (let image = 0; image < n * c; image++) {
          const to = image * positions + position;
          ys![to] = value(x!, image * size, taps, position);
          if (places) places[to] = winner!(x!, image * size, taps);
        }
      });
    },
  };
}

/** The first winner's place behind `base`, or the first NaN's; -1 where the window has no taps. */
function best(x: Numbers, base: number, taps: Int32Array): number {
  let [place, most] = [-1, -Infinity];
  for (let i = 0; i < taps.length; i += 2) {
    const given = x[base + taps[i]!]!;
    if (place >= 0 && !(given > most || (given !== given && most === most))) continue;
    [place, most] = [taps[i]!, given];
  }
  return place;
}

/** Maxima; the winners' places are counted by rows, or by columns. */
export function maxima(byColumns: boolean, sizes: readonly number[]): Pool {
  const counted = (place: number): number => {
    if (!byColumns) return place;
    let [rest, result] = [place, 0];
    for (let axis = sizes.length - 1; axis >= 0; axis--) {
      result += (rest % sizes[axis]!) * sizeOf(sizes.slice(0, axis));
      rest = Math.floor(rest / sizes[axis]!);
    }
    return result;
  };
  return {
    value(x, base, taps) {
      const place = best(x, base, taps);
      return place < 0 ? -Infinity : x[base + place]!;
    },
    winner: (x, base, taps) => base + counted(best(x, base, taps)),
  };
}

/** Means, in which padding counts or not: the sum in scan order, in float64. */
export function averages(window: SlidingWindow, sizes: readonly number[], counts: boolean): Pool {
  const padded = sizes.map((size, i) => size + window.pads[i]![0] + window.pads[i]![1]);
  const unpadded = { ...window, pads: window.pads.map((): Pair => [0, 0]) };
  return {
    value(x, base, taps, position) {
      let sum = 0;
      for (let i = 0; i < taps.length; i += 2) sum += x[base + taps[i]!]!;
      return sum / (counts ? tapsWithin(unpadded, padded, position) : taps.length / 2);
    },
  };
}

/** The largest p of a norm: its powers are products. */
const MOST_P = 64;

/**
 * `(Σ |x|^p)^(1/p)`, in scan order, in float64. @throws Unsupported unless p is a positive integer that is not too
 * large
 */
export function lpNorms(p: number): Pool {
  if (p < 1 || p > MOST_P) throw new Unsupported(`p: expected an integer from 1 to ${MOST_P}, got ${p}`);
  return {
    work: p,
    value(x, base, taps) {
      let sum = 0;
      for (let i = 0; i < taps.length; i += 2) {
        const given = Math.abs(x[base + taps[i]!]!);
        let power = given;
        for (let k = 1; k < p; k++) power *= given;
        sum += power;
      }
      return root(sum, p);
    },
  };
}

/**
 * The p-th root of a number ≥ 0 by Newton's iteration, which falls towards it from above until rounding stops it: within
 * a few units in the last place of float64.
 */
function root(x: number, p: number): number {
  if (p === 1 || x === 0 || !(x < Infinity)) return x;
  let y = Math.max(1, Math.sqrt(x));
  if (p === 2) return Math.sqrt(x);
  for (;;) {
    let power = y;
    for (let k = 2; k < p; k++) power *= y;
    const next = y + (x / power - y) / p;
    if (!(next < y)) return y;
    y = next;
  }
}
