/** Pooling over any number of axes, in TypeScript. */
import { sizeOf } from "../../../../tensor.ts";
import type { HostPlan } from "../../layers/host.ts";
import { Unsupported } from "../../node.ts";
import type { Numbers } from "../../../file/constant.ts";
import type { ImageSizes } from "../window/images.ts";
import type { Pair, SlidingWindow } from "../window/window.ts";
import { countTaps, eachPosition, tapsWithin } from "../window/taps.ts";

/** A function of the window at a position. `taps` are pairs of an element's index after `base` and a tap's in the window. */
export interface Pool {
  value(x: Numbers, base: number, taps: Int32Array, position: number): number;
  /** The index of the element that is the value. */
  winner?(x: Numbers, base: number, taps: Int32Array): number;
  /** The number of steps for each tap. Default: 1. */
  readonly work?: number;
}

/** The plan of `y[n, c, …]` and, with `winners`, of the indices of the winners. */
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
    run([x], [ys, indices]) {
      eachPosition(window, sizes, (taps, position) => {
        for (let image = 0; image < n * c; image++) {
          const to = image * positions + position;
          ys![to] = value(x!, image * size, taps, position);
          if (indices) indices[to] = winner!(x!, image * size, taps);
        }
      });
    },
  };
}

/** The index after `base` of the first largest element, or of the first NaN; -1 for a window without taps. */
function best(x: Numbers, base: number, taps: Int32Array): number {
  let [index, most] = [-1, -Infinity];
  for (let i = 0; i < taps.length; i += 2) {
    const element = x[base + taps[i]!]!;
    if (index >= 0 && !(element > most || (element !== element && most === most))) continue;
    [index, most] = [taps[i]!, element];
  }
  return index;
}

/** The maximum of each window; indices of winners count the elements row by row, or column by column. */
export function maxima(byColumns: boolean, sizes: readonly number[]): Pool {
  const counted = (index: number): number => {
    if (!byColumns) return index;
    let [rest, result] = [index, 0];
    for (let axis = sizes.length - 1; axis >= 0; axis--) {
      result += (rest % sizes[axis]!) * sizeOf(sizes.slice(0, axis));
      rest = Math.floor(rest / sizes[axis]!);
    }
    return result;
  };
  return {
    value(x, base, taps) {
      const index = best(x, base, taps);
      return index < 0 ? -Infinity : x[base + index]!;
    },
    winner: (x, base, taps) => base + counted(best(x, base, taps)),
  };
}

/** The mean of each window, in which padding may count; the sum is in scan order and float64. */
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

/** The largest p of a norm, because powers are computed by p − 1 products. */
const MOST_P = 64;

/** The norm `(Σ |x|^p)^(1/p)` of each window, in scan order and float64. @throws Unsupported unless 1 ≤ p ≤ 64 */
export function lpNorms(p: number): Pool {
  if (p < 1 || p > MOST_P) throw new Unsupported(`p: expected an integer from 1 to ${MOST_P}, got ${p}`);
  return {
    work: p,
    value(x, base, taps) {
      let sum = 0;
      for (let i = 0; i < taps.length; i += 2) {
        const magnitude = Math.abs(x[base + taps[i]!]!);
        let power = magnitude;
        for (let k = 1; k < p; k++) power *= magnitude;
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
