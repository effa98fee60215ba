/** Convolutions over any number of axes, in TypeScript. Sums are in float64 and rounded once. */
import { sizeOf, type Shape } from "../../../../tensor.ts";
import type { HostPlan } from "../../layers/host.ts";
import type { ImageSizes } from "../window/images.ts";
import type { SlidingWindow } from "../window/window.ts";
import { countTaps, eachPosition } from "../window/taps.ts";

/** `y[n, f, …] = conv(x[n, c, …], w[f, c / groups, …]) + b`: taps in scan order, channel by channel. */
export function convPlan(
  { n, c, sizes }: ImageSizes,
  filters: Shape,
  groups: number,
  window: SlidingWindow,
): HostPlan {
  const [f, cg] = filters as [number, number];
  const [size, taps] = [sizeOf(sizes), sizeOf(window.kernel)];
  const positions = sizeOf(window.sizes);
  return {
    outputs: [{ type: "float32", shape: [n, f, ...window.sizes] }],
    work: countTaps(window, n * f * cg),
    run([x, w, b], [y]) {
      eachPosition(window, sizes, (own, position) => {
        for (let image = 0; image < n; image++) {
          for (let filter = 0; filter < f; filter++) {
            const first = image * c + Math.floor(filter / (f / groups)) * cg;
            let sum = 0;
            for (let channel = 0; channel < cg; channel++) {
              const [from, weights] = [(first + channel) * size, (filter * cg + channel) * taps];
              for (let i = 0; i < own.length; i += 2) sum += x![from + own[i]!]! * w![weights + own[i + 1]!]!;
            }
            y![(image * f + filter) * positions + position] = sum + (b ? b[filter]! : 0);
          }
        }
      });
    },
  };
}

/**
 * The adjoint, `y[n, f, sizes] = convTranspose(x[n, c, …], w[c, f / groups, …]) + b`: the window slides over `y`. The terms
 * of each pixel are added channel by channel, and in the order of the positions.
 */
export function transposedPlan(
  { n, c }: ImageSizes,
  filters: Shape,
  groups: number,
  window: SlidingWindow,
  sizes: readonly number[],
): HostPlan {
  const fg = filters[1]!;
  const [cg, f] = [c / groups, fg * groups];
  const [size, taps] = [sizeOf(sizes), sizeOf(window.kernel)];
  const positions = sizeOf(window.sizes);
  return {
    outputs: [{ type: "float32", shape: [n, f, ...sizes] }],
    work: countTaps(window, n * f * cg),
    run([x, w, b], [y]) {
      const sums = new Float64Array(size);
      for (let image = 0; image < n; image++) {
        for (let filter = 0; filter < f; filter++) {
          sums.fill(0);
          const first = Math.floor(filter / fg) * cg;
          for (let channel = first; channel < first + cg; channel++) {
            const [from, weights] = [
              (image * c + channel) * positions,
              (channel * fg + (filter % fg)) * taps,
            ];
            eachPosition(window, sizes, (own, position) => {
              const value = x![from + position]!;
              for (let i = 0; i < own.length; i += 2) sums[own[i]!]! += value * w![weights + own[i + 1]!]!;
            });
          }
          const to = (image * f + filter) * size;
          for (let i = 0; i < size; i++) y![to + i] = sums[i]! + (b ? b[filter]! : 0);
        }
      }
    },
  };
}

/** Adds patches `[n, c · taps, positions]` up to images `[n, c, …]`, in the order of the positions. */
export function foldPlan({ n, c, sizes }: ImageSizes, window: SlidingWindow): HostPlan {
  const [size, taps] = [sizeOf(sizes), sizeOf(window.kernel)];
  const positions = sizeOf(window.sizes);
  return {
    outputs: [{ type: "float32", shape: [n, c, ...sizes] }],
    work: countTaps(window, n * c),
    run([x], [y]) {
      const sums = new Float64Array(n * c * size);
      eachPosition(window, sizes, (own, position) => {
        for (let channel = 0; channel < n * c; channel++) {
          const [from, to] = [channel * taps * positions + position, channel * size];
          for (let i = 0; i < own.length; i += 2) sums[to + own[i]!]! += x![from + own[i + 1]! * positions]!;
        }
      });
      y!.set(sums);
    },
  };
}
