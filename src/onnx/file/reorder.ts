import { sizeOf, type Shape } from "../../tensor.ts";

/** Writes the numbers of `data[shape]` with their axes in `order` into `result`, and returns it. */
export function reorder<Result extends Float32Array | Float64Array = Float32Array>(
  data: ArrayLike<number>,
  shape: Shape,
  order: readonly number[],
  result = new Float32Array(sizeOf(shape)) as Result,
): Result {
  const strides = shape.map((_, axis) => sizeOf(shape.slice(axis + 1)));
  const sizes = order.map((axis) => shape[axis]!);
  const steps = order.map((axis) => strides[axis]!);
  const last = sizes.length - 1;
  const index = sizes.map(() => 0);
  const [inner, step] = [sizes[last] ?? 1, steps[last] ?? 1];
  for (let to = 0, from = 0; to < result.length;) {
    for (let i = 0; i < inner; i++, from += step) result[to++] = data[from]!;
    from -= inner * step;
    for (let axis = last - 1; axis >= 0; axis--) {
      from += steps[axis]!;
      if (++index[axis]! < sizes[axis]!) break;
      from -= sizes[axis]! * steps[axis]!;
      index[axis] = 0;
    }
  }
  return result;
}
