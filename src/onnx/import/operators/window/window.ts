import { listed } from "../../../../options.ts";
import { Unsupported } from "../../node.ts";
import type { Node } from "../../operator.ts";

/** The largest size of a window. */
const MOST = 2 ** 26;

/** A pair of numbers for one axis, before and behind, or for two axes. */
export type Pair = readonly [number, number];

export const AUTO_PADS = ["NOTSET", "SAME_UPPER", "SAME_LOWER", "VALID"] as const;

/** Padding on both sides together as what is before and behind: the odd element behind for `SAME_UPPER`. */
export function sharedPadding(total: number, auto: (typeof AUTO_PADS)[number]): Pair {
  const less = Math.floor(Math.max(0, total) / 2);
  const more = Math.max(0, total) - less;
  return auto === "SAME_UPPER" ? [less, more] : [more, less];
}

/** @throws Unsupported when padding is given beside `auto_pad`, which computes it */
export function checkPadding(auto: (typeof AUTO_PADS)[number], pads: readonly number[]): void {
  if (auto === "NOTSET" || !pads.some((pad) => pad !== 0)) return;
  throw new Unsupported(`pads: expected none beside auto_pad ${auto}, got ${listed(pads)}`);
}

/** A window that slides along the axes behind the channels: one entry for each. */
export interface SlidingWindow {
  readonly kernel: readonly number[];
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
  /** Padding before and behind. */
  readonly pads: readonly Pair[];
  /** Output sizes. */
  readonly sizes: readonly number[];
}

/** The window of a convolution or pooling over axes of `sizes`, whose attributes it reads. @throws Unsupported */
export function slidingWindow(
  { attributes }: Node,
  sizes: readonly number[],
  kernel: readonly number[],
  ceil = false,
): SlidingWindow {
  const rank = sizes.length;
  if (kernel.length !== rank || !kernel.every((size) => size > 0)) {
    throw new Unsupported(`kernel_shape: expected ${rank} positive integers, got [${listed(kernel)}]`);
  }
  const [strides, dilations] = [attributes.list("strides", rank, 1), attributes.list("dilations", rank, 1)];
  const explicit = attributes.list("pads", 2 * rank, 0);
  for (const each of [kernel, strides, dilations, explicit]) {
    if (each.some((size) => size > MOST)) {
      throw new Unsupported(`expected a window with sizes of at most ${MOST}, got [${listed(each)}]`);
    }
  }
  const reaches = kernel.map((size, i) => (size - 1) * dilations[i]! + 1);
  const auto = attributes.choice("auto_pad", AUTO_PADS);
  checkPadding(auto, explicit);
  const pads = sizes.map((size, i): Pair => {
    if (auto === "VALID") return [0, 0];
    if (auto === "NOTSET") return [explicit[i]!, explicit[rank + i]!];
    return sharedPadding((Math.ceil(size / strides[i]!) - 1) * strides[i]! + reaches[i]! - size, auto);
  });
  const outputs = sizes.map((size, i) => {
    const [before, after] = pads[i]!;
    const room = size + before + after - reaches[i]!;
    if (room < 0)
      throw new Unsupported(`expected at least ${reaches[i]} elements along axis ${i + 2}, got ${size}`);
    const steps = room / strides[i]!;
    if (!ceil) return Math.floor(steps) + 1;
    // A window that would start in the padding behind is left out.
    const count = Math.ceil(steps) + 1;
    return (count - 1) * strides[i]! >= size + before ? count - 1 : count;
  });
  return { kernel, strides, dilations, pads, sizes: outputs };
}

/** A window for two axes: of one axis, the first has a single row. */
export function asPlane(window: SlidingWindow): SlidingWindow {
  if (window.kernel.length === 2) return window;
  return {
    kernel: [1, ...window.kernel],
    strides: [1, ...window.strides],
    dilations: [1, ...window.dilations],
    pads: [[0, 0], ...window.pads],
    sizes: [1, ...window.sizes],
  };
}
