/** Orders of axes: those of a value as the file has them, in the order in which they lie in memory. */
import type { Shape } from "../../tensor.ts";
import type { Computed } from "./values.ts";

/** The order of axes of `rank` as the file has them. */
export function fileOrder(rank: number): number[] {
  return Array.from({ length: rank }, (_, axis) => axis);
}

/** Channels last: `[n, c, …]` as `[n, …, c]`. */
export function channelsLast(rank: number): number[] {
  return rank < 3 ? fileOrder(rank) : [0, ...fileOrder(rank).slice(2), 1];
}

/**
 * The order in memory of a value under another shape, when nothing has to move for it: when each axis, or each group of
 * axes that lie together, is split into or joined to others. Axes of size 1 go anywhere.
 */
export function splitOrder({ shape, order }: Computed, target: Shape): number[] | undefined {
  const groups = matchAxes(shape, target);
  if (!groups) return undefined;
  const result: number[] = [];
  const long = order.filter((axis) => shape[axis] !== 1);
  for (let place = 0; place < long.length;) {
    const group = groups.find(({ from }) => from[0] === long[place]);
    if (!group || !group.from.every((axis, i) => long[place + i] === axis)) return undefined;
    result.push(...group.to);
    place += group.from.length;
  }
  return withSingles(result, target);
}

/** Axes that become others: their elements are the same in number and order. Axes of size 1 are left out. */
interface AxisGroup {
  readonly from: number[];
  readonly to: number[];
}

/** Cuts two shapes of the same number of elements into the smallest groups that correspond; undefined for empty ones. */
function matchAxes(shape: Shape, target: Shape): AxisGroup[] | undefined {
  // The number of images may be negative, while it is not known: it counts as larger than any size.
  const sizeIn = (sizes: Shape, axis: number): number => Math.abs(sizes[axis]!);
  const long = (sizes: Shape): number[] => fileOrder(sizes.length).filter((axis) => sizes[axis] !== 1);
  const [from, to] = [long(shape), long(target)];
  const groups: AxisGroup[] = [];
  if (shape.includes(0)) return undefined;
  for (let i = 0, j = 0; i < from.length;) {
    const group: AxisGroup = { from: [from[i]!], to: [to[j]!] };
    let [a, b] = [sizeIn(shape, from[i++]!), sizeIn(target, to[j++]!)];
    while (a !== b) {
      if (a < b) {
        a *= sizeIn(shape, from[i]!);
        group.from.push(from[i++]!);
      } else {
        b *= sizeIn(target, to[j]!);
        group.to.push(to[j++]!);
      }
    }
    groups.push(group);
  }
  return groups;
}

/** An order with the axes of size 1 put in: as in the file, or channels last when the others lie so. */
function withSingles(order: readonly number[], shape: Shape): number[] {
  for (const whole of [fileOrder(shape.length), channelsLast(shape.length)]) {
    const long = whole.filter((axis) => shape[axis] !== 1);
    if (long.every((axis, i) => axis === order[i])) return whole;
  }
  const singles = fileOrder(shape.length).filter((axis) => shape[axis] === 1);
  // The first axis stays in front: it may be that of the images.
  return singles[0] === 0 ? [...singles, ...order] : [...order, ...singles];
}

/**
 * Whether two orders of a value are the same in memory: they agree in all axes of more than one element, and in that of the images
 * if it is `batched`.
 */
export function areAlike({ shape, order }: Computed, other: readonly number[], batched: boolean): boolean {
  const counts = (axis: number): boolean => shape[axis] !== 1 || (batched && axis === 0);
  const [mine, its] = [order.filter(counts), other.filter(counts)];
  return mine.every((axis, i) => axis === its[i]);
}
