import fc from "fast-check";
import { describe, expect, it } from "vitest";
import * as oracle from "../oracles/conv2d.ts";
import type { Convolution } from "../oracles/conv2d.ts";
import type { Sums } from "../oracles/gemm.ts";
import { anyConv2d, runFilterGradient, runForward, runInputGradient } from "../support/conv2d.ts";
import { conv2d, operands, strides } from "../support/convolution.ts";
import { numericalGradient } from "../support/differences.ts";
import { expectWithin, gamma, U } from "../support/float.ts";
import { random } from "../support/random.ts";
import { guarded, openKernels } from "../support/wasm.ts";

const bench = openKernels();
const { kernels } = bench;

const limits = { n: 3, size: 12, c: 9, f: 17, kernel: 5, dilation: 3, pad: 4 };
const anyCase = fc.record({ conv: anyConv2d(limits), seed: fc.integer() });
const runs = { numRuns: 600, seed: 20260713 };

/** Length of the sum behind one output. */
const reduction = ({ g, groups }: Convolution): number => (g.kh * g.kw * g.c) / groups;
/** Number of output pixels. */
const pixels = ({ g, n }: Convolution): number => n * g.oh * g.ow;

/** γ of `roundings` times the sum of absolute products. */
const bound =
  (roundings: number, { absolute }: Sums) =>
  (i: number): number =>
    gamma(roundings) * (absolute[i] as number);

/** The bound of the col2im route: a patch gradient of fg products, and t patches a pixel. */
function col2imBound(conv: Convolution, { absolute }: Sums): (i: number) => number {
  const patches = oracle.patchesOf(conv.g, conv.n);
  return (i) => gamma(conv.f / conv.groups + (patches[i] as number)) * (absolute[i] as number);
}

/** The bound of the flipped route: one sum over taps and filters. */
const flippedBound = (conv: Convolution, sums: Sums): ((i: number) => number) =>
  bound((conv.g.kh * conv.g.kw * conv.f) / conv.groups, sums);

/** The forward pass and all gradients within their bounds of the oracle. */
function expectAllPasses(conv: Convolution, seed: number): void {
  const { x, w, b, dy } = operands(conv, seed);
  const y = oracle.forward(conv, x, w);
  expectWithin(runForward(bench, conv, x, w), y.sum, bound(reduction(conv), y));
  const biased = oracle.forward(conv, x, w, b);
  expectWithin(runForward(bench, conv, x, w, { b }), biased.sum, bound(reduction(conv) + 1, biased));
  const dw = oracle.filterGradient(conv, x, dy);
  expectWithin(runFilterGradient(bench, conv, x, dy), dw.sum, bound(pixels(conv), dw));
  const dx = oracle.inputGradient(conv, dy, w);
  expectWithin(runInputGradient(bench, "Col2im", conv, dy, w), dx.sum, col2imBound(conv, dx));
  expectWithin(runInputGradient(bench, "Flipped", conv, dy, w), dx.sum, flippedBound(conv, dx));
}

/**
 * Both routes to the input gradient and the filter gradient against finite differences of the oracle's forward pass.
 *
 * `Σ y·dy` is linear in x and in w, so a step of 1 has no truncation error. What rounding is left: reduction + number of
 * outputs + 2 operations a term in float64, terms of at most 2 (operands below 1, one moved by 1).
 */
function expectFiniteDifferences(conv: Convolution, seed: number): void {
  const { x, w, dy } = operands(conv, seed);
  const total = (atX: ArrayLike<number>, atW: ArrayLike<number>): number =>
    oracle.forward(conv, atX, atW).sum.reduce((sum, y, i) => sum + y * (dy[i] as number), 0);
  const operations = reduction(conv) + dy.length + 2;
  const slack = operations * 2 ** -53 * 2 * dy.length * reduction(conv);

  const dx = numericalGradient((at) => total(at, w), x, 1);
  const dxSums = oracle.inputGradient(conv, dy, w);
  const col2im = runInputGradient(bench, "Col2im", conv, dy, w);
  const flipped = runInputGradient(bench, "Flipped", conv, dy, w);
  const [viaCol2im, viaFlipped] = [col2imBound(conv, dxSums), flippedBound(conv, dxSums)];
  expectWithin(col2im, dx, (i) => viaCol2im(i) + slack);
  expectWithin(flipped, dx, (i) => viaFlipped(i) + slack);
  expectWithin(col2im, flipped, (i) => viaCol2im(i) + viaFlipped(i));

  const dw = numericalGradient((at) => total(x, at), w, 1);
  const viaProduct = bound(pixels(conv), oracle.filterGradient(conv, x, dy));
  expectWithin(runFilterGradient(bench, conv, x, dy), dw, (i) => viaProduct(i) + slack);
}

describe("conv2d", () => {
  it("and its gradients by every route are within their bounds of the oracle, for any convolution", () => {
    fc.assert(
      fc.property(anyCase, ({ conv, seed }) => expectAllPasses(conv, seed)),
      runs,
    );
  });

  it("has gradients by col2im and by flipped filters that agree with finite differences, for any convolution", () => {
    const small = { n: 2, size: 6, c: 4, f: 5, kernel: 3, dilation: 2, pad: 4 };
    const anySmall = fc.record({ conv: anyConv2d(small), seed: fc.integer() });
    fc.assert(
      fc.property(anySmall, ({ conv, seed }) => expectFiniteDifferences(conv, seed)),
      { numRuns: 250, seed: 20260714 },
    );
  });

  describe.each([
    ["one pixel and one tap", conv2d(1, 1, 1, 1, 1)],
    [
      "padding larger than the filter",
      conv2d(2, 3, 3, 2, 4, { pad: { top: 4, bottom: 3, left: 2, right: 4 } }),
    ],
    ["padding on one side", conv2d(1, 5, 2, 3, 3, { pad: { top: 0, bottom: 4, left: 3, right: 0 } })],
    ["strides larger than the filter", conv2d(2, 9, 2, 2, 3, strides(3))],
    ["rows and columns that no window reaches", conv2d(1, 8, 3, 3, 2, { ...strides(3) })],
    ["different strides", conv2d(1, 7, 3, 3, 5, { strideH: 1, strideW: 3, pad: "same" })],
    ["dilation 3 with same padding", conv2d(1, 8, 2, 3, 3, { dilationH: 3, dilationW: 3, pad: "same" })],
    [
      "a dilated filter wider than the image",
      conv2d(1, 3, 2, 3, 2, { dilationH: 3, dilationW: 3, pad: "same" }),
    ],
    ["a row of pixels", conv2d(2, 1, 3, 1, 4, { w: 12, kw: 5, strideW: 2 })],
    ["a pointwise filter", conv2d(2, 5, 9, 1, 17)],
    ["a pointwise filter with strides", conv2d(2, 5, 9, 1, 17, strides(2))],
    [
      "a pointwise filter with padding",
      conv2d(1, 3, 5, 1, 3, { pad: { top: 1, bottom: 0, left: 0, right: 2 } }),
    ],
    [
      "a pointwise filter with padding below",
      conv2d(2, 3, 5, 1, 3, { pad: { top: 0, bottom: 2, left: 0, right: 0 } }),
    ],
    [
      "a pointwise filter with padding on the right",
      conv2d(2, 3, 5, 1, 3, { pad: { top: 0, bottom: 0, left: 0, right: 1 } }),
    ],
    ["a pointwise filter in groups", conv2d(2, 4, 6, 1, 9, { groups: 3 })],
    ["two groups of odd sizes", conv2d(2, 6, 6, 3, 14, { groups: 2, pad: "same" })],
    ["a group a channel", conv2d(1, 6, 7, 3, 7, { groups: 7, pad: "same" })],
    ["two filters a channel", conv2d(1, 6, 5, 3, 10, { groups: 5, ...strides(2), pad: "same" })],
  ])("with %s", (_name, conv) => {
    it("is within the bounds of the oracle in all passes", () => expectAllPasses(conv, conv.g.h));
    it("has the gradients of finite differences", () => expectFiniteDifferences(conv, conv.g.w));
  });

  it.each([
    ["a reduction of 3 blocks", conv2d(1, 6, 70, 3, 9, { pad: "same" })],
    ["rows of taps longer than a block", conv2d(1, 5, 95, 3, 9, { pad: "same" })],
    ["rows of many strips", conv2d(2, 23, 31, 3, 5)],
    ["pixels of many strips", conv2d(1, 50, 1, 3, 2, { pad: "same" })],
    ["an image row longer than a strip", conv2d(1, 4, 2, 3, 3, { w: 600, ...strides(2), pad: "same" })],
    ["an image row larger than the strips' buffer", conv2d(1, 3, 12, 3, 5, { w: 600, pad: "same" })],
    ["several images in a strip", conv2d(17, 6, 3, 3, 9, { pad: "same" })],
    ["several images in a strip, strides 2", conv2d(17, 9, 3, 3, 9, strides(2))],
    ["filters of 2 blocks", conv2d(2, 7, 5, 3, 300, strides(2))],
    ["a pointwise reduction of 2 blocks", conv2d(1, 12, 300, 1, 20)],
    ["a grouped reduction of 2 blocks", conv2d(1, 5, 64, 3, 20, { groups: 2, pad: "same" })],
  ])("is within the bounds of the oracle in all passes across block and strip borders: %s", (_name, conv) => {
    expectAllPasses(conv, 5);
  });
});

describe("conv2d on one channel, with filters that leave lanes of the register tile empty", () => {
  const filters = [2, 4, 5, 6, 7, 8, 10, 12, 14, 20, 22];
  it.each(filters)("is within the bounds of the oracle for %i filters and rows of any length", (f) => {
    for (let ow = 1; ow <= 18; ow++) {
      const pad = ow % 2 ? "same" : "valid";
      const w = ow % 2 ? ow : ow + 2;
      expectAllPasses(conv2d(2, 4, 1, 3, f, { w, pad, strideH: 1 + (ow % 3) }), ow);
    }
    expectAllPasses(conv2d(1, 4, 3, 3, 3 * f, { groups: 3, w: 13, dilationW: 2, pad: "same" }), f);
  });
});

describe("the 7×7×3 net, 3×3 filters with stride 2 giving 3×3×n", () => {
  it.each([1, 2, 8, 9])("has three equal routes to its gradients for n = %i", (f) => {
    const conv = conv2d(2, 7, 3, 3, f, strides(2));
    expect([conv.g.oh, conv.g.ow]).toEqual([3, 3]);
    expectAllPasses(conv, f);
    expectFiniteDifferences(conv, f);
  });
});

describe("conv2d's activation", () => {
  const wide = conv2d(2, 6, 3, 3, 10, { groups: 1, pad: "same" });
  const ofOneChannel = conv2d(2, 6, 1, 3, 6, { w: 13, pad: "same" });
  const SLOPE = 0.25;
  const sigmoid = (v: number): number => 1 / (1 + Math.exp(-v));
  // The activation's slope carries the error of its argument; its own roundings are bounded in activation.test.ts.
  const kinds: [string, number, (v: number) => number, number][] = [
    ["linear", 0, (v) => v, 0],
    ["relu", 1, (v) => Math.max(v, 0), 0],
    ["leaky relu", 2, (v) => (v < 0 ? SLOPE * v : v), U],
    ["sigmoid", 3, sigmoid, 8 * U],
    ["tanh", 4, Math.tanh, 8 * U],
  ];

  it.each(kinds)("%s is applied to the sum with its bias", (_name, activation, f, relative) => {
    for (const conv of [wide, ofOneChannel]) {
      const { x, w, b } = operands(conv, 3);
      const sums = oracle.forward(conv, x, w, b);
      const error = bound(reduction(conv) + 1, sums);
      const exact = sums.sum.map(f);
      const actual = runForward(bench, conv, x, w, { b, activation, alpha: SLOPE });
      expectWithin(actual, exact, (i) => error(i) + relative * (Math.abs(exact[i] as number) + error(i)));
    }
  });
});

describe("biasGradient", () => {
  it.each([1, 2, 3, 4, 5, 7, 8, 9, 17])("sums the rows of %i columns", (f) => {
    for (const rows of [1, 2, 3, 100]) {
      const dy = random(rows * f).uniform(rows * f);
      bench.reset();
      const db = guarded(bench, f);
      kernels.biasGradient(rows, f, bench.put(dy), db.ptr);
      db.check();
      const column = (j: number): number[] => [...dy].filter((_, i) => i % f === j);
      const sums = Array.from({ length: f }, (_, j) => column(j).reduce((a, b) => a + b, 0));
      const sizes = Array.from({ length: f }, (_, j) => column(j).reduce((a, b) => a + Math.abs(b), 0));
      expectWithin(db.f32(), sums, (j) => gamma(rows) * (sizes[j] as number));
      // In the documented order: ascending.
      const ordered = (j: number): number => column(j).reduce((a, b) => Math.fround(a + b), 0);
      expect([...db.f32()]).toEqual(sums.map((_, j) => ordered(j)));
    }
  });
});

describe("the oracle of conv2d", () => {
  it("convolves a worked example, forward and back", () => {
    const conv = conv2d(1, 3, 1, 2, 1);
    const x = [1, 2, 3, 4, 5, 6, 7, 8, 9];
    const w = [1, 10, 100, 1000];
    expect([...oracle.forward(conv, x, w, [0.5]).sum]).toEqual([5421.5, 6532.5, 8754.5, 9865.5]);
    const dy = [1, 0, 0, 2];
    expect([...oracle.filterGradient(conv, x, dy).sum]).toEqual([1 + 10, 2 + 12, 4 + 16, 5 + 18]);
    expect([...oracle.inputGradient(conv, dy, w).sum]).toEqual([1, 10, 0, 100, 1002, 20, 0, 200, 2000]);
  });

  it("lets each group of filters see its own channels alone", () => {
    const conv = conv2d(1, 1, 4, 1, 2, { groups: 2 });
    // w[cg = 2, f = 2]: filter 0 sees channels 0 and 1, filter 1 sees channels 2 and 3.
    expect([...oracle.forward(conv, [1, 2, 3, 4], [1, 1000, 10, 100]).sum]).toEqual([21, 3400]);
  });
});
