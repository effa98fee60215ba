/** Orders of axes: this package has channels innermost, others outermost. */

/** The array of shape `shape` with its axes in the order `axes`, row-major. */
export function permute(
  data: ArrayLike<number>,
  shape: readonly number[],
  axes: readonly number[],
): Float32Array<ArrayBuffer> {
  const strides = shape.map((_, axis) => shape.slice(axis + 1).reduce((a, b) => a * b, 1));
  const sizes = axes.map((axis) => shape[axis]!);
  const steps = axes.map((axis) => strides[axis]!);
  const result = new Float32Array(data.length);
  const index = axes.map(() => 0);
  let from = 0;
  for (let to = 0; to < result.length; to++) {
    result[to] = data[from]!;
    for (let i = axes.length - 1; i >= 0; i--) {
      from += steps[i]!;
      if (++index[i]! < sizes[i]!) break;
      from -= steps[i]! * sizes[i]!;
      index[i] = 0;
    }
  }
  return result;
}

export const toNchw = (data: ArrayLike<number>, [n, h, w, c]: readonly number[]) =>
  permute(data, [n!, h!, w!, c!], [0, 3, 1, 2]);
export const fromNchw = (data: ArrayLike<number>, [n, h, w, c]: readonly number[]) =>
  permute(data, [n!, c!, h!, w!], [0, 2, 3, 1]);
/** HWIO to OIHW. */
export const toOihw = (data: ArrayLike<number>, shape: readonly number[]) =>
  permute(data, shape, [3, 2, 0, 1]);
/** OIHW to HWIO, of the shape `[kh, kw, c, f]`. */
export const fromOihw = (data: ArrayLike<number>, [kh, kw, c, f]: readonly number[]) =>
  permute(data, [f!, c!, kh!, kw!], [2, 3, 1, 0]);
