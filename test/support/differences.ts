/**
 * Central finite differences of a float64 function: the gradient that needs no derivation. A linear function has no
 * truncation error, so a large step `h` keeps the rounding errors small.
 */
export function numericalGradient(
  f: (x: Float64Array) => number,
  at: ArrayLike<number>,
  h = 1e-5,
): Float64Array {
  const x = Float64Array.from(at);
  return x.map((value, i) => {
    const side = (shift: number): number => {
      x[i] = value + shift;
      const result = f(x);
      x[i] = value;
      return result;
    };
    return (side(h) - side(-h)) / (2 * h);
  });
}
