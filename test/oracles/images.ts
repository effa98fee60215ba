/** Images of bytes in exact integers: float64 holds every one of them. */

export interface Resample {
  outer: number;
  from: number;
  inner: number;
  /** By output: the first input, and the weights from it on, in parts of 2²². */
  lines: readonly (readonly [first: number, weights: readonly number[]])[];
}

/** `x[outer, from, inner]` → `[outer, lines, inner]`. */
export function resample({ outer, from, inner, lines }: Resample, x: Uint8Array): Uint8Array {
  const y = new Uint8Array(outer * lines.length * inner);
  for (let i = 0; i < y.length; i++) {
    const [byte, j, o] = [
      i % inner,
      Math.floor(i / inner) % lines.length,
      Math.floor(i / inner / lines.length),
    ];
    const [first, weights] = lines[j]!;
    const sum = weights.reduce(
      (total, weight, t) => total + weight * x[(o * from + first + t) * inner + byte]!,
      0,
    );
    y[i] = Math.min(Math.max(Math.floor(sum / 2 ** 22 + 0.5), 0), 255);
  }
  return y;
}
