import { describe, expect, it } from "vitest";
import { guarded, openKernels } from "../support/wasm.ts";
import { random } from "../support/random.ts";
import { bitsOf } from "../support/float.ts";

const bench = openKernels();
const { kernels } = bench;
const SIZES = [0, 1, 2, 3, 4, 5, 7, 8, 9, 16, 17, 1001];

function clipped(g: Float32Array, scale: number, limit: number): Float32Array {
  bench.reset();
  const place = guarded(bench, g.length);
  new Float32Array(bench.memory.buffer, place.ptr, g.length).set(g);
  kernels.clipGradient(place.ptr, g.length, scale, limit);
  place.check();
  return place.f32();
}

describe("the sum of squares", () => {
  it.each(SIZES)("of %i numbers is that of float64", (n) => {
    bench.reset();
    const g = random(n).uniform(n, -3, 3);
    const exact = g.reduce((sum, value) => sum + value * value, 0);
    const found = kernels.sumOfSquares(bench.put(g), n);
    // Both sides add up to n terms, of which none is negative.
    expect(Math.abs(found - exact)).toBeLessThanOrEqual((n + n / 4 + 3) * 2 ** -53 * exact);
  });

  it("neither overflows nor underflows", () => {
    bench.reset();
    const [large, small] = [Math.fround(3e38), 2 ** -149];
    expect(kernels.sumOfSquares(bench.put(Float32Array.of(large, large)), 2)).toBe(2 * large * large);
    expect(kernels.sumOfSquares(bench.put(new Float32Array(5).fill(small)), 5)).toBe(5 * small * small);
  });
});

describe("clipping", () => {
  it.each(SIZES)("scales and cuts %i numbers, each rounded once", (n) => {
    const g = random(n + 1).uniform(n, -3, 3);
    const [scale, limit] = [Math.fround(0.7), Math.fround(1.1)];
    const expected = g.map((value) => Math.min(Math.max(Math.fround(value * scale), -limit), limit));
    expect(bitsOf(clipped(g, scale, limit))).toEqual(bitsOf(expected));
    expect(bitsOf(clipped(g, 1, Infinity))).toEqual(bitsOf(g));
  });

  it("keeps NaN", () => {
    expect([...clipped(Float32Array.of(NaN, 9, NaN, -9, NaN), 1, 2)]).toEqual([NaN, 2, NaN, -2, NaN]);
  });
});
