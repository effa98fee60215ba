import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { guarded, openKernels } from "../support/wasm.ts";
import { random } from "../support/random.ts";
import { numericalGradient } from "../support/differences.ts";
import { bitsOf, expectWithin, U } from "../support/float.ts";
import { averagePool, averagePoolGradient, maxPool, maxPoolGradient, windowsOf } from "../oracles/pool.ts";
import { putWindow, type Geometry } from "../support/window.ts";

const bench = openKernels();
const { kernels } = bench;

const sizesOf = (g: Geometry): { x: number; y: number } => ({ x: g.h * g.w * g.c, y: g.oh * g.ow * g.c });

function runMax(g: Geometry, n: number, x: Float32Array): { y: Float32Array; argmax: Int32Array } {
  bench.reset();
  const size = n * sizesOf(g).y;
  const y = guarded(bench, size);
  const argmax = guarded(bench, size);
  kernels.maxPool2dForward(putWindow(bench, g), n, bench.put(x), y.ptr, argmax.ptr);
  y.check();
  argmax.check();
  return { y: y.f32(), argmax: argmax.i32() };
}

/** Without the winners, as in inference. */
function runMaxAlone(g: Geometry, n: number, x: Float32Array): Float32Array {
  bench.reset();
  const y = guarded(bench, n * sizesOf(g).y);
  kernels.maxPool2dForward(putWindow(bench, g), n, bench.put(x), y.ptr, 0);
  y.check();
  return y.f32();
}

function runMaxBackward(g: Geometry, n: number, dy: Float32Array, argmax: Int32Array): Float32Array {
  bench.reset();
  const { x, y } = sizesOf(g);
  const dx = guarded(bench, n * x);
  kernels.maxPool2dBackward(n, bench.put(dy), bench.put(argmax), dx.ptr, y, x);
  dx.check();
  return dx.f32();
}

function runAverage(g: Geometry, n: number, x: Float32Array): Float32Array {
  bench.reset();
  const y = guarded(bench, n * sizesOf(g).y);
  kernels.averagePool2dForward(putWindow(bench, g), n, bench.put(x), y.ptr);
  y.check();
  return y.f32();
}

function runAverageBackward(g: Geometry, n: number, dy: Float32Array): Float32Array {
  bench.reset();
  const dx = guarded(bench, n * sizesOf(g).x);
  kernels.averagePool2dBackward(putWindow(bench, g), n, bench.put(dy), dx.ptr);
  dx.check();
  return dx.f32();
}

/** A window without padding, stride or dilation; the rest on demand. */
function geometry(h: number, w: number, c: number, k: number, more: Partial<Geometry> = {}): Geometry {
  const stride = more.strideH ?? 1;
  const out = (size: number): number => Math.floor((size - k) / stride) + 1;
  const base = { h, w, c, kh: k, kw: k, oh: out(h), ow: out(w), strideH: stride, strideW: stride };
  return { ...base, dilationH: 1, dilationW: 1, top: 0, left: 0, ...more };
}

const upTo = (n: number): fc.Arbitrary<number> => fc.integer({ min: 1, max: n });

/** Any geometry whose windows all hold a pixel; channels straddle the width of a vector, and of four. */
const anyGeometry: fc.Arbitrary<Geometry> = fc
  .record({
    h: upTo(8),
    w: upTo(8),
    c: fc.constantFrom(1, 2, 3, 4, 5, 7, 8, 9, 16, 17, 21),
    kh: upTo(4),
    kw: upTo(4),
    oh: upTo(6),
    ow: upTo(6),
    strideH: upTo(3),
    strideW: upTo(3),
    dilationH: upTo(2),
    dilationW: upTo(2),
    top: fc.integer({ min: -1, max: 3 }),
    left: fc.integer({ min: -1, max: 3 }),
  })
  .filter((g) => windowsOf(g).every((indices) => indices.length > 0));

const anyCase = fc.record({ g: anyGeometry, n: upTo(2), seed: fc.integer() });
const runs = { numRuns: 300, seed: 20260711 };

describe("max pooling", () => {
  it("finds the oracle's winners in any geometry", () => {
    fc.assert(
      fc.property(anyCase, ({ g, n, seed }) => {
        // Whole numbers from a few make ties.
        const x = Float32Array.from(random(seed).integers(n * sizesOf(g).x, -4, 3));
        const { y, argmax } = runMax(g, n, x);
        expect(bitsOf(runMaxAlone(g, n, x))).toEqual(bitsOf(y));
        const exact = maxPool(g, n, x);
        expect([...argmax]).toEqual(exact.argmax);
        expect([...y]).toEqual(exact.y);
      }),
      runs,
    );
  });

  it("scatters the gradient to the winners in any geometry", () => {
    fc.assert(
      fc.property(anyCase, ({ g, n, seed }) => {
        const data = random(seed);
        const x = data.uniform(n * sizesOf(g).x);
        const dy = data.uniform(n * sizesOf(g).y);
        const { argmax } = maxPool(g, n, x);
        const winners = Int32Array.from(argmax);
        // A pixel wins at most kh·kw windows with |dy| ≤ 1: one rounding less than terms, each of a sum ≤ kh·kw.
        const terms = g.kh * g.kw;
        const exact = maxPoolGradient(g, n, dy, argmax);
        expectWithin(runMaxBackward(g, n, dy, winners), exact, () => (terms - 1) * terms * U);
      }),
      runs,
    );
  });

  it.each([1, 3, 4, 6])("has the gradient of finite differences with %i channels", (c) => {
    const g = geometry(5, 6, c, 3, { oh: 3, ow: 4, strideH: 2, top: 1, left: 1 });
    // A permutation keeps the values apart: no difference changes a winner.
    const data = random(c);
    const order = Array.from({ length: sizesOf(g).x }, (_, i) => ({ i, key: data.next() }));
    order.sort((a, b) => a.key - b.key);
    const x = Float32Array.from(order, ({ i }) => i / 64 - 0.5);
    const dy = data.uniform(sizesOf(g).y);
    const total = (at: Float64Array): number =>
      maxPool(g, 1, at).y.reduce((sum, y, i) => sum + y * (dy[i] as number), 0);
    const dx = runMaxBackward(g, 1, dy, runMax(g, 1, x).argmax);
    expectWithin(dx, numericalGradient(total, x), () => 9 * 8 * U + 1e-8);
  });

  it.each([1, 4, 5])("knows windows of negative values and of −∞ alone with %i channels", (c) => {
    const g = geometry(3, 3, c, 2, { oh: 4, ow: 4, top: 1, left: 1 });
    const negative = random(c).uniform(sizesOf(g).x, -9, -1);
    const { y, argmax } = runMax(g, 1, negative);
    expect([...y]).toEqual(maxPool(g, 1, negative).y);
    expect([...argmax]).toEqual(maxPool(g, 1, negative).argmax);
    const lowest = new Float32Array(sizesOf(g).x).fill(-Infinity);
    const result = runMax(g, 1, lowest);
    expect([...result.y].every((value) => value === -Infinity)).toBe(true);
    expect([...result.argmax]).toEqual(maxPool(g, 1, lowest).argmax);
  });

  it.each([1, 4, 5])("lets the first NaN win with %i channels", (c) => {
    const g = geometry(4, 4, c, 3);
    for (let seed = 0; seed < 20; seed++) {
      const data = random(seed);
      const x = data.uniform(sizesOf(g).x).map((value) => (data.next() < 0.15 ? NaN : value));
      const { y, argmax } = runMax(g, 1, x);
      expect([...argmax]).toEqual(maxPool(g, 1, x).argmax);
      expect([...y]).toEqual(maxPool(g, 1, x).y);
    }
  });

  it.each([4, 5, 8, 11])("gives 3×3 windows of %i channels the same bits without the winners", (c) => {
    const g = geometry(9, 9, c, 3, { strideH: 2, strideW: 2, oh: 5, ow: 5, top: 1, left: 1 });
    const special = [NaN, Infinity, -Infinity, 0, -0, 3e38, -3e38];
    for (let seed = 0; seed < 20; seed++) {
      const data = random(seed);
      const pick = (): number => special[Math.floor(data.next() * special.length)]!;
      const x = data.uniform(sizesOf(g).x).map((value) => (data.next() < seed / 20 ? pick() : value));
      const { y } = runMax(g, 1, x);
      expect([...runMaxAlone(g, 1, x)]).toEqual([...y]);
    }
  });

  it("indexes within each image", () => {
    const g = geometry(2, 2, 1, 2);
    const { argmax } = runMax(g, 3, Float32Array.of(9, 0, 0, 0, 0, 9, 0, 0, 0, 0, 0, 9));
    expect([...argmax]).toEqual([0, 1, 3]);
    const dx = runMaxBackward(g, 3, Float32Array.of(1, 2, 3), argmax);
    expect([...dx]).toEqual([1, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 3]);
  });
});

describe("average pooling", () => {
  it("matches the oracle in any geometry", () => {
    fc.assert(
      fc.property(anyCase, ({ g, n, seed }) => {
        const x = random(seed).uniform(n * sizesOf(g).x);
        // k·u·(Σ |x|) / k with |x| ≤ 1, to first order.
        const bound = 1.01 * g.kh * g.kw * U;
        expectWithin(runAverage(g, n, x), averagePool(g, n, x), () => bound);
      }),
      runs,
    );
  });

  it("has the oracle's gradient in any geometry", () => {
    fc.assert(
      fc.property(anyCase, ({ g, n, seed }) => {
        const dy = random(seed).uniform(n * sizesOf(g).y);
        // A pixel lies in m ≤ kh·kw windows: m·u·Σ |dy| / k with |dy| ≤ 1 and k ≥ 1, to first order.
        const m = g.kh * g.kw;
        const exact = averagePoolGradient(g, n, dy);
        expectWithin(runAverageBackward(g, n, dy), exact, () => 1.01 * m * m * U);
      }),
      runs,
    );
  });

  it.each([1, 3, 4, 6])("has the gradient of finite differences with %i channels", (c) => {
    const g = geometry(5, 6, c, 3, { oh: 3, ow: 4, strideH: 2, top: 1, left: 1 });
    const x = random(c).uniform(sizesOf(g).x);
    const dy = random(c + 1).uniform(sizesOf(g).y);
    const total = (at: Float64Array): number =>
      averagePool(g, 1, at).reduce((sum, y, i) => sum + y * (dy[i] as number), 0);
    expectWithin(runAverageBackward(g, 1, dy), numericalGradient(total, x), () => 1.01 * 81 * U + 1e-8);
  });

  it("does not count padding", () => {
    const g = geometry(2, 2, 1, 2, { oh: 3, ow: 3, top: 1, left: 1 });
    const y = runAverage(g, 1, Float32Array.of(4, 8, 12, 16));
    expect([...y]).toEqual([4, 6, 8, 8, 10, 12, 12, 14, 16]);
  });
});

describe.each([1, 2, 3, 4, 5, 7, 8, 9, 16, 17, 21])("global average pooling of %i channels", (c) => {
  const n = 2;

  it.each([1, 2, 49])("matches the oracle on %i pixels", (pixels) => {
    const g = geometry(1, pixels, c, 1, { kw: pixels, ow: 1 });
    const x = random(c).uniform(n * pixels * c);
    const dy = random(c + 1).uniform(n * c);
    bench.reset();
    const y = guarded(bench, n * c);
    const dx = guarded(bench, n * pixels * c);
    kernels.globalAveragePool2dForward(n, pixels, c, bench.put(x), y.ptr);
    kernels.globalAveragePool2dBackward(n, pixels, c, bench.put(dy), dx.ptr);
    y.check();
    dx.check();
    // pixels·u·(Σ |x|) / pixels with |x| ≤ 1; the gradient is rounded once.
    expectWithin(y.f32(), averagePool(g, n, x), () => 1.01 * pixels * U);
    const exact = averagePoolGradient(g, n, dy);
    expectWithin(dx.f32(), exact, (i) => U * Math.abs(exact[i] as number));
  });
});

describe("a tail of channels", () => {
  it.each([1, 2, 3])("of %i has the bits of the vector body", (count) => {
    const x = random(8).uniform(5 * 5 * 4);
    const wide = geometry(5, 5, 4, 3, { oh: 5, ow: 5, top: 1, left: 1 });
    const narrow = { ...wide, c: count };
    const keep = <T>(values: Iterable<T>): T[] => [...values].filter((_, i) => i % 4 < count);
    const thin = Float32Array.from(keep(x));
    expect([...bitsOf(runMax(narrow, 1, thin).y)]).toEqual(keep(bitsOf(runMax(wide, 1, x).y)));
    expect([...bitsOf(runAverage(narrow, 1, thin))]).toEqual(keep(bitsOf(runAverage(wide, 1, x))));
    expect([...bitsOf(runAverageBackward(narrow, 1, thin))]).toEqual(
      keep(bitsOf(runAverageBackward(wide, 1, x))),
    );
  });
});
