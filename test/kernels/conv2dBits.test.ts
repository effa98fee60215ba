/** Bits that must not depend on blocks, batch or groups, and the implicit unfolding against the explicit one. */
import { describe, it } from "vitest";
import { sizesOf, type Convolution } from "../oracles/conv2d.ts";
import { runFilterGradient, runForward, runInputGradient, type Route } from "../support/conv2d.ts";
import { conv2d, operands, strides } from "../support/convolution.ts";
import { expectSameBits } from "../support/float.ts";
import { guarded, openKernels } from "../support/wasm.ts";
import { putWindow } from "../support/window.ts";

const bench = openKernels();
const { kernels } = bench;

/** Rows and columns of the matrix of patches. */
function matrixOf({ g, n }: Convolution): { m: number; k: number } {
  return { m: n * g.oh * g.ow, k: g.kh * g.kw * g.c };
}

/** Room for `size` floats, and the workspace of a product. */
const room = (size: number): number => guarded(bench, size).ptr;
const workspace = (n: number, k: number): number => bench.alloc(kernels.gemmWorkspace(n, k));

/** Unfolds `x` whole and returns the matrix's address. */
function unfold(conv: Convolution, x: Float32Array): number {
  const { m, k } = matrixOf(conv);
  const rows = room(m * k);
  kernels.im2row(putWindow(bench, conv.g), conv.n, bench.put(x), rows);
  return rows;
}

/** `act(im2row(x)·w + b)` through the whole matrix. */
function explicitForward(
  conv: Convolution,
  x: Float32Array,
  w: Float32Array,
  b: Float32Array,
  activation: number,
): Float32Array {
  bench.reset();
  const { f } = conv;
  const { m, k } = matrixOf(conv);
  const r = unfold(conv, x);
  const [pw, pb, y, space] = [bench.put(w), bench.put(b), room(m * f), workspace(f, k)];
  kernels.gemm(false, false, m, f, k, r, k, pw, f, y, f, pb, activation, 0.125, false, space);
  return bench.f32(y, m * f);
}

/** `im2row(x)ᵀ·dy` through the whole matrix. */
function explicitFilterGradient(conv: Convolution, x: Float32Array, dy: Float32Array): Float32Array {
  bench.reset();
  const { f } = conv;
  const { m, k } = matrixOf(conv);
  const r = unfold(conv, x);
  const [pdy, dw, space] = [bench.put(dy), room(k * f), workspace(f, m)];
  kernels.gemm(true, false, k, f, m, r, k, pdy, f, dw, f, 0, 0, 0, false, space);
  return bench.f32(dw, k * f);
}

/** `col2im(dy·wᵀ)` through the whole matrix. */
function explicitInputGradient(conv: Convolution, dy: Float32Array, w: Float32Array): Float32Array {
  bench.reset();
  const { g, n, f } = conv;
  const { m, k } = matrixOf(conv);
  const [pdy, pw, dr, space] = [bench.put(dy), bench.put(w), room(m * k), workspace(k, f)];
  kernels.gemm(false, true, m, k, f, pdy, f, pw, f, dr, k, 0, 0, 0, false, space);
  const dx = room(sizesOf(conv).x);
  kernels.col2im(putWindow(bench, g), n, dr, dx);
  return bench.f32(dx, sizesOf(conv).x);
}

/** `dy` with stride − 1 zeros between its pixels. */
function spread({ g, n, f }: Convolution, dy: Float32Array): Float32Array {
  const [h, w] = [(g.oh - 1) * g.strideH + 1, (g.ow - 1) * g.strideW + 1];
  const wide = new Float32Array(n * h * w * f);
  for (let i = 0; i < n * g.oh * g.ow; i++) {
    const [image, oy, ox] = [Math.floor(i / (g.oh * g.ow)), Math.floor(i / g.ow) % g.oh, i % g.ow];
    const to = (image * h + oy * g.strideH) * w + ox * g.strideW;
    wide.set(dy.subarray(i * f, (i + 1) * f), to * f);
  }
  return wide;
}

/** `w[kh, kw, c, f]` rotated by 180°, channels and filters swapped: `[kh, kw, f, c]`. */
function rotated({ g, f }: Convolution, w: Float32Array): Float32Array {
  const taps = g.kh * g.kw;
  return w.map((_, i) => {
    const [tap, o, ch] = [Math.floor(i / (f * g.c)), Math.floor(i / g.c) % f, i % g.c];
    return w[((taps - 1 - tap) * g.c + ch) * f + o] as number;
  });
}

/** The stride-1 correlation of the spread `dy` with the rotated filters, through its whole matrix of patches. */
function explicitFlipped(conv: Convolution, dy: Float32Array, w: Float32Array): Float32Array {
  const { g, n, f } = conv;
  const back: Convolution = {
    n,
    f: g.c,
    groups: 1,
    g: {
      ...g,
      ...strides(1),
      h: (g.oh - 1) * g.strideH + 1,
      w: (g.ow - 1) * g.strideW + 1,
      c: f,
      oh: g.h,
      ow: g.w,
      top: (g.kh - 1) * g.dilationH - g.top,
      left: (g.kw - 1) * g.dilationW - g.left,
    },
  };
  return explicitForward(back, spread(conv, dy), rotated(conv, w), new Float32Array(g.c), 0);
}

/** Each at stride 1 and 2: convolutions whose reductions, pixels, rows or filters straddle every block and strip. */
const cases = [1, 2].flatMap((stride): [string, Convolution][] => {
  const by = strides(stride);
  const same = { ...by, pad: "same" } as const;
  const wide = { top: 4, bottom: 1, left: 3, right: 4 };
  return [
    ["7×7×3 with 3×3 filters", conv2d(2, 7, 3, 3, 8, by)],
    ["odd sizes", conv2d(3, 11, 5, 3, 7, same)],
    ["dilated", conv2d(2, 13, 3, 3, 9, { ...by, dilationH: 2, dilationW: 3 })],
    ["padding larger than the filter", conv2d(1, 5, 4, 2, 17, { ...by, pad: wide })],
    ["a reduction of 2 blocks", conv2d(1, 14, 61, 3, 12, same)],
    ["a reduction of 3 blocks", conv2d(2, 10, 117, 3, 20, by)],
    ["rows of taps as long as a block", conv2d(1, 7, 256, 2, 9, same)],
    ["rows of taps longer than a block", conv2d(1, 7, 179, 3, 9, same)],
    ["rows of taps longer than two blocks", conv2d(1, 7, 350, 3, 6, by)],
    ["dilated taps longer than a block", conv2d(1, 8, 518, 2, 6, { ...same, dilationH: 2, dilationW: 2 })],
    ["many pixels", conv2d(2, 47, 2, 3, 5, same)],
    ["many pixels without padding", conv2d(2, 47, 2, 3, 5, by)],
    ["an image row longer than a strip", conv2d(2, 3, 2, 3, 9, { ...same, w: 1100 })],
    ["an image row longer than a strip, without padding", conv2d(2, 4, 2, 3, 9, { ...by, w: 1100 })],
    ["an image row larger than the strips' buffer", conv2d(1, 4, 17, 3, 5, { ...same, w: 700 })],
    ["several images in a strip", conv2d(17, 6, 3, 3, 9, same)],
    ["several images in a strip, without padding", conv2d(17, 7, 3, 3, 9, by)],
    ["few images of many channels in a strip", conv2d(5, 6, 70, 3, 4, same)],
    ["filters of 2 blocks", conv2d(1, 12, 4, 3, 270, same)],
    ["pointwise filters", conv2d(2, 18, 527, 1, 13, by)],
  ].map(([name, conv]) => [`${name as string}, stride ${stride}`, conv as Convolution]);
});

describe.each(cases)("implicit unfolding gives the bits of the explicit product: %s", (_name, conv) => {
  const { x, w, b, dy } = operands(conv, 11);

  it.each([
    ["linear", 0],
    ["relu", 1],
    ["leaky relu", 2],
    ["sigmoid", 3],
    ["tanh", 4],
    ["relu6", 6],
    ["silu", 11],
  ])("forward, %s", (_kind, activation) => {
    const implicit = runForward(bench, conv, x, w, { b, activation, alpha: 0.125 });
    expectSameBits(implicit, explicitForward(conv, x, w, b, activation));
  });

  it("filter gradient", () => {
    expectSameBits(runFilterGradient(bench, conv, x, dy), explicitFilterGradient(conv, x, dy));
  });

  it("input gradient by col2im", () => {
    expectSameBits(runInputGradient(bench, "Col2im", conv, dy, w), explicitInputGradient(conv, dy, w));
  });

  it("input gradient by flipped filters", () => {
    expectSameBits(runInputGradient(bench, "Flipped", conv, dy, w), explicitFlipped(conv, dy, w));
  });
});

describe.each([
  ["plain", conv2d(3, 9, 5, 3, 7, { pad: "same" })],
  ["strided and dilated", conv2d(3, 10, 3, 3, 9, { ...strides(2), dilationH: 2, dilationW: 2, pad: "same" })],
  ["pointwise", conv2d(3, 9, 11, 1, 6)],
  ["grouped", conv2d(3, 8, 6, 3, 10, { groups: 2, pad: "same" })],
  ["images of more pixels than a strip", conv2d(3, 27, 9, 3, 5, { pad: "same" })],
  ["images that share a strip", conv2d(3, 5, 4, 3, 5, { pad: "same" })],
])("an image of a batch of three has the bits that it has alone: %s", (_name, conv) => {
  const { x, w, b, dy } = operands(conv, 12);
  const one = { ...conv, n: 1 };
  const size = sizesOf(one);
  const image = (values: Float32Array, i: number, length: number): Float32Array =>
    values.slice(i * length, (i + 1) * length);

  it("forward", () => {
    const all = runForward(bench, conv, x, w, { b });
    for (let i = 0; i < 3; i++) {
      expectSameBits(runForward(bench, one, image(x, i, size.x), w, { b }), image(all, i, size.y));
    }
  });

  it.each<Route>(["Col2im", "Flipped"])("input gradient by %s", (route) => {
    const all = runInputGradient(bench, route, conv, dy, w);
    for (let i = 0; i < 3; i++) {
      const alone = runInputGradient(bench, route, one, image(dy, i, size.y), w);
      expectSameBits(alone, image(all, i, size.x));
    }
  });
});

describe.each([
  ["three groups", conv2d(2, 8, 9, 3, 12, { groups: 3, pad: "same" })],
  ["two groups, strides 2", conv2d(2, 9, 4, 3, 18, { groups: 2, ...strides(2) })],
  ["pointwise groups", conv2d(2, 5, 6, 1, 10, { groups: 2 })],
  ["a group a channel", conv2d(2, 7, 5, 3, 5, { groups: 5, pad: "same" })],
])("a group has the bits that it has as a convolution of its own: %s", (_name, conv) => {
  const { groups, f } = conv;
  const cg = conv.g.c / groups;
  const fg = f / groups;
  const { x, w, b, dy } = operands(conv, 13);
  const single: Convolution = { n: conv.n, f: fg, groups: 1, g: { ...conv.g, c: cg } };
  /** The columns of group `i` of rows of `total`. */
  const part = (values: Float32Array, i: number, total: number): Float32Array =>
    values.filter((_, j) => Math.floor((j % total) / (total / groups)) === i);

  it("in every pass", () => {
    const y = runForward(bench, conv, x, w, { b });
    const dw = runFilterGradient(bench, conv, x, dy);
    const col2im = runInputGradient(bench, "Col2im", conv, dy, w);
    const flipped = runInputGradient(bench, "Flipped", conv, dy, w);
    for (let i = 0; i < groups; i++) {
      const [xi, wi, bi, dyi] = [part(x, i, conv.g.c), part(w, i, f), part(b, i, f), part(dy, i, f)];
      expectSameBits(runForward(bench, single, xi, wi, { b: bi }), part(y, i, f));
      expectSameBits(runFilterGradient(bench, single, xi, dyi), part(dw, i, f));
      expectSameBits(runInputGradient(bench, "Col2im", single, dyi, wi), part(col2im, i, conv.g.c));
      expectSameBits(runInputGradient(bench, "Flipped", single, dyi, wi), part(flipped, i, conv.g.c));
    }
  });
});
