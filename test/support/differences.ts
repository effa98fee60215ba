/** Central finite differences of a float64 function: the gradient that needs no derivation. */
export function numericalGradient(f: (x: Float64Array) => number, at: ArrayLike<number>): Float64Array {
  const h = 1e-5;
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
