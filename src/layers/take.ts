/** Layers that make a tensor from another along one of its axes: what slices, pads, gathers and resizes. */
import type { Gradient, Layer, Pass } from "./contract.ts";
import { layerOf } from "./symbolic.ts";
import type { Shape } from "../tensor.ts";

/** An element of the new axis as a sum of elements of the old one, each times its weight. */
export type Blend = readonly (readonly [place: number, weight: number])[];

/** Where the elements of a new axis come from. */
export interface AxisTable {
  /** Elements of the old axis. */
  readonly from: number;
  /** For each element of the new axis the old one that it is, or -1 for the filling. */
  readonly places: readonly number[];
  /** Where the new elements are sums instead; those without a place are the filling all the same. */
  readonly blends?: readonly Blend[];
  /** Default: 0. */
  readonly fill?: number;
}

/** The start of a table that is a range of the old axis with zeros before and behind; undefined of any other. */
export function rangeStart({ from, places, blends, fill = 0 }: AxisTable): number | undefined {
  const first = places.findIndex((place) => place >= 0);
  if (blends || first < 0) return undefined;
  const start = places[first]! - first;
  const isRange = places.every((place, i) => {
    const inside = start + i >= 0 && start + i < from;
    return inside ? place === start + i : place < 0 && fill === 0;
  });
  return isRange ? start : undefined;
}

/** Whether the new axis is the old one. */
export function isWhole(table: AxisTable): boolean {
  return table.places.length === table.from && rangeStart(table) === 0;
}

/** Fills in `y[outer, places, inner]` from `x[outer, from, inner]`. Sums are added in the order of the blend, in float64. */
export function takeAlong(
  table: AxisTable,
  inner: number,
  x: ArrayLike<number>,
  y: Float32Array | Float64Array | Int32Array,
): void {
  const { from, places, blends, fill = 0 } = table;
  const sums = new Float64Array(blends ? inner : 0);
  for (let to = 0, base = 0; to < y.length; base += from * inner) {
    for (let j = 0; j < places.length; j++, to += inner) {
      const place = places[j]!;
      if (place < 0) y.fill(fill, to, to + inner);
      else if (blends) {
        sums.fill(0);
        for (const [tap, weight] of blends[j]!) {
          const at = base + tap * inner;
          for (let i = 0; i < inner; i++) sums[i]! += weight * x[at + i]!;
        }
        y.set(sums, to);
      } else {
        const at = base + place * inner;
        for (let i = 0; i < inner; i++) y[to + i] = x[at + i]!;
      }
    }
  }
}

/** How a tensor lies around the axis: `[outer, axis, inner]`. */
export interface Around {
  readonly outer: number;
  readonly inner: number;
}

function along(shape: Shape, differentiable: boolean, build: Layer["build"]): Layer {
  return layerOf({
    type: "take",
    differentiable,
    outputShape: () => shape,
    build,
  });
}

/** A range of an axis, with zeros where it reaches beyond: one patch for each of `outer`, by the kernels for patches. */
export function rangeLayer(
  { from, places }: AxisTable,
  start: number,
  { outer, inner }: Around,
  shape: Shape,
): Layer {
  return along(shape, true, ({ kernels, window, x, y }): Pass<TakeState> => {
    const one = { kh: 1, strideH: 1, strideW: 1, dilationH: 1, dilationW: 1, top: 0, ow: 1 };
    const struct = window({
      ...one,
      h: outer,
      oh: outer,
      w: from,
      kw: places.length,
      c: inner,
      left: -start,
    });
    return { forward: (n) => kernels.im2row(struct, n, x.pointer, y.pointer), state: { window: struct } };
  });
}

/** The length of the table of `tapsOf`. */
function tapsLength({ places, blends }: AxisTable): number {
  const taps = (place: number, i: number): number => (place < 0 ? 0 : (blends?.[i]?.length ?? 1));
  return places.reduce((sum, place, i) => sum + 2 * taps(place, i), places.length + 2);
}

/** The table as `assembly/movement/taps.ts` reads it; `float` tells the type of the filling. */
export function tapsOf(table: AxisTable, float: boolean): Int32Array {
  const { places, blends, fill = 0 } = table;
  const { length } = places;
  const numbers = new Int32Array(tapsLength(table));
  const weights = new Float32Array(numbers.buffer);
  if (float) weights[0] = fill;
  else numbers[0] = fill;
  let at = length + 2;
  const put = (place: number, weight: number): void => {
    numbers[at] = place;
    weights[at + 1] = weight;
    at += 2;
  };
  places.forEach((place, i) => {
    const blend = blends?.[i];
    if (place >= 0 && blend) for (const [tap, weight] of blend) put(tap, weight);
    else if (place >= 0) put(place, 1);
    numbers[i + 2] = (at - length - 2) / 2;
  });
  return numbers;
}

/** Any other table. */
export function tableLayer(axis: AxisTable, { outer, inner }: Around, float: boolean, shape: Shape): Layer {
  const { from, places } = axis;
  const to = places.length;
  return along(shape, float, ({ kernels, tableOf, x, y }): Pass<TakeState> => {
    const taps = tableOf(tapsLength(axis), () => tapsOf(axis, float));
    const forward = (n: number): void =>
      kernels.tapsForward(taps, n * outer, from, to, inner, x.pointer, y.pointer);
    return { forward, state: { taps, outer, from, to, inner } };
  });
}

/** A table in a plan: its address, and how the tensor lies around the axis. */
interface TableState extends Around {
  readonly taps: number;
  readonly from: number;
  readonly to: number;
}

/** A range in a plan is patches; `window` is the address of their window. */
type TakeState = { readonly window: number } | TableState;

/** Each element's gradient goes to those that it is the sum of, times their weights. */
export const takeGradient: Gradient<TakeState> = ({ kernels, dx, dy }, state) => {
  if ("window" in state) return (n) => kernels.col2im(state.window, n, dy.pointer, dx!.pointer);
  const { taps, outer, from, to, inner } = state;
  return (n) => kernels.tapsBackward(taps, n * outer, from, to, inner, dy.pointer, dx!.pointer);
};
