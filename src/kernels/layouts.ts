/** The layouts by which `broadcastForward` and `reduceForward` find elements along axes. */
import { sizeOf, type Shape } from "../tensor.ts";
import {
  BROADCAST_AXIS_SIZE,
  BROADCAST_LAYOUT_SIZE,
  REDUCTION_AXIS_SIZE,
  REDUCTION_LAYOUT_SIZE,
  writeBroadcastAxis,
  writeBroadcastLayout,
  writeReductionAxis,
  writeReductionLayout,
} from "./kernels.ts";

/** An axis that several tensors share: its size, and by tensor the distance of neighbouring elements along it. */
interface Axis {
  size: number;
  readonly steps: readonly number[];
}

/**
 * The axes from the innermost outwards. Those of size 1 are left out, and neighbours become one axis where the distance
 * between elements stays the same across both.
 */
function mergedAxes(shape: Shape, steps: readonly Shape[]): Axis[] {
  const axes: Axis[] = [];
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    const size = shape[axis]!;
    if (size === 1) continue;
    const own = steps.map((each) => each[axis]!);
    const inner = axes.at(-1);
    if (inner && own.every((step, i) => step === inner.steps[i]! * inner.size)) inner.size *= size;
    else axes.push({ size, steps: own });
  }
  return axes;
}

/** The distance between the elements of a tensor along each axis; 0 along one of size 1. */
function stepsOf(shape: Shape): number[] {
  return shape.map((size, axis) => (size === 1 ? 0 : sizeOf(shape.slice(axis + 1))));
}

/**
 * The layout by which `broadcastForward` computes images of `shape` from two operands. Both have the same rank, with 1 along
 * axes on which they are repeated; `perImage` is false for an operand that is the same for all images.
 */
export function broadcastTable(
  shape: Shape,
  operands: readonly [Shape, Shape],
  perImage: readonly [boolean, boolean] = [true, true],
): Int32Array {
  const axes = mergedAxes(shape, operands.map(stepsOf));
  if (axes.length === 0) axes.push({ size: 1, steps: [1, 1] });
  axes.push({ size: 1, steps: operands.map((operand, i) => (perImage[i] ? sizeOf(operand) : 0)) });
  const table = new Int32Array(BROADCAST_LAYOUT_SIZE + axes.length * BROADCAST_AXIS_SIZE);
  writeBroadcastLayout(table, 0, { axes: axes.length, size: sizeOf(shape) });
  for (const [i, { size, steps }] of axes.entries()) {
    const [a, b] = steps as readonly [number, number];
    writeBroadcastAxis(table, 4 * (BROADCAST_LAYOUT_SIZE + i * BROADCAST_AXIS_SIZE), { size, a, b });
  }
  return table;
}

/** The layout by which `reduceForward` reduces images of `shape` over some of their axes. */
export function reductionTable(shape: Shape, reduced: ReadonlySet<number>): Int32Array {
  const keeps = (axis: number): boolean => !reduced.has(axis);
  const steps = stepsOf(shape);
  const axesWhere = (kept: boolean): Axis[] =>
    mergedAxes(
      shape.map((size, axis) => (keeps(axis) === kept ? size : 1)),
      [steps],
    );
  const [keptAxes, reducedAxes] = [axesWhere(true), axesWhere(false)];
  keptAxes.push({ size: 1, steps: [sizeOf(shape)] });
  if (reducedAxes.length === 0) reducedAxes.push({ size: 1, steps: [0] });
  const axes = [...keptAxes, ...reducedAxes];
  const table = new Int32Array(REDUCTION_LAYOUT_SIZE + axes.length * REDUCTION_AXIS_SIZE);
  writeReductionLayout(table, 0, {
    kept: keptAxes.length,
    reduced: reducedAxes.length,
    size: sizeOf(shape.filter((_, axis) => keeps(axis))),
    count: sizeOf(shape.filter((_, axis) => !keeps(axis))),
  });
  for (const [i, axis] of axes.entries()) {
    const at = 4 * (REDUCTION_LAYOUT_SIZE + i * REDUCTION_AXIS_SIZE);
    writeReductionAxis(table, at, { size: axis.size, stride: axis.steps[0]! });
  }
  return table;
}
