import { listed } from "../../../../options.ts";
import { Unsupported } from "../../node.ts";
import type { Node } from "../../operator.ts";

/** The largest size of a window. */
const MOST = 2 ** 26;

/** A pair of numbers: before and after an axis, or for two axes. */
export type Pair = readonly [number, number];

export const AUTO_PADS = ["NOTSET", "SAME_UPPER", "SAME_LOWER", "VALID"] as const;

/** Splits a total of padding into before and after; an odd element is after for `SAME_UPPER` and before otherwise. */
export function sharedPadding(total: number, auto: (typeof AUTO_PADS)[number]): Pair {
  const less = Math.floor(Math.max(0, total) / 2);
  const more = Math.max(0, total) - less;
  return auto === "SAME_UPPER" ? [less, more] : [more, less];
}

/** @throws Unsupported when a node has `pads` as well as an `auto_pad` that computes them */
export function checkPadding(auto: (typeof AUTO_PADS)[number], pads: readonly number[]): void {
  if (auto === "NOTSET" || !pads.some((pad) => pad !== 0)) return;
  throw new Unsupported(`pads: expected none beside auto_pad ${auto}, got ${listed(pads)}`);
}

/** A window that slides along the axes after the channels; each list has one entry for each axis. */
export interface SlidingWindow {
  readonly kernel: readonly number[];
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
  /** The padding before and after. */
  readonly pads: readonly Pair[];
  /** The sizes of the output. */
  readonly sizes: readonly number[];
}

/** Reads the window of a convolution or pooling over axes of `sizes` from a node's attributes. @throws Unsupported */
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
    const spare = size + before + after - reaches[i]!;
    if (spare < 0)
      throw new Unsupported(`expected at least ${reaches[i]} elements along axis ${i + 2}, got ${size}`);
    const steps = spare / strides[i]!;
    if (!ceil) return Math.floor(steps) + 1;
    // A window that would start in the padding after the elements is left out.
    const count = Math.ceil(steps) + 1;
    return (count - 1) * strides[i]! >= size + before ? count - 1 : count;
  });
  return { kernel, strides, dilations, pads, sizes: outputs };
}

/** Turns a window for one axis into one for two axes, of which the first has a single row. */
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
