import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { col2im, im2row, patchesOf } from "../oracles/conv2d.ts";
import { anyGeometry } from "../support/conv2d.ts";
import { conv2d, strides } from "../support/convolution.ts";
import { expectSameBits, expectWithin, gamma } from "../support/float.ts";
import { random } from "../support/random.ts";
import { guarded, openKernels } from "../support/wasm.ts";
import { putWindow, type Geometry } from "../support/window.ts";

const bench = openKernels();
const { kernels } = bench;

function sizesOf(g: Geometry, n: number): { x: number; rows: number } {
  return { x: n * g.h * g.w * g.c, rows: n * g.oh * g.ow * g.kh * g.kw * g.c };
}

function runIm2row(g: Geometry, n: number, x: Float32Array): Float32Array {
  bench.reset();
  const rows = guarded(bench, sizesOf(g, n).rows);
  kernels.im2row(putWindow(bench, g), n, bench.put(x), rows.ptr);
  rows.check();
  return rows.f32();
}

function runCol2im(g: Geometry, n: number, rows: Float32Array): Float32Array {
  bench.reset();
  const x = guarded(bench, sizesOf(g, n).x);
  kernels.col2im(putWindow(bench, g), n, bench.put(rows), x.ptr);
  x.check();
  return x.f32();
}

const channels = fc.integer({ min: 1, max: 9 });
const limits = { n: 3, size: 12, c: 9, f: 1, kernel: 5, dilation: 3, pad: 5 };
const anyCase = fc.record({
  g: anyGeometry(limits, channels),
  n: fc.integer({ min: 1, max: 3 }),
  seed: fc.integer(),
});
const runs = { numRuns: 400, seed: 20260712 };

describe("im2row", () => {
  it("copies exactly what each tap sees, and zeros in the padding, in any geometry", () => {
    fc.assert(
      fc.property(anyCase, ({ g, n, seed }) => {
        const x = random(seed).uniform(sizesOf(g, n).x);
        expectSameBits(runIm2row(g, n, x), Float32Array.from(im2row(g, n, x)));
      }),
      runs,
    );
  });

  it("unfolds a worked example", () => {
    const { g } = conv2d(1, 3, 1, 2, 1, { ...strides(2), pad: { top: 1, bottom: 0, left: 0, right: 1 } });
    const x = Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8, 9);
    const rows = [
      [0, 0, 1, 2],
      [0, 0, 3, 0],
      [4, 5, 7, 8],
      [6, 0, 9, 0],
    ];
    expect([...runIm2row(g, 1, x)]).toEqual(rows.flat());
    expect([...runCol2im(g, 1, Float32Array.from(rows.flat()))]).toEqual([...x]);
  });

  it("leaves a window that lies in the padding alone zero", () => {
    const { g } = conv2d(1, 2, 3, 2, 1, { ...strides(3), pad: { top: 4, bottom: 4, left: 4, right: 4 } });
    const rows = runIm2row(g, 1, random(1).uniform(12));
    expect([...rows.subarray(0, 12)]).toEqual([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    expect([...rows]).toEqual(im2row(g, 1, random(1).uniform(12)));
  });
});

describe("col2im", () => {
  it("is within the bound of the oracle in any geometry", () => {
    fc.assert(
      fc.property(anyCase, ({ g, n, seed }) => {
        const rows = random(seed).uniform(sizesOf(g, n).rows);
        const { sum, absolute } = col2im(g, n, rows);
        const patches = patchesOf(g, n);
        expectWithin(
          runCol2im(g, n, rows),
          sum,
          (i) => gamma(patches[i] as number) * (absolute[i] as number),
        );
      }),
      runs,
    );
  });

  it("is the adjoint of im2row: ⟨im2row(x), R⟩ = ⟨x, col2im(R)⟩", () => {
    fc.assert(
      fc.property(anyCase, ({ g, n, seed }) => {
        const data = random(seed);
        const x = data.uniform(sizesOf(g, n).x);
        const rows = data.uniform(sizesOf(g, n).rows);
        const unfolded = runIm2row(g, n, x);
        const folded = runCol2im(g, n, rows);
        const left = unfolded.reduce((sum, value, i) => sum + value * (rows[i] as number), 0);
        const right = folded.reduce((sum, value, i) => sum + value * (x[i] as number), 0);
        // im2row is exact; col2im errs by γ_t of each pixel's Σ|R|; both float64 sums by γ of their length.
        const size = unfolded.reduce((sum, value, i) => sum + Math.abs(value * (rows[i] as number)), 0);
        const most = patchesOf(g, n).reduce((a, b) => Math.max(a, b), 0);
        expectWithin([right], [left], () => (gamma(most) + 2 * unfolded.length * 2 ** -53) * size);
      }),
      runs,
    );
  });

  it("adds in ascending order of rows", () => {
    const { g } = conv2d(1, 1, 1, 3, 1, { w: 3, kh: 1, pad: { top: 0, bottom: 0, left: 2, right: 2 } });
    // The middle pixel lies in all of the patches 1, 2, 3 (of 5): 2²⁴ + 1 + 1 rounds away both ones in this order alone.
    const rows = new Float32Array(15);
    rows[1 * 3 + 2] = 2 ** 24;
    rows[2 * 3 + 1] = 1;
    rows[3 * 3 + 0] = 1;
    expect(runCol2im(g, 1, rows)[1]).toBe(2 ** 24);
  });
});
