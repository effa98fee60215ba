/** Axes in another order, element by element: the result has no arithmetic, so neither do bounds. */

/** `y[j₀, …] = x[Σ jₐ·strideₐ]` for every index into `sizes`, in row-major order. */
export function strided(
  sizes: readonly number[],
  strides: readonly number[],
  x: ArrayLike<number>,
  start = 0,
): number[] {
  const [size, ...sizesLeft] = sizes;
  const [stride, ...stridesLeft] = strides;
  if (size === undefined || stride === undefined) return [x[start] as number];
  return Array.from({ length: size }, (_, j) =>
    strided(sizesLeft, stridesLeft, x, start + j * stride),
  ).flat();
}

/** The axes of `x[shape]` in the order `perm`. */
export function transpose(shape: readonly number[], perm: readonly number[], x: ArrayLike<number>): number[] {
  const strides = shape.map((_, axis) => shape.slice(axis + 1).reduce((a, b) => a * b, 1));
  return strided(
    perm.map((axis) => shape[axis] as number),
    perm.map((axis) => strides[axis] as number),
    x,
  );
}
