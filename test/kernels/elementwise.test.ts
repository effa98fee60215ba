import { describe, expect, it } from "vitest";
import { ACTIVATION } from "../../src/kernels/kernels.ts";
import { bitsOf } from "../support/float.ts";
import { random } from "../support/random.ts";
import { guarded, openKernels } from "../support/wasm.ts";

const bench = openKernels();
const { kernels } = bench;
const SIZES = [1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 100];

describe.each([
  ["addForward", (a: number, b: number) => a + b],
  ["multiplyForward", (a: number, b: number) => a * b],
  ["subtractForward", (a: number, b: number) => a - b],
  ["maximumForward", (a: number, b: number) => Math.max(a, b)],
] as const)("%s", (name, combined) => {
  it.each(SIZES)("rounds each of %i elements once", (n) => {
    const [a, b] = [random(n).uniform(n), random(n + 1).uniform(n)];
    bench.reset();
    const y = guarded(bench, n);
    kernels[name](bench.put(a), bench.put(b), y.ptr, n);
    y.check();
    expect(bitsOf(y.f32())).toEqual(bitsOf(a.map((value, i) => combined(value, b[i]!))));
  });

  it.each(SIZES)("may write %i elements over either operand", (n) => {
    const [a, b] = [random(n).uniform(n), random(n + 1).uniform(n)];
    const expected = bitsOf(a.map((value, i) => combined(value, b[i]!)));
    bench.reset();
    const [pa, pb] = [bench.put(a), bench.put(b)];
    kernels[name](pa, pb, pa, n);
    expect(bitsOf(bench.f32(pa, n))).toEqual(expected);
    bench.reset();
    const [qa, qb] = [bench.put(a), bench.put(b)];
    kernels[name](qa, qb, qb, n);
    expect(bitsOf(bench.f32(qb, n))).toEqual(expected);
  });

  it("propagates NaN and keeps infinities", () => {
    const [a, b] = [
      [NaN, Infinity, 1, -Infinity, 3, Infinity],
      [1, 2, NaN, 3, Infinity, Infinity],
    ] as const;
    bench.reset();
    const p = bench.put(Float32Array.from(a));
    const q = bench.put(Float32Array.from(b));
    kernels[name](p, q, p, 6);
    expect([...bench.f32(p, 6)]).toEqual(a.map((value, i) => combined(value, b[i]!)));
  });
});

describe("maximumBackward", () => {
  it.each(SIZES)("hands each of %i gradients to the first of the largest operands, and no other", (n) => {
    const xs = [0, 1, 2].map((seed) => Float32Array.from(random(seed).integers(n, 0, 2)));
    const dy = random(9).uniform(n);
    const y = xs[0]!.map((_, i) => Math.max(...xs.map((x) => x[i]!)));
    bench.reset();
    const [py, pd] = [bench.put(y), bench.put(dy)];
    for (const [operand, x] of xs.entries()) {
      const dx = guarded(bench, n);
      kernels.maximumBackward(bench.put(x), py, pd, dx.ptr, n);
      dx.check();
      const wins = (i: number): boolean => xs.findIndex((each) => each[i] === y[i]) === operand;
      expect([...dx.f32()]).toEqual(Array.from(dy, (value, i) => (wins(i) ? value : 0)));
    }
    expect([...bench.f32(pd, n)]).toEqual(Array.from(dy, () => 0));
  });

  it("writes no gradient that is not needed", () => {
    bench.reset();
    const [x, y, dy] = [
      [1, 2, 3],
      [1, 5, 3],
      [7, 8, 9],
    ].map((values) => bench.put(Float32Array.from(values)));
    kernels.maximumBackward(x!, y!, dy!, 0, 3);
    expect([...bench.f32(dy!, 3)]).toEqual([0, 8, 0]);
  });
});

describe("scaleForward", () => {
  it.each(SIZES)("rounds each of %i elements once, and may write over them", (n) => {
    const x = random(n).uniform(n);
    const scale = Math.fround(1 / 3);
    const expected = bitsOf(x.map((value) => value * scale));
    bench.reset();
    const [px, y] = [bench.put(x), guarded(bench, n)];
    kernels.scaleForward(scale, px, y.ptr, n);
    y.check();
    expect(bitsOf(y.f32())).toEqual(expected);
    kernels.scaleForward(scale, px, px, n);
    expect(bitsOf(bench.f32(px, n))).toEqual(expected);
  });
});

describe("addActivated", () => {
  /** Sizes that straddle the blocks of 2048 elements too. */
  it.each([...SIZES, 2047, 2048, 2049, 5000])("activates the sums of %i elements", (n) => {
    const [a, b] = [random(n).uniform(n), random(n + 1).uniform(n)];
    for (const kind of [ACTIVATION.linear, ACTIVATION.relu, ACTIVATION.silu]) {
      bench.reset();
      const [pa, pb, expected, y] = [bench.put(a), bench.put(b), bench.alloc(n), guarded(bench, n)];
      kernels.addForward(pa, pb, expected, n);
      if (kind !== ACTIVATION.linear) kernels.activationForward(kind, 0, expected, expected, n);
      kernels.addActivated(kind, 0, pa, pb, y.ptr, n);
      y.check();
      expect(bitsOf(y.f32())).toEqual(bitsOf(bench.f32(expected, n)));
      kernels.addActivated(kind, 0, pa, pb, pb, n);
      expect(bitsOf(bench.f32(pb, n))).toEqual(bitsOf(bench.f32(expected, n)));
    }
  });
});

describe("copyRows", () => {
  it.each(SIZES)("copies columns of %i floats into wider rows, and leaves the others alone", (cols) => {
    const [rows, xStride, yStride, first] = [3, cols + 2, cols + 5, 1];
    const x = random(cols).uniform(rows * xStride);
    const before = random(9).uniform(rows * yStride);
    bench.reset();
    const [px, py] = [bench.put(x), bench.put(before)];
    kernels.copyRows(rows, cols, px, xStride, py + first * 4, yStride);
    const expected = before.slice();
    for (let i = 0; i < rows; i++) {
      expected.set(x.subarray(i * xStride, i * xStride + cols), i * yStride + first);
    }
    expect(bitsOf(bench.f32(py, rows * yStride))).toEqual(bitsOf(expected));
  });
});
