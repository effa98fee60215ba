/** Normally distributed noise from a stateless generator: a function of keys and position, so it is never stored. */
import { Stream, absorb, hash4, layerKey } from "../lib/hash";
import { log4 } from "../lib/logarithm";
import {
  LANES,
  add4,
  addInt4,
  and4,
  fromInt4,
  laneNumbers,
  less4,
  loadLanes,
  mul4,
  neg4,
  or4,
  select4,
  splat,
  splatInt,
  sqrt4,
  storeLanes,
  sub4,
} from "../lib/simd";

/** `p·w + c`, each rounded. */
// @ts-ignore: decorator
@inline
function step4(p: v128, w: v128, c: f32): v128 {
  return add4(mul4(p, w), splat(c));
}

/** The polynomial of the centre, for w < 5, and that of the tails. */
// @ts-ignore: decorator
@inline
function centre4(w: v128): v128 {
  let p = step4(splat(2.81022636e-8), w, 3.43273939e-7);
  p = step4(p, w, -3.5233877e-6);
  p = step4(p, w, -4.39150654e-6);
  p = step4(p, w, 2.1858087e-4);
  p = step4(p, w, -1.25372503e-3);
  p = step4(p, w, -4.17768164e-3);
  p = step4(p, w, 2.46640727e-1);
  return step4(p, w, 1.50140941);
}

// @ts-ignore: decorator
@inline
function tail4(w: v128): v128 {
  let p = step4(splat(-2.00214257e-4), w, 1.00950558e-4);
  p = step4(p, w, 1.34934322e-3);
  p = step4(p, w, -3.67342844e-3);
  p = step4(p, w, 5.73950773e-3);
  p = step4(p, w, -7.6224613e-3);
  p = step4(p, w, 9.43887047e-3);
  p = step4(p, w, 1.00167406);
  return step4(p, w, 2.83297682);
}

/**
 * Numbers of the standard normal distribution, `±√2·erf⁻¹(1 − q)` of four hashes: the highest bit is the sign, and the
 * others are q, an odd multiple of 2⁻³² in (0, 1), rounded to float32. erf⁻¹ is M. Giles' approximation ("Approximating
 * the erfinv function", 2010), whose relative error is below 1e-6; none exceeds 6.3.
 */
// @ts-ignore: decorator
@inline
function normal4(hash: v128): v128 {
  const bits = fromInt4(and4(hash, splatInt(0x7fffffff)));
  const q = mul4(add4(bits, splat(0.5)), splat(4.656612873077393e-10));
  const w = neg4(log4(mul4(q, sub4(splat(2), q))));
  const p = select4(less4(w, splat(5)), centre4(sub4(w, splat(2.5))), tail4(sub4(sqrt4(w), splat(3))));
  const z = mul4(mul4(p, sub4(splat(1), q)), splat(1.4142135623730951));
  return or4(z, and4(hash, splatInt(0x80000000)));
}

/**
 * Noise on `n` images of `size` elements each: `y = x + deviation·z`, or `y = x·(1 + deviation·z)` where it is
 * `multiplied`, each operation rounded; z is of the standard normal distribution. `y` may be `x`. The backward pass of the
 * latter is the same kernel on `dy` with the same keys. Keys and hashes are those of `dropout`.
 */
export function gaussianNoise(
  multiplied: bool,
  deviation: f32,
  x: usize,
  y: usize,
  n: i32,
  size: i32,
  seedLow: u32,
  seedHigh: u32,
  step: u32,
  layer: u32,
  firstImage: u32,
): void {
  const key = layerKey(seedLow, seedHigh, Stream.step, step, layer);
  for (let image = 0; image < n; image++) {
    const own = absorb(key, firstImage + image);
    const first = splatInt(<i32>own);
    const second = splatInt(<i32>(own >>> 32));
    let counter = laneNumbers();
    for (let left = size; left > 0; left -= LANES) {
      const count = min(left, LANES);
      const noise = mul4(normal4(hash4(counter, first, second)), splat(deviation));
      const value = loadLanes(x, count);
      storeLanes(y, multiplied ? mul4(value, add4(noise, splat(1))) : add4(value, noise), count);
      counter = addInt4(counter, splatInt(LANES));
      x += (<usize>count) << 2;
      y += (<usize>count) << 2;
    }
  }
}
