/** Subnormal weights count as zeros wherever they are laid out, and nowhere else. */
import { describe, expect, it } from "vitest";
import { gemmFloat32, type Product } from "../oracles/gemm.ts";
import { expectSameBits, fromBits, SMALLEST, SMALLEST_NORMAL } from "../support/float.ts";
import { random } from "../support/random.ts";
import { subnormal, zeroed } from "../support/subnormal.ts";
import { guarded, openKernels } from "../support/wasm.ts";
import { putWindow } from "../support/window.ts";

const bench = openKernels();
const { kernels } = bench;

const LARGEST_SUBNORMAL = SMALLEST_NORMAL - SMALLEST;

describe("flushSubnormals", () => {
  const kept = [0, -0, 1, -1, SMALLEST_NORMAL, -SMALLEST_NORMAL, Infinity, -Infinity, 3e38];

  it("makes zeros of their sign of subnormal numbers, and keeps all others, at every place of a vector", () => {
    for (const [value, flushed] of [
      ...kept.map((each) => [each, each]),
      [SMALLEST, 0],
      [-SMALLEST, -0],
      [LARGEST_SUBNORMAL, 0],
      [-LARGEST_SUBNORMAL, -0],
    ] as [number, number][]) {
      for (let n = 1; n < 11; n++) {
        for (let at = 0; at < n; at++) {
          bench.reset();
          const x = new Float32Array(n).fill(2);
          x[at] = value;
          const y = guarded(bench, n);
          const px = bench.put(x);
          expect(kernels.hasSubnormals(n, px)).toBe(Number(!Object.is(value, flushed)));
          kernels.flushSubnormals(n, px, y.ptr);
          y.check();
          expectSameBits(
            y.f32(),
            x.map((each) => (Object.is(each, value) ? flushed : each)),
          );
        }
      }
    }
  });

  it("keeps NaN, and may write over its input", () => {
    bench.reset();
    const x = bench.put(Float32Array.of(NaN, SMALLEST, fromBits(0x7f800001), 1, NaN, -SMALLEST));
    kernels.flushSubnormals(6, x, x);
    expect([...bench.f32(x, 6)]).toEqual([NaN, 0, NaN, 1, NaN, -0]);
    expect(kernels.hasSubnormals(6, x)).toBe(0);
  });
});

describe("gemm", () => {
  function run(p: Product, b: Float32Array, asIs: boolean): Float32Array {
    const { transposeA, transposeB, m, n, k, lda, ldb } = p;
    bench.reset();
    const c = guarded(bench, m * n);
    const space = guarded(bench, kernels.gemmWorkspace(n, k));
    const [pa, pb] = [bench.put(p.a as Float32Array), bench.put(b)];
    // prettier-ignore
    kernels.gemm(transposeA, transposeB, m, n, k, pa, lda, pb, ldb, c.ptr, n, 0, 0, 0, false, space.ptr, asIs);
    c.check();
    space.check();
    return c.f32();
  }

  // One row, rows for which B is read in place, and for which it is packed; whole and narrow panels; two blocks.
  it.each([
    [1, 9, 7],
    [1, 24, 6],
    [2, 17, 9],
    [10, 8, 5],
    [11, 13, 300],
  ])(
    "of %i rows, %i columns and a sum of %i takes subnormal elements of B for zeros, or as they are",
    (m, n, k) => {
      for (const transposeA of [false, true]) {
        for (const transposeB of [false, true]) {
          const data = random(m + n);
          const b = subnormal(data.uniform(k * n), m);
          const [lda, ldb] = [transposeA ? m : k, transposeB ? k : n];
          const p = {
            transposeA,
            transposeB,
            m,
            n,
            k,
            a: data.uniform(m * k, -(2 ** 40), 2 ** 40),
            lda,
            b,
            ldb,
          };
          expectSameBits(run(p, b, false), gemmFloat32({ ...p, b: zeroed(b) }));
          expectSameBits(run(p, b, true), gemmFloat32(p));
        }
      }
    },
  );
});

describe("packed filters", () => {
  const g = { h: 8, w: 8, c: 6, kh: 3, kw: 3, oh: 6, ow: 6, strideH: 1, strideW: 1, top: 0, left: 0 };
  const size = 9 * g.c * 11;

  it("hold no subnormal numbers", () => {
    // Two filters in three are subnormal, and Winograd's of the others are, at some points, once they are transformed.
    const w = random(3)
      .uniform(size)
      .map((v, i) => (i % 3 === 0 ? v * 2 ** -123 : v * 2 ** -130));
    for (const [room, pack] of [
      [
        (window: number) => kernels.conv2dPackedFilters(window, 11, 1),
        (window: number, from: number, to: number) => kernels.conv2dPackFilters(window, 11, 1, from, to),
      ],
      [
        () => kernels.winogradPackedFilters(6, 11),
        (_: number, from: number, to: number) => kernels.winogradPackFilters(6, 11, from, to),
      ],
      [
        () => kernels.winogradPackedFilters(11, 6),
        (_: number, from: number, to: number) => kernels.winogradPackRotatedFilters(6, 11, from, to),
      ],
    ] as const) {
      bench.reset();
      const window = putWindow(bench, { ...g, dilationH: 1, dilationW: 1 });
      const from = bench.put(w);
      const floats = room(window);
      const to = bench.put(new Float32Array(floats));
      pack(window, from, to);
      // Behind Winograd's filters lies the room to transform them in, of the weights as they were gathered.
      const points = bench.f32(to, floats);
      expect(points.some((v) => Math.abs(v) >= SMALLEST_NORMAL)).toBe(true);
      expect(kernels.hasSubnormals(pack.length === 3 ? floats - 288 : floats, to)).toBe(0);
    }
  });
});
