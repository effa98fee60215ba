import { sizeOf } from "../../../tensor.ts";
import { BatchDependent } from "../builder.ts";
import * as layers from "../../../layers/index.ts";
import { isWhole, takeAlong, type AxisTable } from "../../../layers/take.ts";
import { Unsupported } from "../node.ts";
import { checkLength, constantOf, type Node } from "../operator.ts";
import { constantRoom, type Constant, type TensorType } from "../../file/constant.ts";
import { isConstant, type Value } from "../values.ts";

/** Lists the results for 0, 1, … @throws Unsupported when there are too many */
export function range<T>(count: number, each: (i: number) => T): T[] {
  checkLength(count);
  const results: T[] = Array(count);
  for (let i = 0; i < count; i++) results[i] = each(i);
  return results;
}

/** Does the same as `range`, but counts the entries against the memory limit before it makes any. @throws MemoryError */
export function perElement<T>({ builder }: Node, count: number, each: (i: number) => T): T[] {
  builder.spend(count);
  return range(count, each);
}

/**
 * True when the elements taken from a constant depend on the number of images. Constants that follow from a shape do, except
 * for the other sizes of a shape, which are fixed.
 */
function followsShape({ ofShape, isShape, shape }: Constant, indices: readonly number[]): boolean {
  return ofShape === true && !(isShape && shape.length === 1 && !indices.includes(0));
}

/** Applies a table along one axis of a value, whose axes may have any order in memory. */
export function along({ builder }: Node, value: Value, axis: number, table: AxisTable): Value {
  const { type, shape } = value;
  const { length } = table.indices;
  if (isWhole(table)) return value;
  if (table.blends && type !== "float32") throw new Unsupported(`expected float32, got ${type}`);
  const made: TensorType = { type, shape: shape.map((size, i) => (i === axis ? length : size)) };
  const size = sizeOf(made.shape);
  if (isConstant(value) || size === 0) {
    if (!isConstant(value) && builder.batch !== undefined)
      throw new BatchDependent("its result has no elements of an image");
    builder.spend(sizeOf(shape));
    builder.spend(size);
    if (isConstant(value) && table.blends) builder.checkKnown(value);
    builder.fix([value]);
    const data = constantRoom(type, size);
    if (isConstant(value)) takeAlong(table, sizeOf(shape.slice(axis + 1)), value.data(), data);
    return constantOf(type, made.shape, data, isConstant(value) && followsShape(value, table.indices));
  }
  const own = builder.axis(value, axis);
  const { indices, blends, fill } = table;
  const layer = layers.take({
    axis: own + 1,
    indices,
    ...(blends && { blends }),
    ...(fill !== undefined && { fill }),
  });
  return builder.apply(layer, [value], made, value.order);
}
