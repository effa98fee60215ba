import { sizeOf } from "../../../../tensor.ts";
import { Unsupported } from "../../node.ts";
import type { SlidingWindow } from "./window.ts";

/** The most taps of all positions of a window together. */
const MOST = 2 ** 26;

/**
 * The number of steps of a run over all taps of all positions, including those outside, for `values` values each. A run
 * without values still visits each tap. @throws Unsupported when there are too many taps
 */
export function countTaps({ kernel, sizes }: SlidingWindow, values: number): number {
  const count = sizeOf(sizes) * sizeOf(kernel);
  if (count <= MOST) return count * Math.max(1, values);
  throw new Unsupported(`expected a window of at most ${MOST} taps in all, got ${count}`);
}

/**
 * The taps along an axis that are inside, from `first` to before `end`, and the position `start` of tap 0, which may be
 * negative.
 */
interface Reach {
  readonly start: number;
  readonly first: number;
  readonly end: number;
}

/** By axis: the taps of the window at a position that are within axes of `sizes`. */
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

/** The number of taps of the window at a position that are within axes of `sizes`. */
export function tapsWithin(window: SlidingWindow, sizes: readonly number[], position: number): number {
  return sizeOf(reachesOf(window, sizes, position).map(({ first, end }) => end - first));
}

/**
 * Calls `each` with every position of a window and its taps within axes of `sizes`, in ascending order. The taps are pairs
 * of an element's index and the tap's index in the window. The list is reused for the next position.
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
    const list = (axis: number, offset: number, tap: number): void => {
      if (axis === sizes.length) {
        taps[length++] = offset;
        taps[length++] = tap;
        return;
      }
      const { start, first, end } = reaches[axis]!;
      for (let i = first; i < end; i++) {
        list(axis + 1, offset * sizes[axis]! + start + i * dilations[axis]!, tap * kernel[axis]! + i);
      }
    };
    list(0, 0, 0);
    each(taps.subarray(0, length), position);
  }
}
