import { sizeOf } from "../../../tensor.ts";
import type { HostPlan } from "../layers/host.ts";
import { onHost, type Node } from "../operator.ts";
import { isConstant, type TensorType, type Value } from "../values.ts";

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

function transposePlan({ type, shape }: TensorType, perm: readonly number[]): HostPlan {
  return {
    outputs: [{ type, shape: perm.map((axis) => shape[axis]!) }],
    run([x], [y]) {
      let to = 0;
      for (const from of placesOf(shape, perm)) y![to++] = x![from]!;
    },
  };
}

/** The value with its axes in the order `perm`. Of what is computed nothing moves: the memory is read in another order. */
export function transposed(node: Node, value: Value, perm: readonly number[]): Value {
  if (isConstant(value)) return onHost({ ...node, inputs: [value] }, transposePlan(value, perm))[0]!;
  const { shape, order } = value;
  return {
    ...value,
    shape: perm.map((axis) => shape[axis]!),
    order: order.map((axis) => perm.indexOf(axis)),
  };
}
