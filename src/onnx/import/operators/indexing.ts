/** Operators that find the indices of the largest or smallest elements. */
import { sizeOf, type Shape } from "../../../tensor.ts";
import type { HostPlan } from "../layers/host.ts";
import { Unsupported } from "../node.ts";
import {
  axisOf,
  checkType,
  knownNumber,
  NUMBERS,
  onHost,
  required,
  type Node,
  type Operator,
  type OperatorTable,
} from "../operator.ts";
import type { Value } from "../values.ts";
import { range } from "./axisTable.ts";

/** The shape with another size along the axis, for one image or all. */
function resized(shape: Shape, axis: number, size: number, n: number): number[] {
  return shape.map((each, i) => (i === axis ? size : i === 0 ? n : each));
}

/**
 * Calls `each` for every row along the axis, with the index of its first element, the distance to the next one, and the
 * index of its first result; a row has `length` results.
 */
function eachRow(
  shape: Shape,
  axis: number,
  length: number,
  each: (from: number, step: number, to: number) => void,
): void {
  const [size, step] = [shape[axis]!, sizeOf(shape.slice(axis + 1))];
  const outer = sizeOf(shape.slice(0, axis));
  for (let i = 0; i < outer; i++) {
    for (let j = 0; j < step; j++) each(i * size * step + j, step, i * length * step + j);
  }
}

/** Runs a plan for the whole value and, unless the axis is that of the images, offers one for a single image. */
function byRows(node: Node, x: Value, axis: number, planOf: (n: number) => HostPlan): Value[] {
  const only = { ...node, inputs: [x] };
  return onHost(only, planOf(x.shape[0] ?? 1), axis > 0 ? planOf(1) : undefined);
}

/** The index of the largest or smallest element. A NaN is both, and the first one is found, as in NumPy. */
function extremum(exceeds: (a: number, b: number) => boolean): Operator {
  return {
    inputs: [1, 1],
    lower(node) {
      const { builder, attributes } = node;
      const x = required(node, 0);
      checkType("elements", x, NUMBERS);
      const axis = axisOf(attributes.int("axis", 0), x.shape.length);
      if (x.shape[axis] === 0) throw new Unsupported(`expected elements along axis ${axis}, got none`);
      const last = attributes.flag("select_last_index", false);
      const planOf = (n: number): HostPlan => ({
        outputs: [{ type: "int64", shape: resized(x.shape, axis, 1, n) }],
        run([elements], [indices]) {
          const shape = resized(x.shape, axis, x.shape[axis]!, n);
          eachRow(shape, axis, 1, (from, step, to) => {
            let best = 0;
            for (let i = 1; i < shape[axis]!; i++) {
              const [a, b] = [elements![from + i * step]!, elements![from + best * step]!];
              if (Number.isNaN(b)) break;
              if (Number.isNaN(a) || exceeds(a, b) || (last && a === b)) best = i;
            }
            indices![to] = best;
          });
        },
      });
      const [indices] = byRows(node, x, axis, planOf);
      if (attributes.flag("keepdims", true)) return [indices!];
      return [
        builder.reshaped(
          indices!,
          x.shape.filter((_, i) => i !== axis),
        ),
      ];
    },
  };
}

/** Returns a number < 0 when `a` is smaller than `b`. NaN is larger than any number, as when NumPy sorts. */
function ascending(a: number, b: number): number {
  if (a < b) return -1;
  if (a > b) return 1;
  return Number(Number.isNaN(a)) - Number(Number.isNaN(b));
}

/** In opsets 6 to 9 `k` is an attribute. Equal elements stay in their order. */
const topK: Operator = {
  inputs: [1, 2],
  lower(node) {
    const { attributes } = node;
    const x = required(node, 0);
    const { type } = x;
    checkType("elements", x, NUMBERS);
    const axis = axisOf(attributes.int("axis", -1), x.shape.length);
    const size = x.shape[axis]!;
    const k = knownNumber(node, 1, "k") ?? attributes.requiredInt("k");
    const sign = attributes.flag("largest", true) ? -1 : 1;
    // The results are always sorted, which is also right for sorted = 0.
    attributes.flag("sorted", true);
    if (k < 0 || k > size) throw new Unsupported(`k: expected at most ${size}, got ${k}`);
    const planOf = (n: number): HostPlan => {
      const shape = resized(x.shape, axis, k, n);
      return {
        outputs: [
          { type, shape },
          { type: "int64", shape },
        ],
        run([elements], [values, indices]) {
          eachRow(resized(x.shape, axis, size, n), axis, k, (from, step, to) => {
            const at = (i: number): number => elements![from + i * step]!;
            const order = range(size, (i) => i).sort((a, b) => sign * ascending(at(a), at(b)) || a - b);
            for (let i = 0; i < k; i++) {
              values![to + i * step] = at(order[i]!);
              indices![to + i * step] = order[i]!;
            }
          });
        },
      };
    };
    return byRows(node, x, axis, planOf);
  },
};

export function indexing(): OperatorTable {
  return {
    ArgMax: extremum((a, b) => a > b),
    ArgMin: extremum((a, b) => a < b),
    TopK: topK,
  };
}
