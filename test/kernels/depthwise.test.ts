import fc from "fast-check";
import { describe, expect, it } from "vitest";
import * as oracle from "../oracles/conv2d.ts";
import { sizesOf, type Convolution } from "../oracles/conv2d.ts";
import {
  anyGeometry,
  runFilterGradient,
  runForward,
  runInputGradient,
  type Epilogue,
} from "../support/conv2d.ts";
import { conv2d, operands, strides } from "../support/convolution.ts";
import { expectSameBits, expectWithin, gamma } from "../support/float.ts";
import { guarded, openKernels } from "../support/wasm.ts";
import { putWindow } from "../support/window.ts";

/** Around a vector, the two of four pixels together, and the four of a pixel by itself. */
const CHANNELS = [1, 2, 3, 4, 5, 6, 7, 8, 9, 15, 16, 17, 21, 36];

const bench = openKernels();
const { kernels } = bench;

function depthwiseForward(
  { g, n }: Convolution,
  x: Float32Array,
  w: Float32Array,
  { b, activation = 0, alpha = 0 }: Epilogue = {},
): Float32Array {
  bench.reset();
  const y = guarded(bench, n * g.oh * g.ow * g.c);
  const [px, pw, pb] = [bench.put(x), bench.put(w), b ? bench.put(b) : 0];
  const space = guarded(bench, kernels.depthwiseConv2dWorkspace());
  kernels.depthwiseConv2dForward(putWindow(bench, g), n, px, pw, pb, y.ptr, activation, alpha, space.ptr);
  y.check();
  space.check();
  return y.f32();
}

function depthwiseFilterGradient({ g, n }: Convolution, x: Float32Array, dy: Float32Array): Float32Array {
  bench.reset();
  const dw = guarded(bench, g.kh * g.kw * g.c);
  kernels.depthwiseConv2dBackpropFilter(putWindow(bench, g), n, bench.put(x), bench.put(dy), dw.ptr);
  dw.check();
  return dw.f32();
}

function depthwiseInputGradient({ g, n }: Convolution, dy: Float32Array, w: Float32Array): Float32Array {
  bench.reset();
  const dx = guarded(bench, n * g.h * g.w * g.c);
  const space = guarded(bench, kernels.depthwiseConv2dWorkspace());
  const [pdy, pw] = [bench.put(dy), bench.put(w)];
  kernels.depthwiseConv2dBackpropInput(putWindow(bench, g), n, pdy, pw, dx.ptr, space.ptr);
  space.check();
  dx.check();
  return dx.f32();
}

/** All passes within their bounds of the oracle with as many groups as channels, and of the grouped products. */
function expectAllPasses(conv: Convolution, seed: number): void {
  const { x, w, b, dy } = operands(conv, seed);
  const taps = conv.g.kh * conv.g.kw;
  const pixels = conv.n * conv.g.oh * conv.g.ow;

  for (const bias of [undefined, b]) {
    const { sum, absolute } = oracle.forward(conv, x, w, bias);
    const bound = (i: number): number => gamma(taps + 1) * (absolute[i] as number);
    const y = depthwiseForward(conv, x, w, { b: bias });
    expectWithin(y, sum, bound);
    expectWithin(y, runForward(bench, conv, x, w, { b: bias }), (i) => 2 * bound(i));
  }

  const dwSums = oracle.filterGradient(conv, x, dy);
  const dwBound = (i: number): number => gamma(pixels) * (dwSums.absolute[i] as number);
  const dw = depthwiseFilterGradient(conv, x, dy);
  expectWithin(dw, dwSums.sum, dwBound);
  expectWithin(dw, runFilterGradient(bench, conv, x, dy), (i) => 2 * dwBound(i));

  const dxSums = oracle.inputGradient(conv, dy, w);
  const dxBound = (i: number): number => gamma(taps) * (dxSums.absolute[i] as number);
  const dx = depthwiseInputGradient(conv, dy, w);
  expectWithin(dx, dxSums.sum, dxBound);
  // A patch gradient of one filter is one product; then the pixel's patches are added: γ_{1 + taps} at most.
  const grouped = runInputGradient(bench, "Col2im", conv, dy, w);
  expectWithin(dx, grouped, (i) => dxBound(i) + gamma(taps + 1) * (dxSums.absolute[i] as number));
  expectWithin(dx, runInputGradient(bench, "Flipped", conv, dy, w), (i) => 2 * dxBound(i));
}

describe("depthwise convolution", () => {
  it("is within the bounds of the oracle and of the grouped products in all passes, in any geometry", () => {
    const limits = { n: 3, size: 12, c: 9, f: 9, kernel: 5, dilation: 3, pad: 4 };
    const anyCase = fc.record({
      g: anyGeometry(limits, fc.constantFrom(...CHANNELS)),
      n: fc.integer({ min: 1, max: 3 }),
      seed: fc.integer(),
    });
    fc.assert(
      fc.property(anyCase, ({ g, n, seed }) => expectAllPasses({ g, n, f: g.c, groups: g.c }, seed)),
      { numRuns: 150, seed: 20260715 },
    );
  });

  it.each(CHANNELS)("is so for %i channels, strided, dilated and padded", (c) => {
    expectAllPasses(conv2d(2, 7, c, 3, c, { groups: c, pad: "same" }), c);
    expectAllPasses(
      conv2d(2, 9, c, 3, c, { groups: c, ...strides(2), dilationH: 2, dilationW: 3, pad: "same" }),
      c,
    );
    expectAllPasses(conv2d(1, 3, c, 2, c, { groups: c, pad: { top: 4, bottom: 4, left: 3, right: 5 } }), c);
  });

  it.each([
    ["relu", 1],
    ["leaky relu", 2],
    ["sigmoid", 3],
    ["tanh", 4],
    ["relu6", 6],
    ["silu", 11],
  ])("applies %s to the sum with its bias", (_name, activation) => {
    const conv = conv2d(2, 6, 7, 3, 7, { groups: 7, pad: "same" });
    const { x, w, b } = operands(conv, 4);
    const plain = depthwiseForward(conv, x, w, { b });
    const actual = depthwiseForward(conv, x, w, { b, activation, alpha: 0.125 });
    bench.reset();
    const expected = guarded(bench, plain.length);
    kernels.activationForward(activation, 0.125, bench.put(plain), expected.ptr, plain.length);
    expectSameBits(actual, expected.f32());
  });

  it("gives a tail of channels the bits of the vector body", () => {
    const wide = conv2d(2, 6, 4, 3, 4, { groups: 4, pad: "same" });
    const { x, w, b, dy } = operands(wide, 6);
    for (const count of [1, 2, 3]) {
      const narrow = { ...wide, f: count, groups: count, g: { ...wide.g, c: count } };
      const keep = (values: Float32Array): Float32Array => values.filter((_, i) => i % 4 < count);
      const [thinX, thinW, thinDy] = [keep(x), keep(w), keep(dy)];
      expectSameBits(
        depthwiseForward(narrow, thinX, thinW, { b: keep(b) }),
        keep(depthwiseForward(wide, x, w, { b })),
      );
      expectSameBits(
        depthwiseFilterGradient(narrow, thinX, thinDy),
        keep(depthwiseFilterGradient(wide, x, dy)),
      );
      expectSameBits(
        depthwiseInputGradient(narrow, thinDy, thinW),
        keep(depthwiseInputGradient(wide, dy, w)),
      );
    }
  });

  it.each([
    ["3×3", 3, 1],
    ["3×3 at stride 2", 3, 2],
    ["5×5", 5, 1],
    ["5×5 at stride 2", 5, 2],
  ])("gives each of 36 channels the bits that it has among four, with %s", (_name, kernel, stride) => {
    const wide = conv2d(1, 11, 36, kernel, 36, { groups: 36, ...strides(stride), pad: "same" });
    const { x, w, b } = operands(wide, 9);
    const y = depthwiseForward(wide, x, w, { b });
    for (let first = 0; first < 36; first += 4) {
      const keep = (values: Float32Array): Float32Array =>
        values.filter((_, i) => Math.floor((i % 36) / 4) * 4 === first);
      const narrow = { ...wide, f: 4, groups: 4, g: { ...wide.g, c: 4 } };
      expectSameBits(depthwiseForward(narrow, keep(x), keep(w), { b: keep(b) }), keep(y));
    }
  });

  it("gives an image of a batch of three the bits that it has alone", () => {
    const conv = conv2d(3, 6, 6, 3, 6, { groups: 6, pad: "same" });
    const one = { ...conv, n: 1 };
    const { x, w, b, dy } = operands(conv, 8);
    const size = sizesOf(one);
    const y = depthwiseForward(conv, x, w, { b });
    const dx = depthwiseInputGradient(conv, dy, w);
    expect(size.x).toBe(size.y);
    for (let i = 0; i < 3; i++) {
      const image = (values: Float32Array): Float32Array => values.slice(i * size.x, (i + 1) * size.x);
      expectSameBits(depthwiseForward(one, image(x), w, { b }), image(y));
      expectSameBits(depthwiseInputGradient(one, image(dy), w), image(dx));
    }
  });
});
