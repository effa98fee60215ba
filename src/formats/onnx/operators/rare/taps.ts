import { sizeOf } from "../../../../tensor.ts";
import { Unsupported } from "../../node.ts";
import { range } from "../along.ts";
import type { SlidingWindow } from "../window.ts";

/** Most taps of all positions of a window that are listed. */
const MOST = 2 ** 26;

/**
 * The taps of each position of a window, in ascending order, as far as they lie within axes of `sizes`: pairs of a place
 * there and a place in the window.
 */
export function tapsOf(
  { kernel, strides, dilations, pads, sizes: counts }: SlidingWindow,
  sizes: readonly number[],
): number[][] {
  const count = sizeOf(counts) * sizeOf(kernel);
  if (!(count <= MOST))
    throw new Unsupported(`expected a window of at most ${MOST} taps in all, got ${count}`);
  let all = [[0, 0]];
  sizes.forEach((size, i) => {
    const [taps, stride, dilation, before] = [kernel[i]!, strides[i]!, dilations[i]!, pads[i]![0]];
    all = all.flatMap((outer) =>
      range(counts[i]!, (position) => {
        const own: number[] = [];
        for (let pair = 0; pair < outer.length; pair += 2) {
          for (let tap = 0; tap < taps; tap++) {
            const at = position * stride + tap * dilation - before;
            if (at >= 0 && at < size) own.push(outer[pair]! * size + at, outer[pair + 1]! * taps + tap);
          }
        }
        return own;
      }),
    );
  });
  return all;
}
