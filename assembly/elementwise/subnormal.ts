/**
 * Subnormal weights, those below 2⁻¹²⁶ in magnitude: a product with one takes processors a hundred cycles and more.
 *
 * Where weights are laid out for the products of a layer, and in its input gradient, they count as zeros of their sign:
 * filters and matrices as they are packed, Winograd's filters before and after they are transformed, depthwise filters
 * in a copy, factors of a normalization. A sum of k products of x changes by at most k·2⁻¹²⁶·max|x|. The weights
 * themselves stay, in memory and in files. Other numbers are multiplied as they are: a product of normal numbers may be
 * subnormal, and is rounded as IEEE 754 says.
 */
import { float } from "../lib/elements";
import { LANES, anyTrue4, load4, mantissaBits, normal4, or4, store4, xor4, zero4 } from "../lib/simd";

/** `x`, or a zero of its sign where it is subnormal. */
export function normal(x: f32): f32 {
  const bits = reinterpret<i32>(x);
  return (bits & 0x7f800000) == 0 ? reinterpret<f32>(bits & 0x80000000) : x;
}

/** `y[n] = x[n]` with zeros for subnormal numbers. */
export function flushSubnormals(n: i32, x: usize, y: usize): void {
  const mantissa = mantissaBits(false);
  const whole = n & -LANES;
  for (let i = 0; i < whole; i += LANES) {
    const at = (<usize>i) << 2;
    store4(y + at, normal4(load4(x + at), mantissa));
  }
  for (let i = whole; i < n; i++) store<f32>(y + ((<usize>i) << 2), normal(float(x, i)));
}

/** Whether any of `x[n]` is subnormal. */
export function hasSubnormals(n: i32, x: usize): bool {
  const mantissa = mantissaBits(false);
  const whole = n & -LANES;
  let changed = zero4();
  for (let i = 0; i < whole; i += LANES) {
    const v = load4(x + ((<usize>i) << 2));
    changed = or4(changed, xor4(v, normal4(v, mantissa)));
  }
  let found = anyTrue4(changed);
  for (let i = whole; i < n; i++) {
    const value = float(x, i);
    if (value != 0 && normal(value) == 0) found = true;
  }
  return found;
}
