/** Broadcasts and reductions in float64, by the indices of each element. */

/** All indices of a shape, the last axis first to move. */
export function indicesOf(shape: readonly number[]): number[][] {
  const [size, ...rest] = shape;
  if (size === undefined) return [[]];
  return Array.from({ length: size }, (_, i) => indicesOf(rest).map((index) => [i, ...index])).flat();
}

/** The element of a tensor at an index, whose axes of size 1 are repeated. */
function at(data: ArrayLike<number>, shape: readonly number[], index: readonly number[]): number {
  const place = shape.reduce((sum, size, axis) => sum * size + (size === 1 ? 0 : index[axis]!), 0);
  return data[place]!;
}

/** f of two tensors of the rank of `shape`. */
export function broadcast(
  shape: readonly number[],
  a: { data: ArrayLike<number>; shape: readonly number[] },
  b: { data: ArrayLike<number>; shape: readonly number[] },
  f: (a: number, b: number) => number,
): number[] {
  return indicesOf(shape).map((index) => f(at(a.data, a.shape, index), at(b.data, b.shape, index)));
}

/** The elements that each result of a reduction is made of. */
export function reducedSets(
  data: ArrayLike<number>,
  shape: readonly number[],
  reduced: ReadonlySet<number>,
): number[][] {
  const sets = new Map<string, number[]>();
  indicesOf(shape).forEach((index, i) => {
    const key = index.filter((_, axis) => !reduced.has(axis)).join();
    sets.set(key, [...(sets.get(key) ?? []), data[i]!]);
  });
  return [...sets.values()];
}
