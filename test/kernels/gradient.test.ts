/** What is added to gradients and weights around a step: against plain loops, at sizes around a vector. */
import { describe, expect, it } from "vitest";
import { guarded, openKernels, type Guarded } from "../support/wasm.ts";
import { bitsOf } from "../support/float.ts";
import { random } from "../support/random.ts";

const bench = openKernels();
const { kernels } = bench;
const SIZES = [0, 1, 2, 3, 4, 5, 7, 8, 9, 16, 17, 1001];
const f32 = Math.fround;

function buffer(data: Float32Array): Guarded {
  const place = guarded(bench, data.length);
  new Float32Array(bench.memory.buffer, place.ptr, data.length).set(data);
  return place;
}

/** Zeros of both signs among numbers of both signs. */
const numbers = (seed: number, n: number): Float32Array =>
  random(seed)
    .uniform(n, -3, 3)
    .map((value, i) => (i % 5 === 1 ? 0 : i % 7 === 2 ? -0 : value));

describe.each(SIZES)("%i numbers:", (n) => {
  it("axpby rounds each product and their sum once", () => {
    bench.reset();
    const [x, y] = [numbers(n, n), numbers(n + 1, n)];
    const [a, b] = [f32(0.7), f32(-1.3)];
    const place = buffer(y);
    kernels.axpby(n, a, bench.put(x), b, place.ptr);
    place.check();
    const expected = y.map((value, i) => f32(b * value) + f32(a * x[i]!));
    expect(bitsOf(place.f32())).toEqual(bitsOf(expected));
  });

  it("the gradient of a penalty is l1·sign(w) + 2·l2·w, each operation rounded once", () => {
    bench.reset();
    const [w, g] = [numbers(n, n), random(n + 2).uniform(n, 1, 2)];
    const [l1, l2] = [f32(0.3), f32(0.011)];
    const place = buffer(g);
    kernels.regularizeGradient(bench.put(w), place.ptr, n, l1, l2);
    place.check();
    const expected = g.map((value, i) => {
      const slope = f32(f32(f32(2 * l2) * w[i]!) + f32(l1 * Math.sign(w[i]!)));
      return value + slope;
    });
    expect(bitsOf(place.f32())).toEqual(bitsOf(expected));
  });

  it("the sum of magnitudes is that of float64", () => {
    bench.reset();
    const x = numbers(n, n);
    const exact = x.reduce((sum, value) => sum + Math.abs(value), 0);
    const found = kernels.sumOfMagnitudes(bench.put(x), n);
    // Both sides add up to n terms, of which none is negative.
    expect(Math.abs(found - exact)).toBeLessThanOrEqual((n + n / 4 + 2) * 2 ** -53 * exact);
  });
});

it("the sum of magnitudes does not overflow, and is not finite when a number is not", () => {
  bench.reset();
  const large = f32(3e38);
  expect(kernels.sumOfMagnitudes(bench.put(Float32Array.of(-large, large)), 2)).toBe(2 * large);
  expect(kernels.sumOfMagnitudes(bench.put(Float32Array.of(1, -Infinity, 2)), 3)).toBe(Infinity);
  expect(kernels.sumOfMagnitudes(bench.put(Float32Array.of(1, NaN, 2)), 3)).toBeNaN();
});
