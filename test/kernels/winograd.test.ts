import fc from "fast-check";
import { describe, expect, it } from "vitest";
import * as oracle from "../oracles/conv2d.ts";
import type { Convolution } from "../oracles/conv2d.ts";
import {
  filterMagnitude,
  forwardMagnitude,
  inputMagnitude,
  tilesOf,
  TRANSFORM_ROUNDINGS,
} from "../oracles/winograd.ts";
import { runFilterGradient, runForward } from "../support/conv2d.ts";
import { conv2d, operands, type Pad } from "../support/convolution.ts";
import { expectSameBits, expectWithin, gamma, U } from "../support/float.ts";
import { guarded, openKernels } from "../support/wasm.ts";
import { putWindow } from "../support/window.ts";

const bench = openKernels();
const { kernels } = bench;

interface Epilogue {
  b?: Float32Array;
  activation?: number;
}

/** Kernels with guards around what they write; the packed filters and the workspace are full of NaN before. */
function runWinograd(
  { g, n, f }: Convolution,
  x: Float32Array,
  w: Float32Array,
  { b, activation = 0 }: Epilogue = {},
): Float32Array {
  bench.reset();
  const window = putWindow(bench, g);
  const y = guarded(bench, n * g.oh * g.ow * f);
  const packed = guarded(bench, kernels.winogradPackedFilters(g.c, f));
  const space = guarded(bench, kernels.winogradForwardWorkspace(g.c, f));
  kernels.winogradPackFilters(g.c, f, bench.put(w), packed.ptr);
  const [px, pb] = [bench.put(x), b ? bench.put(b) : 0];
  kernels.winogradForward(window, n, f, px, packed.ptr, pb, y.ptr, activation, 0.25, space.ptr);
  for (const room of [y, packed, space]) room.check();
  return y.f32();
}

function runWinogradInput({ g, n, f }: Convolution, dy: Float32Array, w: Float32Array): Float32Array {
  bench.reset();
  const window = putWindow(bench, g);
  const dx = guarded(bench, n * g.h * g.w * g.c);
  const packed = guarded(bench, kernels.winogradPackedFilters(f, g.c));
  const space = guarded(bench, kernels.winogradBackpropInputWorkspace(g.c, f));
  kernels.winogradPackRotatedFilters(g.c, f, bench.put(w), packed.ptr);
  kernels.winogradBackpropInput(window, n, f, bench.put(dy), packed.ptr, dx.ptr, space.ptr);
  for (const room of [dx, packed, space]) room.check();
  return dx.f32();
}

function runWinogradFilter({ g, n, f }: Convolution, x: Float32Array, dy: Float32Array): Float32Array {
  bench.reset();
  const window = putWindow(bench, g);
  const dw = guarded(bench, 9 * g.c * f);
  const space = guarded(bench, kernels.winogradBackpropFilterWorkspace(g.c, f));
  kernels.winogradBackpropFilter(window, n, f, bench.put(x), bench.put(dy), dw.ptr, space.ptr);
  for (const room of [dw, space]) room.check();
  return dw.f32();
}

/** γ of the roundings of the transforms and of a sum of `terms`, times `magnitude`. */
const bound =
  (terms: number, magnitude: Float64Array) =>
  (i: number): number =>
    gamma(terms + TRANSFORM_ROUNDINGS) * (magnitude[i] as number);

/** All three passes within their bounds of the float64 oracle. */
function expectAllPasses(conv: Convolution, seed: number): void {
  const { x, w, b, dy } = operands(conv, seed);
  const { c } = conv.g;
  const y = forwardMagnitude(conv, x, w);
  expectWithin(runWinograd(conv, x, w), oracle.forward(conv, x, w).sum, bound(c, y));
  const biased = y.map((value, i) => value + Math.abs(b[i % conv.f] as number));
  expectWithin(runWinograd(conv, x, w, { b }), oracle.forward(conv, x, w, b).sum, bound(c + 1, biased));
  const dx = inputMagnitude(conv, dy, w);
  expectWithin(runWinogradInput(conv, dy, w), oracle.inputGradient(conv, dy, w).sum, bound(conv.f, dx));
  const dw = filterMagnitude(conv, x, dy);
  const tiles = tilesOf(conv);
  expectWithin(runWinogradFilter(conv, x, dy), oracle.filterGradient(conv, x, dy).sum, bound(tiles, dw));
}

const same = (n: number, h: number, c: number, f: number, w = h): Convolution =>
  conv2d(n, h, c, 3, f, { w, pad: "same" });

describe("winograd", () => {
  it("is within its bounds of the oracle in all passes, for any 3×3 convolution at stride 1", () => {
    const side = fc.integer({ min: 1, max: 11 });
    const pads = fc.integer({ min: 0, max: 4 });
    const anyCase = fc.record({
      n: fc.integer({ min: 1, max: 3 }),
      h: side,
      w: side,
      c: fc.integer({ min: 1, max: 9 }),
      f: fc.integer({ min: 1, max: 17 }),
      top: pads,
      bottom: pads,
      left: pads,
      right: pads,
      seed: fc.integer(),
    });
    fc.assert(
      fc.property(anyCase, ({ n, h, w, c, f, seed, ...pad }) => {
        fc.pre(h + pad.top + pad.bottom >= 3 && w + pad.left + pad.right >= 3);
        expectAllPasses(conv2d(n, h, c, 3, f, { w, pad: pad as Pad }), seed);
      }),
      { numRuns: 150, seed: 20261124 },
    );
  });

  it.each([
    ["one pixel", same(1, 1, 1, 1)],
    ["a tile", conv2d(1, 6, 4, 3, 8)],
    ["a pixel less than a tile", same(1, 3, 3, 7)],
    ["a pixel more than a tile", same(1, 5, 5, 9)],
    ["a row of pixels", same(1, 1, 4, 5, 23)],
    ["as many tiles as a strip of the fewest, and one more", same(21, 4, 400, 8)],
    ["several strips", same(1, 43, 5, 3)],
    ["strips across images", same(29, 7, 3, 6)],
    ["channels of two blocks of the sum", same(1, 5, 515, 3)],
    ["filters beyond a block of the filter gradient", same(2, 5, 13, 1025)],
    ["gradients of several strips in several blocks", same(12, 6, 11, 380)],
  ])("is within its bounds in all passes: %s", (_name, conv) => {
    expectAllPasses(conv, 7);
  });

  it.each([
    ["relu", 1, (v: number) => Math.max(v, 0), 0],
    ["leaky relu", 2, (v: number) => (v < 0 ? 0.25 * v : v), U],
    ["tanh", 4, Math.tanh, 8 * U],
  ])("applies %s to the sum with its bias", (_name, activation, f, relative) => {
    const conv = same(2, 7, 9, 11);
    const { x, w, b } = operands(conv, 3);
    const exact = oracle.forward(conv, x, w, b).sum.map(f);
    const magnitude = forwardMagnitude(conv, x, w).map((v, i) => v + Math.abs(b[i % conv.f] as number));
    const error = bound(conv.g.c + 1, magnitude);
    expectWithin(
      runWinograd(conv, x, w, { b, activation }),
      exact,
      (i) => error(i) * (1 + relative) + relative,
    );
  });

  it("gives an image of a batch the bits that it has alone", () => {
    const conv = same(5, 9, 8, 12);
    const { x, w, b } = operands(conv, 5);
    const all = runWinograd(conv, x, w, { b });
    const [sizeX, sizeY] = [x.length / 5, all.length / 5];
    for (let i = 0; i < 5; i++) {
      const alone = runWinograd({ ...conv, n: 1 }, x.slice(i * sizeX, (i + 1) * sizeX), w, { b });
      expectSameBits(alone, all.slice(i * sizeY, (i + 1) * sizeY));
    }
  });
});

/** Largest error of outputs of operands in ±1, relative to the largest output. */
function relativeError(actual: Float32Array, exact: Float64Array): number {
  const largest = exact.reduce((most, v) => Math.max(most, Math.abs(v)), 0);
  return actual.reduce((most, v, i) => Math.max(most, Math.abs(v - (exact[i] as number))), 0) / largest;
}

describe("the error of winograd beside that of the plain product", () => {
  it.each([32, 128])("is at most three times as large, over %i channels", (c) => {
    const conv = same(1, 16, c, 32);
    const { x, w, dy } = operands(conv, 9);
    const [y, dw] = [oracle.forward(conv, x, w).sum, oracle.filterGradient(conv, x, dy).sum];
    const winograd = [
      relativeError(runWinograd(conv, x, w), y),
      relativeError(runWinogradFilter(conv, x, dy), dw),
    ];
    const plain = [
      relativeError(runForward(bench, conv, x, w), y),
      relativeError(runFilterGradient(bench, conv, x, dy), dw),
    ];
    winograd.forEach((error, i) => {
      expect(error).toBeLessThan(3e-6);
      expect(error).toBeLessThan(3 * plain[i]!);
    });
  });
});
