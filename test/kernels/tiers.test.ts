/**
 * Ways that a size opens, with each option that meets it there: sizes are computed from the constants of the sources.
 */
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
import { constant } from "../support/constants.ts";
import { runFilterGradient, runForward, runInputGradient, type Epilogue } from "../support/conv2d.ts";
import { conv2d, operands, type Sliding } from "../support/convolution.ts";
import { expectSameBits, expectWithin, gamma } from "../support/float.ts";
import { random } from "../support/random.ts";
import { guarded, openKernels } from "../support/wasm.ts";
import { putWindow } from "../support/window.ts";

const bench = openKernels();
const { kernels } = bench;

const pixelsOf = ({ g, n }: Convolution): number => n * g.oh * g.ow;

type Options = Partial<Sliding> & { groups?: number };

/** Each option of a convolution by itself, and several at once. */
const OPTIONS: Record<string, Options> = {
  "no option": {},
  strides: { strideH: 2, strideW: 2 },
  "strides along rows": { strideW: 3 },
  "strides along columns": { strideH: 2 },
  dilation: { dilationH: 2, dilationW: 2 },
  "the same size": { pad: "same" },
  "uneven padding": { pad: { top: 0, bottom: 2, left: 1, right: 0 } },
  groups: { groups: 2 },
  "strides, dilation, padding and groups": { strideH: 2, strideW: 2, dilationW: 2, pad: "same", groups: 2 },
};

describe("the filter gradient", () => {
  const GATHER = constant("conv/filterGradient.ts", "GATHER");
  const ROWS = constant("conv/filterGradient.ts", "ROWS");
  const PIXELS = constant("conv/filterGradient.ts", "PIXELS");

  /** Channels and filters of a group. */
  const sizes: [name: string, cg: number, fg: number][] = [
    ["in place, of a channel less than are gathered", GATHER - 1, GATHER],
    ["in place, of a filter less than are gathered", GATHER, GATHER - 1],
    ["gathered", GATHER, GATHER],
    ["gathered, with rows and filters left over", GATHER + 1, GATHER + 3],
  ];

  describe.each(sizes)("%s", (_, cg, fg) => {
    it.each(Object.keys(OPTIONS))("with %s", (name) => {
      const { groups = 1, ...sliding } = OPTIONS[name]!;
      const conv = conv2d(2, 7, cg * groups, 3, fg * groups, { ...sliding, groups, w: 8 });
      // Several blocks of rows, the last one not whole.
      expect((9 * cg) / ROWS).toBeGreaterThan(2);
      const { x, dy } = operands(conv, cg + fg);
      const { sum, absolute } = oracle.filterGradient(conv, x, dy);
      expectWithin(runFilterGradient(bench, conv, x, dy), sum, (i) => gamma(pixelsOf(conv)) * absolute[i]!);
    });
  });

  it.each([1, 2])("gathered in several strips, at strides of %i", (stride) => {
    const size = Math.ceil(Math.sqrt(PIXELS)) * stride;
    const conv = conv2d(3, size, GATHER, 1, GATHER, { strideH: stride, strideW: stride });
    expect(pixelsOf(conv)).toBeGreaterThan(2 * PIXELS);
    const { x, dy } = operands(conv, stride);
    const { sum, absolute } = oracle.filterGradient(conv, x, dy);
    expectWithin(runFilterGradient(bench, conv, x, dy), sum, (i) => gamma(pixelsOf(conv)) * absolute[i]!);
  });
});

describe("the plain product of patches", () => {
  const BLOCK = constant("conv/correlate.ts", "BLOCK");
  const PIXELS = constant("conv/correlate.ts", "PIXELS");
  const COL2IM = constant("conv/conv2d.ts", "BLOCK");

  it.each(Object.keys(OPTIONS))("of several blocks of the sum and several strips, with %s", (name) => {
    const { groups = 1, ...sliding } = OPTIONS[name]!;
    const cg = Math.floor(BLOCK / 9) + 2;
    const side = Math.ceil(Math.sqrt(PIXELS)) * 2 + 5;
    const conv = conv2d(1, side, cg * groups, 3, 2 * groups, { ...sliding, groups });
    expect(9 * cg).toBeGreaterThan(BLOCK);
    const { x, w, dy } = operands(conv, 3);
    const k = 9 * cg;
    const { sum, absolute } = oracle.forward(conv, x, w);
    expectWithin(runForward(bench, conv, x, w), sum, (i) => gamma(k + 1) * absolute[i]!);
    // The input gradient's blocks of pixels: as many as fit its room.
    expect(pixelsOf(conv)).toBeGreaterThan(2 * (COL2IM / k));
    const dx = oracle.inputGradient(conv, dy, w);
    for (const route of ["Col2im", "Flipped"] as const) {
      expectWithin(runInputGradient(bench, route, conv, dy, w), dx.sum, (i) => gamma(20) * dx.absolute[i]!);
    }
  });
});

describe("winograd's algorithm", () => {
  const STRIP = constant("conv/winograd/tiles.ts", "STRIP");
  const [FEWEST, MOST] = [
    constant("conv/winograd/tiles.ts", "FEWEST"),
    constant("conv/winograd/tiles.ts", "MOST_TILES"),
  ];
  const [MR, POINTS] = [constant("gemm/micro.ts", "MR"), constant("conv/winograd/transform.ts", "POINTS")];
  const LARGE = constant("conv/winograd/gradient.ts", "LARGE");
  const BLOCK = constant("conv/winograd/gradient.ts", "BLOCK");
  const up = (n: number, unit: number): number => Math.ceil(n / unit) * unit;
  /** The tiles of a strip, by the formula of `stripTiles`. */
  const strip = (c: number, f: number): number => {
    const fit = Math.floor(Math.floor(STRIP / (POINTS * (up(c, 4) + up(f, 8)))) / MR) * MR;
    return Math.min(MOST, Math.max(FEWEST, fit));
  };
  /** Channels and filters alike, for which a strip has neither the fewest nor the most tiles. */
  const MIDDLE = up(Math.ceil(STRIP / POINTS / (MOST - MR) / 2), 8);

  function winograd(conv: Convolution): void {
    const { g, n, f } = conv;
    const { x, w, dy } = operands(conv, 5);
    const bound =
      (terms: number, size: Float64Array) =>
      (i: number): number =>
        gamma(terms + TRANSFORM_ROUNDINGS) * size[i]!;
    bench.reset();
    const window = putWindow(bench, g);
    const y = guarded(bench, pixelsOf(conv) * f);
    const packed = guarded(bench, kernels.winogradPackedFilters(g.c, f));
    const space = guarded(bench, kernels.winogradForwardWorkspace(g.c, f));
    kernels.winogradPackFilters(g.c, f, bench.put(w), packed.ptr);
    kernels.winogradForward(window, n, f, bench.put(x), packed.ptr, 0, y.ptr, 0, 0, space.ptr);
    for (const room of [y, packed, space]) room.check();
    expectWithin(y.f32(), oracle.forward(conv, x, w).sum, bound(g.c, forwardMagnitude(conv, x, w)));
    bench.reset();
    const again = putWindow(bench, g);
    const dx = guarded(bench, x.length);
    const rotated = guarded(bench, kernels.winogradPackedFilters(f, g.c));
    const room = guarded(bench, kernels.winogradBackpropInputWorkspace(g.c, f));
    kernels.winogradPackRotatedFilters(g.c, f, bench.put(w), rotated.ptr);
    kernels.winogradBackpropInput(again, n, f, bench.put(dy), rotated.ptr, dx.ptr, room.ptr);
    for (const each of [dx, rotated, room]) each.check();
    expectWithin(dx.f32(), oracle.inputGradient(conv, dy, w).sum, bound(f, inputMagnitude(conv, dy, w)));
    winogradFilter(conv, x, dy);
  }

  function winogradFilter(conv: Convolution, x: Float32Array, dy: Float32Array): void {
    const { g, n, f } = conv;
    bench.reset();
    const window = putWindow(bench, g);
    const dw = guarded(bench, 9 * g.c * f);
    const space = guarded(bench, kernels.winogradBackpropFilterWorkspace(g.c, f));
    kernels.winogradBackpropFilter(window, n, f, bench.put(x), bench.put(dy), dw.ptr, space.ptr);
    for (const room of [dw, space]) room.check();
    const size = filterMagnitude(conv, x, dy);
    const bound = gamma(tilesOf(conv) + TRANSFORM_ROUNDINGS);
    expectWithin(dw.f32(), oracle.filterGradient(conv, x, dy).sum, (i) => bound * size[i]!);
  }

  /** Images of two tiles, one below the other, which are more than two strips of `tiles` tiles. */
  const images = (tiles: number, c: number, f: number): Convolution =>
    conv2d(tiles + 1, 6, c, 3, f, { w: 4, pad: "same" });

  it.each([
    ["the most tiles a strip", 3, 5, MOST],
    ["fewer tiles a strip", MIDDLE, MIDDLE, strip(MIDDLE, MIDDLE)],
  ])("of several strips in all passes: %s", (_, c, f, tiles) => {
    expect(strip(c, f)).toBe(tiles);
    expect(c * f).toBeLessThanOrEqual(LARGE);
    const conv = images(tiles, c, f);
    expect(tilesOf(conv)).toBeGreaterThan(2 * tiles);
    winograd(conv);
  });

  it("of several strips has filter gradients of more sums than an L2 holds, in several blocks", () => {
    const c = Math.floor(Math.sqrt(LARGE)) + 1;
    const conv = images(MOST, c, c);
    expect(c * c).toBeGreaterThan(LARGE);
    expect(POINTS * c * up(c, 8)).toBeGreaterThan(2 * BLOCK);
    expect(tilesOf(conv)).toBeGreaterThan(2 * MOST);
    const { x, dy } = operands(conv, 6);
    winogradFilter(conv, x, dy);
  });

  it("of several blocks of the sum over channels, and over filters in the input gradient", () => {
    const length = constant("conv/winograd/products.ts", "BLOCK") + 3;
    winograd(conv2d(1, 5, length, 3, 2, { pad: "same" }));
    winograd(conv2d(1, 5, 2, 3, length, { pad: "same" }));
  });

  it("of the fewest tiles a strip, in the forward pass", () => {
    const c = Math.ceil(STRIP / POINTS / FEWEST);
    expect(strip(c, 1)).toBe(FEWEST);
    const conv = images(FEWEST, c, 1);
    const { x, w } = operands(conv, 7);
    bench.reset();
    const window = putWindow(bench, conv.g);
    const y = guarded(bench, pixelsOf(conv));
    const packed = bench.alloc(kernels.winogradPackedFilters(c, 1));
    const space = guarded(bench, kernels.winogradForwardWorkspace(c, 1));
    kernels.winogradPackFilters(c, 1, bench.put(w), packed);
    kernels.winogradForward(window, conv.n, 1, bench.put(x), packed, 0, y.ptr, 0, 0, space.ptr);
    y.check();
    space.check();
    const size = forwardMagnitude(conv, x, w);
    expectWithin(y.f32(), oracle.forward(conv, x, w).sum, (i) => gamma(c + TRANSFORM_ROUNDINGS) * size[i]!);
  });
});

describe("gemm", () => {
  const COLUMNS = constant("gemm/gemv.ts", "COLUMNS");
  const KC = constant("gemm/block.ts", "KC");
  const MC = constant("gemm/gemm.ts", "MC");
  const PACK_ROWS = constant("gemm/gemm.ts", "PACK_ROWS");

  it.each([
    ["one row, columns of several blocks", 1, COLUMNS + 9, 7],
    ["rows for which B is read in place, several blocks of the sum", PACK_ROWS, 11, KC + 3],
    ["rows for which B is packed, several blocks of the sum", PACK_ROWS + 1, 11, KC + 3],
    ["several blocks of rows and of the sum", MC + 6, 9, 2 * KC + 1],
  ])("of %s, transposed or not, with a start, a bias and an activation", (_, m, n, k) => {
    const data = random(m);
    const [a, b, bias, start] = [
      data.uniform(m * k),
      data.uniform(k * n),
      data.uniform(n),
      data.uniform(m * n),
    ];
    for (const transposeA of [false, true]) {
      for (const transposeB of [false, true]) {
        const [lda, ldb] = [transposeA ? m : k, transposeB ? k : n];
        const run = (asIs: boolean, activation: number): Float32Array => {
          bench.reset();
          const c = guarded(bench, m * n);
          new Float32Array(bench.memory.buffer, c.ptr, m * n).set(start);
          const space = guarded(bench, kernels.gemmWorkspace(n, k));
          const [pa, pb, pBias] = [bench.put(a), bench.put(b), bench.put(bias)];
          // prettier-ignore
          kernels.gemm(transposeA, transposeB, m, n, k, pa, lda, pb, ldb, c.ptr, n, pBias, activation, 0, true, space.ptr, asIs);
          c.check();
          space.check();
          return c.f32();
        };
        const sums = run(true, 0);
        const exact = Float64Array.from({ length: m * n }, (__, at) => {
          const [i, j] = [Math.floor(at / n), at % n];
          let sum = start[at]! + bias[j]!;
          for (let q = 0; q < k; q++)
            sum += a[transposeA ? q * m + i : i * k + q]! * b[transposeB ? j * k + q : q * n + j]!;
          return sum;
        });
        expectWithin(sums, exact, () => gamma(k + 2) * (k + 2));
        expectSameBits(run(false, 0), sums);
        expectSameBits(run(true, 6), activated(6, sums));
      }
    }
  });
});

it("a sum with an activation is in several blocks what it is in one", () => {
  const n = 2 * constant("elementwise/binary.ts", "BLOCK") + 5;
  const data = random(n);
  const [a, b] = [data.uniform(n, -9, 9), data.uniform(n, -9, 9)];
  for (const code of [1, 2, 4, 6, 12]) {
    bench.reset();
    const y = guarded(bench, n);
    kernels.addActivated(code, 0.125, bench.put(a), bench.put(b), y.ptr, n);
    y.check();
    const found = y.f32();
    expectSameBits(
      found,
      activated(
        code,
        a.map((v, i) => v + b[i]!),
      ),
    );
  }
});

/** An activation of its own, by the kernel for it. */
function activated(code: number, values: Float32Array): Float32Array {
  bench.reset();
  const y = bench.put(values);
  kernels.activationForward(code, 0.125, y, y, values.length);
  return bench.f32(y, values.length);
}

describe("an activation as part of a kernel has the bits of one behind it", () => {
  const depthwise = (conv: Convolution, x: Float32Array, w: Float32Array, more: Epilogue): Float32Array => {
    bench.reset();
    const y = guarded(bench, pixelsOf(conv) * conv.f);
    const space = guarded(bench, kernels.depthwiseConv2dWorkspace());
    const [px, pw, pb] = [bench.put(x), bench.put(w), bench.put(more.b!)];
    const { activation = 0, alpha = 0 } = more;
    kernels.depthwiseConv2dForward(
      putWindow(bench, conv.g),
      conv.n,
      px,
      pw,
      pb,
      y.ptr,
      activation,
      alpha,
      space.ptr,
    );
    y.check();
    return y.f32();
  };
  const winograd = (conv: Convolution, x: Float32Array, w: Float32Array, more: Epilogue): Float32Array => {
    const { g, n, f } = conv;
    bench.reset();
    const y = guarded(bench, pixelsOf(conv) * f);
    const packed = bench.alloc(kernels.winogradPackedFilters(g.c, f));
    const space = bench.alloc(kernels.winogradForwardWorkspace(g.c, f));
    kernels.winogradPackFilters(g.c, f, bench.put(w), packed);
    const [px, pb] = [bench.put(x), bench.put(more.b!)];
    const { activation = 0, alpha = 0 } = more;
    kernels.winogradForward(putWindow(bench, g), n, f, px, packed, pb, y.ptr, activation, alpha, space);
    y.check();
    return y.f32();
  };
  const product = (conv: Convolution, x: Float32Array, w: Float32Array, more: Epilogue): Float32Array =>
    runForward(bench, conv, x, w, more);

  const LANES = constant("lib/simd.ts", "LANES");
  const NR = constant("gemm/micro.ts", "NR");
  const of = (c: number): Convolution => conv2d(2, 9, c, 3, c, { groups: c, pad: "same" });
  const cases: [name: string, conv: Convolution, run: typeof product][] = [
    ["whole panels", conv2d(1, 6, 5, 3, 2 * NR), product],
    ["a narrow panel alone", conv2d(1, 6, 5, 3, NR - 1), product],
    ["whole and narrow panels in groups", conv2d(1, 6, 6, 3, 2 * (NR + 3), { groups: 2 }), product],
    ...[4, 6, NR + 4, NR + 6].map((f): [string, Convolution, typeof product] => [
      `one channel and ${f} filters, by vectors of pixels`,
      conv2d(1, 9, 1, 3, f),
      product,
    ]),
    ["one channel and too few columns for vectors", conv2d(1, LANES + 1, 1, 3, 6), product],
    ["winograd's tiles", conv2d(1, 9, 5, 3, 11, { pad: "same" }), winograd],
    ...[1, LANES - 2, LANES - 1, LANES, LANES + 1, 2 * LANES, 4 * LANES + 1].map(
      (c): [string, Convolution, typeof product] => [`depthwise of ${c} channels`, of(c), depthwise],
    ),
    [
      "depthwise with strides, of few channels",
      conv2d(1, 9, LANES - 1, 3, LANES - 1, { groups: LANES - 1, strideH: 2, strideW: 2 }),
      depthwise,
    ],
    [
      "depthwise of five taps across",
      conv2d(1, 12, 2 * LANES, 5, 2 * LANES, { groups: 2 * LANES, pad: "same" }),
      depthwise,
    ],
    [
      "depthwise with dilation",
      conv2d(1, 12, 2 * LANES, 3, 2 * LANES, { groups: 2 * LANES, dilationH: 2, dilationW: 2, pad: "same" }),
      depthwise,
    ],
  ];

  it.each(cases)("%s", (_, conv, run) => {
    const { x, w, b } = operands(conv, 11);
    // Sums beyond 6 on either side.
    const large = w.map((v) => v * 8);
    const sums = run(conv, x, large, { b });
    expect(sums.some((v) => v > 6)).toBe(true);
    expect(sums.some((v) => v < -6)).toBe(true);
    for (let code = 1; code <= 15; code++) {
      if (code === 5) continue;
      expectSameBits(run(conv, x, large, { b, activation: code, alpha: 0.125 }), activated(code, sums));
    }
  });
});
