import { sizeOf } from "../../../../tensor.ts";
import { Unsupported } from "../../node.ts";
import type { SlidingWindow } from "./window.ts";

/** Most taps of all positions of a window. */
const MOST = 2 ** 26;

/**
 * The taps of all positions, those outside included, each for so many `values`: the steps of a run, which goes over them
 * all even where there are no values. @throws Unsupported when there are too many taps
 */
export function countTaps({ kernel, sizes }: SlidingWindow, values: number): number {
  const count = sizeOf(sizes) * sizeOf(kernel);
  if (count <= MOST) return count * Math.max(1, values);
  throw new Unsupported(`expected a window of at most ${MOST} taps in all, got ${count}`);
}

/**
 * The taps along an axis that lie within it, `[first, end)`, and the place of the first of all, which may lie before
 * it.
 */
interface Reach {
  readonly start: number;
  readonly first: number;
  readonly end: number;
}

/** The taps of the window at a position that lie within axes of `sizes`, axis by axis. */
function reachesOf(window: SlidingWindow, sizes: readonly number[], position: number): Reach[] {
  const { kernel, strides, dilations, pads, sizes: counts } = window;
  const reaches: Reach[] = [];
  for (let axis = sizes.length - 1, rest = position; axis >= 0; axis--) {
    const [count, dilation] = [counts[axis]!, dilations[axis]!];
    const start = (rest % count) * strides[axis]! - pads[axis]![0];
    rest = Math.floor(rest / count);
    const first = Math.max(0, Math.ceil(-start / dilation));
    const end = Math.min(kernel[axis]!, Math.ceil((sizes[axis]! - start) / dilation));
    reaches[axis] = { start, first, end: Math.max(first, end) };
  }
  return reaches;
}

/** Counts the taps of the window at a position that lie within axes of `sizes`. */
export function tapsWithin(window: SlidingWindow, sizes: readonly number[], position: number): number {
  return sizeOf(reachesOf(window, sizes, position).map(({ first, end }) => end - first));
}

/**
 * Calls `each` with every position of a window and its taps, in ascending order, as far as they lie within axes of
 * `sizes`: pairs of a place there and a place in the window, in a list that is used again.
 */
export function eachPosition(
  window: SlidingWindow,
  sizes: readonly number[],
  each: (taps: Int32Array, position: number) => void,
): void {
  const { kernel, dilations, sizes: counts } = window;
  const taps = new Int32Array(2 * sizeOf(sizes.map((size, axis) => Math.min(size, kernel[axis]!))));
  const positions = sizeOf(counts);
  for (let position = 0; position < positions; position++) {
    const reaches = reachesOf(window, sizes, position);
    let length = 0;
    const list = (axis: number, place: number, tap: number): void => {
      if (axis === sizes.length) {
        taps[length++] = place;
        taps[length++] = tap;
        return;
      }
      const { start, first, end } = reaches[axis]!;
      for (let i = first; i < end; i++) {
        list(axis + 1, place * sizes[axis]! + start + i * dilations[axis]!, tap * kernel[axis]! + i);
      }
    };
    list(0, 0, 0);
    each(taps.subarray(0, length), position);
  }
}
