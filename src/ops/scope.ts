import { Region } from "../runtime/region.ts";
import type { Runtime } from "../runtime/runtime.ts";
import { sizeOf, type Shape, type Tensor, type OwnTensor } from "../tensor.ts";

/** The linear memory of one call of an eager operator: operands come in, results go out as new tensors. */
export class Scope extends Region {
  /** A copy of an operand. @throws ShapeError when its data were detached since they were read */
  operand({ shape, data }: Tensor): number {
    return this.put(data, sizeOf(shape));
  }

  /** A new tensor with what lies at `pointer`. */
  take(pointer: number, shape: Shape): OwnTensor {
    const first = pointer >>> 2;
    return { shape: [...shape], data: this.heap.floats.slice(first, first + sizeOf(shape)) };
  }

  /** Does what `take` does, for int32. */
  takeInts(pointer: number, shape: Shape): Tensor<Int32Array<ArrayBuffer>> {
    const first = pointer >>> 2;
    return { shape: [...shape], data: this.heap.ints.slice(first, first + sizeOf(shape)) };
  }
}

/** Runs `body` in a scope named `where` in error messages. */
export function scoped<T>(runtime: Runtime, where: string, body: (scope: Scope) => T): T {
  const scope = new Scope(runtime.heap, where);
  try {
    return body(scope);
  } finally {
    scope.release();
  }
}
