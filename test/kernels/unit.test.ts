import { describe, expect, it } from "vitest";
import { random } from "../support/random.ts";
import { U } from "../support/float.ts";
import { guarded, openKernels } from "../support/wasm.ts";

const bench = openKernels();
const { kernels } = bench;

function forward(rows: number, cols: number, x: Float32Array): Float32Array {
  bench.reset();
  const y = guarded(bench, x.length);
  kernels.unitNormalizeForward(rows, cols, bench.put(x), y.ptr);
  y.check();
  return y.f32();
}

function backward(rows: number, cols: number, x: Float32Array, dy: Float32Array): Float32Array {
  bench.reset();
  const dx = guarded(bench, x.length);
  kernels.unitNormalizeBackward(rows, cols, bench.put(x), bench.put(dy), dx.ptr);
  dx.check();
  return dx.f32();
}

const unit = (row: ArrayLike<number>): number[] => {
  const norm = Math.max(Math.hypot(...Array.from(row)), 1e-12);
  return Array.from(row, (value) => value / norm);
};

describe("unitNormalize", () => {
  it.each([1, 2, 3, 4, 5, 8, 33])("divides rows of %i by their norms, rounded once", (cols) => {
    const x = random(cols).uniform(3 * cols, -2, 2);
    const y = forward(3, cols, x);
    for (let row = 0; row < 3; row++) {
      unit(x.subarray(row * cols, (row + 1) * cols)).forEach((expected, j) =>
        expect(Math.abs(y[row * cols + j]! - expected)).toBeLessThanOrEqual(1.001 * U * Math.abs(expected)),
      );
    }
  });

  it("has the slopes of y as gradient", () => {
    const [rows, cols] = [2, 5];
    const x = random(1).uniform(10, -2, 2);
    const dy = random(2).uniform(10, -1, 1);
    const dx = backward(rows, cols, x, dy);
    const value = (i: number, h: number): number => {
      const row = Math.floor(i / cols);
      const own = Float64Array.from(x.subarray(row * cols, (row + 1) * cols));
      own[i % cols]! += h;
      return unit(own).reduce((sum, y, j) => sum + y * dy[row * cols + j]!, 0);
    };
    dx.forEach((slope, i) =>
      expect(Math.abs(slope - (value(i, 1e-5) - value(i, -1e-5)) / 2e-5)).toBeLessThan(1e-7),
    );
  });

  it("leaves zeros zeros, and gives back the gradient over the least norm", () => {
    expect([...forward(1, 3, new Float32Array(3))]).toEqual([0, 0, 0]);
    const dy = Float32Array.of(1, -2, 0);
    const expected = [1e12, -2e12, 0].map(Math.fround);
    expect([...backward(1, 3, new Float32Array(3), dy)]).toEqual(expected);
  });

  it("neither overflows nor loses the norms of small rows", () => {
    expect([...forward(1, 2, Float32Array.of(3e38, 0))]).toEqual([1, 0]);
    expect([...forward(1, 2, Float32Array.of(0, 1e-11))]).toEqual([0, 1]);
  });
});
