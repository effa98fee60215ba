/** The operator that looks elements up by their indices along an axis. */
import { ShapeError } from "../../../../errors.ts";
import { sizeOf } from "../../../../tensor.ts";
import type { HostPlan } from "../../layers/host.ts";
import {
  axisOf,
  checkLength,
  checkType,
  onHost,
  INDEX_TYPES,
  required,
  type Operator,
  type OperatorTable,
} from "../../operator.ts";
import type { TensorType } from "../../../file/constant.ts";
import { isConstant } from "../../values.ts";
import { along } from "../axisTable.ts";

/** Turns a negative index into one counted from the front. @throws ShapeError unless it is one of `size` elements */
export function indexIn(size: number, index: number, name: string): number {
  const own = index < 0 ? index + size : index;
  if (own >= 0 && own < size) return own;
  throw new ShapeError(`${name}: expected indices into ${size} elements, got ${index}`);
}

/** Looks up rows in each of `outer` tables `[from, inner]`, by the same indices in all of them. */
function rowsPlan(name: string, outer: number, from: number, inner: number, output: TensorType): HostPlan {
  return {
    outputs: [output],
    moves: true,
    run([data, indices], [y]) {
      let to = 0;
      for (let i = 0; i < outer; i++) {
        for (const index of indices!) {
          const start = (i * from + indexIn(from, index, name)) * inner;
          for (let j = 0; j < inner; j++) y![to++] = data![start + j]!;
        }
      }
    },
  };
}

const gather: Operator = {
  inputs: [2, 2],
  lower(node) {
    const { builder, name, attributes } = node;
    const [x, indices] = [required(node, 0), required(node, 1)];
    checkType("indices", indices, INDEX_TYPES);
    const { type } = x;
    const axis = axisOf(attributes.int("axis", 0), x.shape.length);
    const from = x.shape[axis]!;
    const [before, after] = [x.shape.slice(0, axis), x.shape.slice(axis + 1)];
    const shape = [...before, ...indices.shape, ...after];
    if (isConstant(indices) && (!isConstant(x) || (x.isShape && !indices.ofShape))) {
      checkLength(sizeOf(indices.shape));
      builder.spend(2 * sizeOf(indices.shape));
      const taken = Array.from(indices.data(), (index) => indexIn(from, index, name));
      return [builder.reshaped(along(node, x, axis, { from, indices: taken }), shape)];
    }
    const inner = sizeOf(after);
    const plan = rowsPlan(name, sizeOf(before), from, inner, { type, shape });
    // Each image looks rows up in a constant table, independently of the others.
    const isTable = isConstant(x) && axis === 0 && indices.shape.length > 0;
    return onHost(
      node,
      plan,
      isTable ? rowsPlan(name, 1, from, inner, { type, shape: [1, ...shape.slice(1)] }) : undefined,
    );
  },
};

export function commonGathers(): OperatorTable {
  return { Gather: gather };
}
