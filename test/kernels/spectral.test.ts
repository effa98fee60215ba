import { describe, expect, it } from "vitest";
import { random } from "../support/random.ts";
import { U } from "../support/float.ts";
import { guarded, openKernels } from "../support/wasm.ts";

const bench = openKernels();
const { kernels } = bench;

interface Spectral {
  readonly u: Float32Array;
  readonly v: Float32Array;
  readonly sigma: number;
  readonly y: Float32Array;
}

function normalized(
  iterations: number,
  rows: number,
  cols: number,
  w: Float32Array,
  v: Float32Array,
): Spectral {
  bench.reset();
  const [from, u, left] = [bench.put(w), guarded(bench, cols), bench.put(v)];
  new Float32Array(bench.memory.buffer, u.ptr, cols).fill(0);
  const [sigma, y] = [guarded(bench, 1), guarded(bench, rows * cols)];
  kernels.spectralNormalize(iterations, rows, cols, from, u.ptr, left, sigma.ptr, y.ptr);
  for (const each of [u, sigma, y]) each.check();
  return { u: u.f32(), v: bench.f32(left, rows), sigma: sigma.f32()[0]!, y: y.f32() };
}

/** W·Wᵀ's largest eigenvalue's root, by 2000 steps of the power method in float64. */
function largestSingularValue(rows: number, cols: number, w: Float32Array): number {
  let v = Array.from({ length: rows }, (_, i) => 1 + i / 7);
  let norm = 0;
  for (let step = 0; step < 2000; step++) {
    const u = Array.from({ length: cols }, (_, j) => v.reduce((sum, x, i) => sum + x * w[i * cols + j]!, 0));
    v = v.map((_, i) => u.reduce((sum, x, j) => sum + x * w[i * cols + j]!, 0));
    norm = Math.hypot(...v);
    v = v.map((x) => x / norm);
  }
  return Math.sqrt(norm);
}

describe("spectralNormalize", () => {
  it.each([
    [1, 1],
    [1, 5],
    [6, 1],
    [4, 7],
    [9, 3],
    [16, 16],
  ])("of %i × %i finds the largest singular value", (rows, cols) => {
    const w = random(rows * cols).uniform(rows * cols, -1, 1);
    const start = random(7).uniform(rows, -1, 1);
    const { u, v, sigma, y } = normalized(300, rows, cols, w, start);
    const expected = largestSingularValue(rows, cols, w);
    // Each element of u and v is rounded once, as is sigma: the error of the quotient is of second order in theirs.
    expect(Math.abs(sigma - expected)).toBeLessThan(8 * U * expected);
    for (const vector of [u, v]) expect(Math.abs(Math.hypot(...vector) - 1)).toBeLessThan(vector.length * U);
    expect([...y]).toEqual([...w].map((x) => Math.fround(x / sigma)));
  });

  it("begins with 15 iterations where u is zeros", () => {
    const w = random(3).uniform(20, -1, 1);
    const start = random(4).uniform(5, -1, 1);
    bench.reset();
    const [from, left, sigma, y] = [bench.put(w), bench.put(start), bench.alloc(1), bench.alloc(20)];
    const ones = bench.put(new Float32Array(4).fill(1));
    kernels.spectralNormalize(15, 5, 4, from, ones, left, sigma, y);
    const expected = [...bench.f32(y, 20)];
    expect([...normalized(0, 5, 4, w, start).y]).toEqual(expected);
  });

  it("has the slopes of y as gradient, with u and v as constants", () => {
    const [rows, cols] = [5, 4];
    const w = random(1).uniform(20, -1, 1);
    const dy = random(2).uniform(20, -1, 1);
    const { u, v, sigma, y } = normalized(2, rows, cols, w, random(3).uniform(rows, -1, 1));
    bench.reset();
    const dw = guarded(bench, 20);
    const at = [u, v, Float32Array.of(sigma), y, dy].map((each) => bench.put(each)) as [
      number,
      number,
      number,
      number,
      number,
    ];
    kernels.spectralNormalizeBackward(rows, cols, ...at, dw.ptr);
    dw.check();
    /** Σ dy·W / (vᵀ·W·u) in float64. */
    const value = (each: ArrayLike<number>): number => {
      let [sum, by] = [0, 0];
      for (let i = 0; i < 20; i++) {
        sum += dy[i]! * each[i]!;
        by += each[i]! * v[Math.floor(i / cols)]! * u[i % cols]!;
      }
      return sum / by;
    };
    const size = Math.hypot(...dw.f32());
    dw.f32().forEach((slope, i) => {
      const moved = (h: number): number => value(Float64Array.from(w, (x, j) => (i === j ? x + h : x)));
      const expected = (moved(1e-5) - moved(-1e-5)) / 2e-5;
      expect(Math.abs(slope - expected)).toBeLessThan(1e-6 * size);
    });
  });
});
