/** Convolutions and their gradients, unfolding and folding, against the float64 oracle and against each other. */
import { tensor, type Engine } from "im2row";
import * as oracle from "../oracles/conv2d.ts";
import {
  filterMagnitude,
  forwardMagnitude,
  inputMagnitude,
  tilesOf,
  TRANSFORM_ROUNDINGS,
} from "../oracles/winograd.ts";
import { gamma } from "../support/float.ts";
import type { Case } from "./case.ts";
import { close, same, sameBits } from "./expect.ts";
import { inputRoundings, pixels, reduction, sized, tensorsOf, type Sized, type Tensors } from "./sized.ts";

function expectForward(engine: Engine, { conv, options }: Sized, tensors: Tensors): void {
  const { x, filter, bias, dy } = tensors;
  const given = { ...options, algorithm: "im2row" } as const;
  for (const b of [undefined, bias]) {
    const y = engine.conv2d(x, filter, b ? { ...given, bias: b } : given);
    const { sum, absolute } = oracle.forward(conv, x.data, filter.data, b?.data);
    const roundings = reduction(conv) + (b ? 1 : 0);
    same("conv2d: shape", y.shape, dy.shape);
    close(b ? "conv2d with bias" : "conv2d", y.data, sum, (i) => gamma(roundings) * absolute[i]!);
  }
}

function expectFilterGradient(engine: Engine, { conv, options }: Sized, { x, filter, dy }: Tensors): void {
  const dw = engine.conv2dBackpropFilter(x, dy, filter.shape, { ...options, algorithm: "im2row" });
  const { sum, absolute } = oracle.filterGradient(conv, x.data, dy.data);
  same("conv2dBackpropFilter: shape", dw.shape, filter.shape);
  close("conv2dBackpropFilter", dw.data, sum, (i) => gamma(pixels(conv)) * absolute[i]!);
}

function expectInputGradient(engine: Engine, { conv, options }: Sized, { x, filter, dy }: Tensors): void {
  const { sum, absolute } = oracle.inputGradient(conv, dy.data, filter.data);
  const { col2im, flipped } = inputRoundings(conv);
  const routes = { col2im, im2row: col2im, flipped };
  for (const [algorithm, roundings] of Object.entries(routes)) {
    const given = { ...options, algorithm: algorithm as keyof typeof routes };
    const dx = engine.conv2dBackpropInput(dy, filter, x.shape, given);
    same("conv2dBackpropInput: shape", dx.shape, x.shape);
    const bound = (i: number): number => gamma(roundings(i)) * absolute[i]!;
    close(`conv2dBackpropInput by ${algorithm}`, dx.data, sum, bound);
  }
}

/** The forward pass and all gradients within their bounds of the oracle. */
function expectAllPasses(engine: Engine, given: Sized, seed = 1): void {
  const tensors = tensorsOf(given.conv, seed);
  expectForward(engine, given, tensors);
  expectFilterGradient(engine, given, tensors);
  expectInputGradient(engine, given, tensors);
}

const OPTIONS: Record<string, Sized> = {
  "no options": sized([1, 7, 7, 3], [3, 3, 8]),
  strides: sized([2, 7, 7, 3], [3, 3, 5], { strides: 2 }),
  "strides as a pair": sized([2, 7, 8, 3], [3, 2, 5], { strides: [1, 3] }),
  "strides larger than the filter": sized([2, 9, 8, 2], [2, 2, 3], { strides: 3 }),
  "same padding": sized([2, 6, 5, 3], [3, 3, 4], { padding: "same" }),
  "same padding of an even filter with strides": sized([1, 7, 6, 2], [4, 2, 4], {
    padding: "same",
    strides: 2,
  }),
  "valid padding": sized([1, 5, 6, 2], [2, 3, 4], { padding: "valid" }),
  "explicit padding": sized([1, 5, 4, 2], [3, 2, 4], {
    padding: [
      [0, 3],
      [2, 1],
    ],
  }),
  "padding larger than the filter": sized([2, 3, 3, 3], [2, 2, 4], {
    padding: [
      [4, 3],
      [2, 4],
    ],
  }),
  dilation: sized([1, 9, 8, 2], [3, 3, 4], { dilationRate: 2 }),
  "dilation as a pair": sized([1, 9, 8, 2], [3, 3, 4], { dilationRate: [3, 1], padding: "same" }),
  "a dilated filter wider than the image": sized([1, 3, 3, 2], [3, 3, 2], {
    dilationRate: 3,
    padding: "same",
  }),
  groups: sized([2, 6, 6, 4], [3, 3, 6], { groups: 2 }),
  "groups of odd sizes": sized([2, 6, 6, 6], [3, 3, 14], { groups: 2, padding: "same" }),
  "a group a channel": sized([2, 6, 6, 5], [3, 3, 5], { groups: 5, padding: "same", strides: 2 }),
  "two filters a channel": sized([1, 6, 5, 5], [3, 3, 10], { groups: 5, padding: "same" }),
  "a pointwise filter": sized([2, 4, 4, 9], [1, 1, 7]),
  "a pointwise filter with strides": sized([2, 5, 5, 9], [1, 1, 17], { strides: 2 }),
  "a row of pixels": sized([2, 1, 12, 3], [1, 5, 4], { strides: [1, 2] }),
  "one pixel and one tap": sized([1, 1, 1, 1], [1, 1, 1]),
};

/** Beyond the blocks of a reduction (256), of pixels (60, 512), and of filters. */
const BLOCKS: Record<string, Sized> = {
  "a reduction of 3 blocks": sized([1, 6, 6, 70], [3, 3, 9], { padding: "same" }),
  "a pointwise reduction of 2 blocks": sized([1, 8, 8, 300], [1, 1, 9]),
  "pixels of several strips": sized([1, 30, 30, 1], [3, 3, 2], { padding: "same" }),
  "several images in a strip": sized([17, 6, 6, 3], [3, 3, 9], { padding: "same" }),
  "several images in a strip, with strides": sized([17, 9, 9, 3], [3, 3, 9], { strides: 2 }),
  "filters of 2 blocks": sized([2, 5, 5, 5], [3, 3, 300], { strides: 2 }),
};

/** 1, t − 1, t, t + 1, 2t + 1 for the 5 rows (pixels) and 8 columns (filters) of the register tile. */
function expectTiles(engine: Engine): void {
  for (const count of [1, 4, 5, 6, 11]) {
    for (const filters of [1, 7, 8, 9, 17]) {
      expectAllPasses(engine, sized([1, 2, count + 1, 3], [2, 2, filters]), count);
    }
  }
}

/** Depthwise convolutions, by their own kernels and as products; sizes straddle the vector of four. */
function expectDepthwise(engine: Engine, algorithm: "depthwise" | "im2row"): void {
  const taps = 6;
  for (let c = 1; c <= 9; c++) {
    const { conv, options } = sized([2, 7, 6, c], [3, 2, c], { groups: c, strides: [1, 2], padding: "same" });
    const { x, filter, bias, dy } = tensorsOf(conv, c);
    const given = { ...options, algorithm };
    const y = engine.conv2d(x, filter, { ...given, bias });
    const forward = oracle.forward(conv, x.data, filter.data, bias.data);
    close("conv2d", y.data, forward.sum, (i) => gamma(taps + 1) * forward.absolute[i]!);
    const dw = engine.conv2dBackpropFilter(x, dy, filter.shape, given);
    const byFilter = oracle.filterGradient(conv, x.data, dy.data);
    close("conv2dBackpropFilter", dw.data, byFilter.sum, (i) => gamma(pixels(conv)) * byFilter.absolute[i]!);
    const dx = engine.conv2dBackpropInput(dy, filter, x.shape, given);
    const byInput = oracle.inputGradient(conv, dy.data, filter.data);
    // A product of one filter, and at most as many patches as taps.
    close("conv2dBackpropInput", dx.data, byInput.sum, (i) => gamma(taps + 1) * byInput.absolute[i]!);
  }
}

/** By Winograd's algorithm: tiles inside of the image and across its borders, channels and filters beyond vectors. */
function expectWinograd(engine: Engine): void {
  for (const { conv, options } of [
    sized([2, 9, 6, 5], [3, 3, 11], { padding: "same" }),
    sized([1, 6, 11, 9], [3, 3, 3]),
    sized([2, 3, 5, 8], [3, 3, 8], {
      padding: [
        [0, 4],
        [3, 1],
      ],
    }),
  ]) {
    const { x, filter, bias, dy } = tensorsOf(conv, 8);
    const given = { ...options, algorithm: "winograd" } as const;
    const { c } = conv.g;
    const bound = (terms: number, magnitude: Float64Array) => (i: number) =>
      gamma(terms + TRANSFORM_ROUNDINGS) * magnitude[i]!;
    const y = engine.conv2d(x, filter, { ...given, bias });
    const forward = forwardMagnitude(conv, x.data, filter.data);
    const biased = forward.map((value, i) => value + Math.abs(bias.data[i % conv.f]!));
    close("conv2d", y.data, oracle.forward(conv, x.data, filter.data, bias.data).sum, bound(c + 1, biased));
    const dw = engine.conv2dBackpropFilter(x, dy, filter.shape, given);
    const byFilter = bound(tilesOf(conv), filterMagnitude(conv, x.data, dy.data));
    close("conv2dBackpropFilter", dw.data, oracle.filterGradient(conv, x.data, dy.data).sum, byFilter);
    const dx = engine.conv2dBackpropInput(dy, filter, x.shape, given);
    const byInput = bound(conv.f, inputMagnitude(conv, dy.data, filter.data));
    close("conv2dBackpropInput", dx.data, oracle.inputGradient(conv, dy.data, filter.data).sum, byInput);
  }
}

/** Images to unfold: strides, padding and dilation that differ by axis. */
const UNFOLDED: Sized[] = [
  sized([2, 5, 6, 3], [2, 3, 7], { strides: [2, 1], padding: "same", dilationRate: [1, 2] }),
  sized([1, 4, 5, 1], [3, 3, 8], {
    padding: [
      [2, 0],
      [1, 3],
    ],
  }),
  sized([2, 6, 6, 4], [2, 2, 9], { strides: 3 }),
];

function expectUnfolding(engine: Engine): void {
  for (const { conv, options } of UNFOLDED) {
    const { x } = tensorsOf(conv, 3);
    const { g, n } = conv;
    const window = { ...options, kernelSize: [g.kh, g.kw] } as const;
    const rows = engine.im2row(x, window);
    same("im2row: shape", rows.shape, [pixels(conv), reduction(conv)]);
    sameBits("im2row", rows.data, Float32Array.from(oracle.im2row(g, n, x.data)));
    const back = engine.col2im(rows, x.shape, window);
    const { sum, absolute } = oracle.col2im(g, n, rows.data);
    const patches = oracle.patchesOf(g, n);
    same("col2im: shape", back.shape, x.shape);
    close("col2im", back.data, sum, (i) => gamma(patches[i]!) * absolute[i]!);
  }
}

/** The three products of a convolution on the matrix of patches have the bits of the operators that never unfold it. */
function expectProducts(engine: Engine): void {
  for (const { conv, options } of UNFOLDED) {
    const { x, filter, bias, dy } = tensorsOf(conv, 4);
    const window = { ...options, kernelSize: [conv.g.kh, conv.g.kw] } as const;
    const [m, k] = [pixels(conv), reduction(conv)];
    const rows = engine.im2row(x, window);
    const matrix = tensor(filter.data, [k, conv.f]);
    const dyRows = tensor(dy.data, [m, conv.f]);
    const forward = engine.matMul(rows, matrix, { bias });
    sameBits("conv2d", engine.conv2d(x, filter, { ...options, bias }).data, forward.data);
    const dw = engine.conv2dBackpropFilter(x, dy, filter.shape, options);
    sameBits("conv2dBackpropFilter", dw.data, engine.matMul(rows, dyRows, { transposeA: true }).data);
    const dRows = engine.matMul(dyRows, matrix, { transposeB: true });
    const dx = engine.conv2dBackpropInput(dy, filter, x.shape, { ...options, algorithm: "col2im" });
    sameBits("conv2dBackpropInput", dx.data, engine.col2im(dRows, x.shape, window).data);
  }
}

/**
 * At stride 1: `dy` under the filters rotated by 180°, channels and filters swapped, has the bits of the flipped route.
 */
function expectFlipped(engine: Engine): void {
  for (const { conv, options } of [OPTIONS["same padding"]!, OPTIONS["dilation"]!]) {
    const { x, filter, dy } = tensorsOf(conv, 5);
    const { g, f } = conv;
    const rotated = filter.data.map((_, i) => {
      const [tap, o, ch] = [Math.floor(i / (f * g.c)), Math.floor(i / g.c) % f, i % g.c];
      return filter.data[((g.kh * g.kw - 1 - tap) * g.c + ch) * f + o]!;
    });
    const [reachH, reachW] = [(g.kh - 1) * g.dilationH, (g.kw - 1) * g.dilationW];
    const [top, left] = [reachH - g.top, reachW - g.left];
    // So many rows and columns of padding that the image comes back in its size.
    const [bottom, right] = [g.h + reachH - g.oh - top, g.w + reachW - g.ow - left];
    const padding = [
      [top, bottom],
      [left, right],
    ] as const;
    const { dilationRate = 1 } = options;
    const y = engine.conv2d(dy, tensor(rotated, [g.kh, g.kw, f, g.c]), { dilationRate, padding });
    const dx = engine.conv2dBackpropInput(dy, filter, x.shape, { ...options, algorithm: "flipped" });
    sameBits("conv2dBackpropInput", dx.data, y.data);
  }
}

/** `"auto"` chooses by shapes alone. */
function expectChoice(engine: Engine): void {
  const plain = sized([2, 6, 6, 4], [3, 3, 5], { padding: "same" });
  const strided = sized([2, 7, 7, 4], [3, 3, 5], { strides: 2 });
  const depthwise = sized([2, 6, 6, 5], [3, 3, 5], { groups: 5, padding: "same" });
  const wide = sized([1, 8, 8, 16], [3, 3, 16], { padding: "same" });
  for (const [{ conv, options }, algorithm, inputAlgorithm] of [
    [plain, "im2row", "flipped"],
    [strided, "im2row", "col2im"],
    [wide, "winograd", "winograd"],
    [depthwise, "depthwise", "depthwise"],
  ] as const) {
    const { x, filter, dy } = tensorsOf(conv, 6);
    const named = { ...options, algorithm };
    const filters = filter.shape;
    sameBits("conv2d", engine.conv2d(x, filter, options).data, engine.conv2d(x, filter, named).data);
    sameBits(
      "conv2dBackpropFilter",
      engine.conv2dBackpropFilter(x, dy, filters, options).data,
      engine.conv2dBackpropFilter(x, dy, filters, named).data,
    );
    sameBits(
      "conv2dBackpropInput",
      engine.conv2dBackpropInput(dy, filter, x.shape, options).data,
      engine.conv2dBackpropInput(dy, filter, x.shape, { ...options, algorithm: inputAlgorithm }).data,
    );
  }
}

const allPasses = ([name, given]: [string, Sized]): Case => ({
  name: `convolution with ${name}: all passes are within the bounds of the oracle`,
  run: ({ engine }) => expectAllPasses(engine, given),
});

export const convolutionCases: readonly Case[] = [
  ...Object.entries(OPTIONS).map(allPasses),
  ...Object.entries(BLOCKS).map(allPasses),
  {
    name: "convolution at the edges of the register tile: all passes are within the bounds of the oracle",
    run: ({ engine }) => expectTiles(engine),
  },
  ...(["depthwise", "im2row"] as const).map((algorithm): Case => ({
    name: `a group a channel by ${algorithm}, 2 to 9 channels: all passes are within the bounds of the oracle`,
    run: ({ engine }) => expectDepthwise(engine, algorithm),
  })),
  {
    name: "convolution by Winograd's algorithm: all passes are within its bounds of the oracle",
    run: ({ engine }) => expectWinograd(engine),
  },
  {
    name: "im2row copies what each tap sees, and col2im adds it back",
    run: ({ engine }) => expectUnfolding(engine),
  },
  {
    name: "a convolution and its gradients are products with the matrix of patches, bit for bit",
    run: ({ engine }) => expectProducts(engine),
  },
  {
    name: "the flipped input gradient is a correlation with the rotated filters, bit for bit",
    run: ({ engine }) => expectFlipped(engine),
  },
  {
    name: "the algorithm of a convolution follows from its shapes",
    run: ({ engine }) => expectChoice(engine),
  },
];
