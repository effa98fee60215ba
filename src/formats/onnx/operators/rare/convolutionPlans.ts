/** Convolutions over axes of any number, in TypeScript. Sums are in float64, rounded once. */
import { sizeOf, type Shape } from "../../../../tensor.ts";
import type { HostPlan } from "../../layers/host.ts";
import type { ImageSizes } from "../images.ts";
import type { SlidingWindow } from "../window.ts";
import { tapsOf } from "./taps.ts";

/** `y[n, f, …] = conv(x[n, c, …], w[f, c / groups, …]) + b`: taps in scan order, channel by channel. */
export function convPlan(
  { n, c, sizes }: ImageSizes,
  filters: Shape,
  groups: number,
  window: SlidingWindow,
): HostPlan {
  const [f, cg] = filters as [number, number];
  const [size, taps] = [sizeOf(sizes), sizeOf(window.kernel)];
  const all = tapsOf(window, sizes);
  return {
    outputs: [{ type: "float32", shape: [n, f, ...window.sizes] }],
    run([x, w, b], [y]) {
      let to = 0;
      for (let image = 0; image < n; image++) {
        for (let filter = 0; filter < f; filter++) {
          const first = image * c + Math.floor(filter / (f / groups)) * cg;
          for (const own of all) {
            let sum = 0;
            for (let channel = 0; channel < cg; channel++) {
              const [from, weights] = [(first + channel) * size, (filter * cg + channel) * taps];
              for (let i = 0; i < own.length; i += 2) sum += x![from + own[i]!]! * w![weights + own[i + 1]!]!;
            }
            y![to++] = sum + (b ? b[filter]! : 0);
          }
        }
      }
    },
  };
}

/**
 * The adjoint, `y[n, f, sizes] = convTranspose(x[n, c, …], w[c, f / groups, …]) + b`: the window slides over `y`. What a
 * pixel gets is added up by channel, then position.
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
  const all = tapsOf(window, sizes);
  return {
    outputs: [{ type: "float32", shape: [n, f, ...sizes] }],
    run([x, w, b], [y]) {
      const sums = new Float64Array(size);
      for (let image = 0; image < n; image++) {
        for (let filter = 0; filter < f; filter++) {
          sums.fill(0);
          const first = Math.floor(filter / fg) * cg;
          for (let channel = first; channel < first + cg; channel++) {
            const [from, weights] = [
              (image * c + channel) * all.length,
              (channel * fg + (filter % fg)) * taps,
            ];
            scatter(all, sums, 0, (position, tap) => x![from + position]! * w![weights + tap]!);
          }
          const to = (image * f + filter) * size;
          for (let i = 0; i < size; i++) y![to + i] = sums[i]! + (b ? b[filter]! : 0);
        }
      }
    },
  };
}

/** Patches `[n, c · taps, positions]` added up to images `[n, c, …]`, in the order of the positions. */
export function foldPlan({ n, c, sizes }: ImageSizes, window: SlidingWindow): HostPlan {
  const [size, taps] = [sizeOf(sizes), sizeOf(window.kernel)];
  const all = tapsOf(window, sizes);
  return {
    outputs: [{ type: "float32", shape: [n, c, ...sizes] }],
    run([x], [y]) {
      const sums = new Float64Array(n * c * size);
      for (let channel = 0; channel < n * c; channel++) {
        const from = channel * taps * all.length;
        scatter(all, sums, channel * size, (position, tap) => x![from + tap * all.length + position]!);
      }
      y!.set(sums);
    },
  };
}

/** Adds what each tap of each position has to the places behind `base`. */
function scatter(
  all: readonly (readonly number[])[],
  sums: Float64Array,
  base: number,
  part: (position: number, tap: number) => number,
): void {
  all.forEach((own, position) => {
    for (let i = 0; i < own.length; i += 2) sums[base + own[i]!]! += part(position, own[i + 1]!);
  });
}
