import type { Runtime } from "../engine/runtime.ts";
import { transposition } from "../engine/transpose.ts";
import { OptionError } from "../errors.ts";
import { show } from "../options.ts";
import { checkTensor, type Tensor } from "../tensor.ts";
import { scoped } from "./scope.ts";

export function transpose(runtime: Runtime, x: Tensor, perm: readonly number[]): Tensor {
  checkTensor("transpose: x", x);
  const { shape, data } = x;
  if (
    !Array.isArray(perm) ||
    perm.length !== shape.length ||
    !shape.every((_, axis) => perm.includes(axis))
  ) {
    throw new OptionError(
      `transpose: perm: expected the axes 0 to ${shape.length - 1} in any order, got ${show(perm)}`,
    );
  }
  const { rank, table } = transposition(shape, perm);
  return scoped(runtime, "transpose", (scope) => {
    const y = scope.room(data.length);
    runtime.kernels.transpose(rank, scope.put(table), 1, data.length, scope.put(data), y);
    return scope.take(
      y,
      perm.map((axis) => shape[axis]!),
    );
  });
}
