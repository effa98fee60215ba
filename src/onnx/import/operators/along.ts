import { sizeOf } from "../../../tensor.ts";
import { BatchDependent } from "../builder.ts";
import * as layers from "../../../layers/index.ts";
import { isWhole, takeAlong, type AxisTable } from "../../../layers/take.ts";
import { Unsupported } from "../node.ts";
import { checkLength, constantOf, type Node } from "../operator.ts";
import { constantRoom, type Constant, type TensorType } from "../../file/constant.ts";
import { isConstant, type Value } from "../values.ts";

/** The results for 0, 1, … @throws Unsupported when they are too many */
export function range<T>(count: number, each: (i: number) => T): T[] {
  checkLength(count);
  const results: T[] = Array(count);
  for (let i = 0; i < count; i++) results[i] = each(i);
  return results;
}

/**
 * Does what `range` does for as many as an axis has elements, which count before there are any. @throws MemoryError as
 * `spend`
 */
export function perElement<T>({ builder }: Node, count: number, each: (i: number) => T): T[] {
  builder.spend(count);
  return range(count, each);
}

/**
 * Whether what is taken of a constant follows from the number of images, as all does that follows from a shape but its
 * other sizes.
 */
function followsShape({ ofShape, isShape, shape }: Constant, places: readonly number[]): boolean {
  return ofShape === true && !(isShape && shape.length === 1 && !places.includes(0));
}

/** A value made from another along one of its axes, in whatever order they lie. */
export function along({ builder }: Node, value: Value, axis: number, table: AxisTable): Value {
  const { type, shape } = value;
  const { length } = table.places;
  if (isWhole(table)) return value;
  if (table.blends && type !== "float32") throw new Unsupported(`expected float32, got ${type}`);
  const made: TensorType = { type, shape: shape.map((size, i) => (i === axis ? length : size)) };
  const size = sizeOf(made.shape);
  if (isConstant(value) || size === 0) {
    if (!isConstant(value) && builder.batch !== undefined)
      throw new BatchDependent("it leaves nothing of an image");
    builder.spend(sizeOf(shape));
    builder.spend(size);
    if (isConstant(value) && table.blends) builder.checkKnown(value);
    builder.fix([value]);
    const data = constantRoom(type, size);
    if (isConstant(value)) takeAlong(table, sizeOf(shape.slice(axis + 1)), value.data(), data);
    return constantOf(type, made.shape, data, isConstant(value) && followsShape(value, table.places));
  }
  const place = builder.axis(value, axis);
  const { places, blends, fill } = table;
  const layer = layers.take({
    axis: place + 1,
    places,
    ...(blends && { blends }),
    ...(fill !== undefined && { fill }),
  });
  return builder.apply(layer, [value], made, value.order);
}
