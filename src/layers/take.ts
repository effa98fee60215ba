/** A layer that makes a tensor from another along one of its axes: slices, pads, gathers and resizes are special cases. */
import { OptionError, ShapeError } from "../errors.ts";
import { isInteger, jsonNumber, listOf, readOptions, show, type JsonNumber } from "../options.ts";
import { ONE_PIXEL } from "../kernels/window.ts";
import { sizeOf, type Shape } from "../tensor.ts";
import { imageAxis, readAxis } from "./concatenate.ts";
import { onlyInput, type BuildContext, type Gradient, type Layer, type Pass } from "./contract.ts";
import { layerOf, typeOfInputs } from "./symbolic.ts";

/** An element of the new axis as a sum of elements of the old one, each times its weight. */
export type Blend = readonly (readonly [index: number, weight: number])[];

/** The source of each element of a new axis. */
export interface AxisTable {
  /** The number of elements of the old axis. */
  readonly from: number;
  /** By new element: the index of the old element that it copies, or -1 for `fill`. */
  readonly indices: readonly number[];
  /** By new element: the weighted sum that replaces the copy. An element with index -1, or the sum of none, is `fill`. */
  readonly blends?: readonly Blend[];
  /** Default: 0. */
  readonly fill?: number;
}

/** The start of a table that is a range of the old axis with zeros before and after it; undefined for any other table. */
export function rangeStart({ from, indices, blends, fill = 0 }: AxisTable): number | undefined {
  const first = indices.findIndex((index) => index >= 0);
  if (blends || first < 0) return undefined;
  const start = indices[first]! - first;
  const isRange = indices.every((index, i) => {
    const inside = start + i >= 0 && start + i < from;
    // The kernel for patches puts 0 beyond the ends, which −0 is not.
    return inside ? index === start + i : index < 0 && Object.is(fill, 0);
  });
  return isRange ? start : undefined;
}

/** True when the new axis equals the old one. */
export function isWhole(table: AxisTable): boolean {
  return table.indices.length === table.from && rangeStart(table) === 0;
}

/** Fills in `y[outer, indices, inner]` from `x[outer, from, inner]`; adds in the order of the blend and in float64. */
export function takeAlong(
  table: AxisTable,
  inner: number,
  x: ArrayLike<number>,
  y: Float32Array | Float64Array | Int32Array,
): void {
  const { from, indices, blends, fill = 0 } = table;
  const sums = new Float64Array(blends ? inner : 0);
  for (let to = 0, base = 0; to < y.length; base += from * inner) {
    for (let j = 0; j < indices.length; j++, to += inner) {
      const index = indices[j]!;
      if (index < 0 || blends?.[j]?.length === 0) y.fill(fill, to, to + inner);
      else if (blends) {
        sums.fill(0);
        for (const [tap, weight] of blends[j]!) {
          const at = base + tap * inner;
          for (let i = 0; i < inner; i++) sums[i]! += weight * x[at + i]!;
        }
        y.set(sums, to);
      } else {
        const at = base + index * inner;
        for (let i = 0; i < inner; i++) y[to + i] = x[at + i]!;
      }
    }
  }
}

/** The sizes of a tensor `[outer, axis, inner]` before and after the axis. */
export interface Around {
  readonly outer: number;
  readonly inner: number;
}

/** The sources of a new axis, as a table of an old one of any length. */
export interface TableOptions {
  /** By element of the new axis: the index of the old element that it copies, or -1 for `fill`. */
  indices: readonly number[];
  /**
   * By element of the new axis: the old elements that it is the sum of, each with its weight. The sum of none is `fill`.
   * Default: only copies.
   */
  blends?: readonly Blend[] | undefined;
}

export interface TakeLayerOptions extends TableOptions {
  /** The axis, counted with the batch as 0, or from the last as -1. */
  axis: number;
  /** The value of elements with index -1. Default: 0. */
  fill?: JsonNumber | undefined;
  name?: string | undefined;
}

const isIndex = (value: unknown): value is number => isInteger(value) && value >= -1;
const isTap = (value: unknown): value is readonly [number, number] =>
  Array.isArray(value) &&
  value.length === 2 &&
  isIndex(value[0]) &&
  value[0] >= 0 &&
  typeof value[1] === "number";
const isBlend = (value: unknown): value is Blend => Array.isArray(value) && value.every(isTap);

function readIndices(where: string, value: unknown): number[] {
  const indices = listOf(value, isIndex);
  if (indices?.length) return indices;
  throw new OptionError(`${where}: expected integers from -1, got ${show(value)}`);
}

/** The readers of a table's options. A table fits any axis that has the elements that it refers to. */
export const tableReaders = (options: TableOptions) => {
  const readBlends = (where: string, value: unknown): Blend[] => {
    const { length } = options.indices;
    const blends = listOf(value, isBlend);
    if (blends?.length === length) return blends.map((blend) => blend.map(([...tap]) => tap));
    throw new OptionError(`${where}: expected ${length} lists of [index, weight], got ${show(value)}`);
  };
  return { indices: readIndices, blends: [readBlends] } as const;
};

/** The elements of the old axis that element `i` of the new one is the sum of; none for `fill`. */
export function tapsAt({ indices, blends }: TableOptions, i: number): Blend {
  const index = indices[i]!;
  return index < 0 ? [] : (blends?.[i] ?? [[index, 1]]);
}

/** @throws ShapeError naming `where` when a table refers to elements beyond an axis of `from` */
export function expectFits(where: string, table: TableOptions, from: number): void {
  const beyond = table.indices.flatMap((_, i) => tapsAt(table, i)).find(([index]) => index >= from);
  if (!beyond) return;
  throw new ShapeError(`${where}: expected an axis of at least ${beyond[0] + 1} elements, got ${from}`);
}

/**
 * Makes a value from another along one of its axes: each element of the new axis is an element of the old one, or a weighted
 * sum of several, added in float64 in the order of the blend, or the value `fill`. Slices, pads, gathers, repeats and
 * resizes are special cases.
 * @throws OptionError, ShapeError naming the layer, the expected and the given.
 */
export function take(options: TakeLayerOptions): Layer {
  const config = readOptions("take", options, {
    axis: readAxis,
    ...tableReaders(options),
    fill: [jsonNumber],
  });
  const { axis, indices } = config;
  const fill = Number(config.fill ?? 0);
  const tableFor = (where: string, input: Shape): AxisTable & { readonly at: number } => {
    const at = imageAxis(axis, input.length, where);
    const from = input[at]!;
    expectFits(where, config, from);
    return { ...config, fill, from, at };
  };
  return layerOf({
    type: "take",
    name: options.name,
    config,
    // Weighted sums and other numbers to fill in are floats.
    ...(!config.blends && fill === (fill | 0) && { outputType: typeOfInputs }),
    outputShape(inputs, where) {
      const input = onlyInput(inputs, where);
      const { at } = tableFor(where, input);
      return input.map((size, i) => (i === at ? indices.length : size));
    },
    build(context) {
      const input = onlyInput(context.inputs);
      const { at, ...table } = tableFor(context.name, input);
      const around = { outer: sizeOf(input.slice(0, at)), inner: sizeOf(input.slice(at + 1)) };
      const start = rangeStart(table);
      return start === undefined
        ? tablePass(context, table, around)
        : rangePass(context, table, start, around);
    },
  });
}

/** Copies a range of an axis, with zeros beyond its ends: the kernels for patches copy one patch for each of `outer`. */
function rangePass(
  { kernels, window, x, y }: BuildContext,
  { from, indices }: AxisTable,
  start: number,
  { outer, inner }: Around,
): Pass<TakeState> {
  const struct = window({
    ...ONE_PIXEL,
    h: outer,
    oh: outer,
    w: from,
    kw: indices.length,
    c: inner,
    left: -start,
  });
  return { forward: (n) => kernels.im2row(struct, n, x.pointer, y.pointer), state: { window: struct } };
}

/** The table in the format that `assembly/movement/taps.ts` reads; `float` is true when `fill` is a float, not an integer. */
export function tapsOf(table: AxisTable, float: boolean): Int32Array {
  const { indices, fill = 0 } = table;
  const taps = indices.map((_, i) => tapsAt(table, i));
  const first = indices.length + 2;
  const numbers = new Int32Array(first + 2 * taps.flat().length);
  const weights = new Float32Array(numbers.buffer);
  (float ? weights : numbers)[0] = fill;
  let count = 0;
  taps.forEach((blend, i) => {
    for (const [index, weight] of blend) {
      numbers[first + 2 * count] = index;
      weights[first + 2 * count + 1] = weight;
      count++;
    }
    numbers[i + 2] = count;
  });
  return numbers;
}

/** The forward pass for a table that is not a range. */
function tablePass({ kernels, table, x, y }: BuildContext, axis: AxisTable, around: Around): Pass<TakeState> {
  const { from, indices } = axis;
  const to = indices.length;
  const { outer, inner } = around;
  const taps = table(tapsOf(axis, x.dtype === "float32"));
  const forward = (n: number): void =>
    kernels.tapsForward(taps, n * outer, from, to, inner, x.pointer, y.pointer);
  return { forward, state: { taps, outer, from, to, inner } };
}

/** The state of a table in a plan: its address and the sizes of the tensor. */
interface TableState extends Around {
  readonly taps: number;
  readonly from: number;
  readonly to: number;
}

/** The state of either pass; for a range, `window` is the address of the patches' window. */
type TakeState = { readonly window: number } | TableState;

/** The gradient of each element goes to the elements that it is the sum of, times their weights. */
export const takeGradient: Gradient<TakeState> = ({ kernels, dx, dy }, state) => {
  if ("window" in state) return (n) => kernels.col2im(state.window, n, dy.pointer, dx!.pointer);
  const { taps, outer, from, to, inner } = state;
  return (n) => kernels.tapsBackward(taps, n * outer, from, to, inner, dy.pointer, dx!.pointer);
};
