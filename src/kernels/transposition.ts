import type { Shape } from "../tensor.ts";
import { TRANSPOSE_AXIS_SIZE, writeTransposeAxis, type TransposeAxis } from "./kernels.ts";

/** A transposition by the arguments of the kernel: the size of each axis of the result, and its stride within the operand. */
export interface Transposition {
  readonly rank: number;
  readonly table: Int32Array;
}

/**
 * Reorders the axes of `shape` by `perm`. Axes of one element are left out, and axes that are neighbours before and after
 * become one axis.
 */
export function transposition(shape: Shape, perm: readonly number[]): Transposition {
  const strides = shape.map(() => 1);
  for (let axis = shape.length - 2; axis >= 0; axis--) strides[axis] = strides[axis + 1]! * shape[axis + 1]!;
  const axes: TransposeAxis[] = [];
  for (const axis of perm) {
    const [size, stride] = [shape[axis]!, strides[axis]!];
    const before = axes.at(-1);
    if (size === 1) continue;
    if (before?.stride === size * stride) axes[axes.length - 1] = { size: before.size * size, stride };
    else axes.push({ size, stride });
  }
  if (axes.length === 0) axes.push({ size: 1, stride: 1 });
  const table = new Int32Array(axes.length * TRANSPOSE_AXIS_SIZE);
  for (const [i, axis] of axes.entries()) writeTransposeAxis(table, 4 * i * TRANSPOSE_AXIS_SIZE, axis);
  return { rank: axes.length, table };
}
