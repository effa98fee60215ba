import { sizeOf } from "../../../tensor.ts";
import type { HostPlan } from "../layers/host.ts";
import { onHost, type Node } from "../operator.ts";
import type { TensorType } from "../../file/constant.ts";
import { isConstant, type Value } from "../values.ts";

/** Yields the offsets of all elements of a tensor of `sizes`, the last axis fastest; `steps` are the strides of the axes. */
export function* walk(sizes: readonly number[], steps: readonly number[]): Generator<number> {
  const index = sizes.map(() => 0);
  let at = 0;
  for (let count = sizeOf(sizes); count > 0; count--) {
    yield at;
    for (let axis = sizes.length - 1; axis >= 0; axis--) {
      at += steps[axis]!;
      if (++index[axis]! < sizes[axis]!) break;
      at -= steps[axis]! * sizes[axis]!;
      index[axis] = 0;
    }
  }
}

function transposePlan({ type, shape }: TensorType, perm: readonly number[]): HostPlan {
  const sizes = perm.map((axis) => shape[axis]!);
  const steps = perm.map((axis) => sizeOf(shape.slice(axis + 1)));
  return {
    outputs: [{ type, shape: sizes }],
    moves: true,
    run([x], [y]) {
      let to = 0;
      for (const from of walk(sizes, steps)) y![to++] = x![from]!;
    },
  };
}

/** Permutes the axes of a value by `perm`. Nothing is copied for a computed value; only the order of its axes changes. */
export function transposed(node: Node, value: Value, perm: readonly number[]): Value {
  if (isConstant(value)) return onHost({ ...node, inputs: [value] }, transposePlan(value, perm))[0]!;
  const { shape, order } = value;
  return {
    ...value,
    shape: perm.map((axis) => shape[axis]!),
    order: order.map((axis) => perm.indexOf(axis)),
  };
}
