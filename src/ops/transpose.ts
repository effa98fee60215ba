import type { Runtime } from "../runtime/runtime.ts";
import { transposition } from "../kernels/transposition.ts";
import { OptionError } from "../errors.ts";
import { isInteger, listOf, show } from "../options.ts";
import { readTensor, sizeOf, type Tensor, type OwnTensor } from "../tensor.ts";
import { scoped } from "./scope.ts";

export function transpose(runtime: Runtime, given: Tensor, perm: readonly number[]): OwnTensor {
  const x = readTensor("transpose: x", given);
  const { shape } = x;
  const size = sizeOf(shape);
  const axes = listOf(perm, isInteger);
  if (axes?.length !== shape.length || !shape.every((_, axis) => axes.includes(axis))) {
    throw new OptionError(
      `transpose: perm: expected the axes 0 to ${shape.length - 1} in any order, got ${show(perm)}`,
    );
  }
  const { rank, table } = transposition(shape, axes);
  return scoped(runtime, "transpose", (scope) => {
    const y = scope.allocate(size);
    runtime.kernels.transpose(rank, scope.put(table), 1, size, scope.operand(x), y);
    return scope.take(
      y,
      axes.map((axis) => shape[axis]!),
    );
  });
}
