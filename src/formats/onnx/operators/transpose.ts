import { sizeOf } from "../../../tensor.ts";
import type { HostPlan } from "../layers/host.ts";
import type { TensorType } from "../values.ts";

/** Where each element of a tensor with axes `perm` of another lies in that one, in ascending order. */
export function* placesOf(shape: readonly number[], perm: readonly number[]): Generator<number> {
  const strides = perm.map((axis) => sizeOf(shape.slice(axis + 1)));
  const sizes = perm.map((axis) => shape[axis]!);
  const index = sizes.map(() => 0);
  let at = 0;
  for (let count = sizeOf(shape); count > 0; count--) {
    yield at;
    for (let axis = sizes.length - 1; axis >= 0; axis--) {
      at += strides[axis]!;
      if (++index[axis]! < sizes[axis]!) break;
      at -= strides[axis]! * sizes[axis]!;
      index[axis] = 0;
    }
  }
}

export function transposePlan({ type, shape }: TensorType, perm: readonly number[]): HostPlan {
  return {
    outputs: [{ type, shape: perm.map((axis) => shape[axis]!) }],
    run([x], [y]) {
      let to = 0;
      for (const from of placesOf(shape, perm)) y![to++] = x![from]!;
    },
  };
}
