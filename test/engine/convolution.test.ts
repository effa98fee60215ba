/** The eager convolutions of the public API against the oracle, with every option. */
import { load, tensor, type Conv2dOptions, type Tensor } from "im2row";
import { describe, expect, it } from "vitest";
import * as oracle from "../oracles/conv2d.ts";
import type { Convolution } from "../oracles/conv2d.ts";
import { conv2d, operands, type Pad, type Sliding } from "../support/conv2d.ts";
import { expectSameBits, expectWithin, gamma } from "../support/float.ts";

const engine = await load();

interface Case {
  conv: Convolution;
  options: Conv2dOptions;
}

/** A convolution as the oracle and as the operators take it. */
function sized(
  size: [n: number, h: number, w: number, c: number],
  filter: [kh: number, kw: number, f: number],
  options: Conv2dOptions = {},
): Case {
  const [n, h, w, c] = size;
  const [kh, kw, f] = filter;
  const pair = (value: Conv2dOptions["strides"]): readonly [number, number] =>
    Array.isArray(value) ? (value as [number, number]) : [(value ?? 1) as number, (value ?? 1) as number];
  const [strideH, strideW] = pair(options.strides);
  const [dilationH, dilationW] = pair(options.dilationRate);
  let pad: Pad = "valid";
  if (typeof options.padding === "string") pad = options.padding;
  else if (options.padding) {
    const [[top, bottom], [left, right]] = options.padding;
    pad = { top, bottom, left, right };
  }
  const sliding: Partial<Sliding> = { h, w, kh, kw, strideH, strideW, dilationH, dilationW, pad };
  return { conv: conv2d(n, h, c, kh, f, { ...sliding, groups: options.groups ?? 1 }), options };
}

const cases: [string, Case][] = [
  ["no options", sized([1, 7, 7, 3], [3, 3, 8])],
  ["strides", sized([2, 7, 7, 3], [3, 3, 5], { strides: 2 })],
  ["strides as a pair", sized([2, 7, 8, 3], [3, 2, 5], { strides: [1, 3] })],
  ["same padding", sized([2, 6, 5, 3], [3, 3, 4], { padding: "same" })],
  [
    "same padding of an even filter with strides",
    sized([1, 7, 6, 2], [4, 2, 4], { padding: "same", strides: 2 }),
  ],
  ["valid padding", sized([1, 5, 6, 2], [2, 3, 4], { padding: "valid" })],
  [
    "explicit padding",
    sized([1, 5, 4, 2], [3, 2, 4], {
      padding: [
        [0, 3],
        [2, 1],
      ],
    }),
  ],
  ["dilation", sized([1, 9, 8, 2], [3, 3, 4], { dilationRate: 2 })],
  ["dilation as a pair", sized([1, 9, 8, 2], [3, 3, 4], { dilationRate: [3, 1], padding: "same" })],
  ["groups", sized([2, 6, 6, 4], [3, 3, 6], { groups: 2 })],
  ["a group a channel", sized([2, 6, 6, 5], [3, 3, 5], { groups: 5, padding: "same", strides: 2 })],
  ["a pointwise filter", sized([2, 4, 4, 9], [1, 1, 7])],
];

const length = ({ g, groups }: Convolution): number => (g.kh * g.kw * g.c) / groups;

function tensors({ conv }: Case): { x: Tensor; filter: Tensor; bias: Tensor; dy: Tensor } {
  const { g, n, f, groups } = conv;
  const { x, w, b, dy } = operands(conv, g.h);
  return {
    x: tensor(x, [n, g.h, g.w, g.c]),
    filter: tensor(w, [g.kh, g.kw, g.c / groups, f]),
    bias: tensor(b, [f]),
    dy: tensor(dy, [n, g.oh, g.ow, f]),
  };
}

describe.each(cases)("a convolution with %s", (_name, { conv, options }) => {
  const { x, filter, bias, dy } = tensors({ conv, options });

  it("gives the oracle's output and its shape", () => {
    const y = engine.conv2d(x, filter, options);
    const { sum, absolute } = oracle.forward(conv, x.data, filter.data);
    expect(y.shape).toEqual(dy.shape);
    expectWithin(y.data, sum, (i) => gamma(length(conv)) * (absolute[i] as number));
  });

  it("adds the bias", () => {
    const y = engine.conv2d(x, filter, { ...options, bias });
    const { sum, absolute } = oracle.forward(conv, x.data, filter.data, bias.data);
    expectWithin(y.data, sum, (i) => gamma(length(conv) + 1) * (absolute[i] as number));
  });

  it("gives the oracle's filter gradient", () => {
    const dw = engine.conv2dBackpropFilter(x, dy, filter.shape, options);
    const { sum, absolute } = oracle.filterGradient(conv, x.data, dy.data);
    expect(dw.shape).toEqual(filter.shape);
    expectWithin(dw.data, sum, (i) => gamma(dy.data.length / conv.f) * (absolute[i] as number));
  });

  it.each(["auto", "im2row", "col2im", "flipped"] as const)(
    "gives the oracle's input gradient by %s",
    (algorithm) => {
      const dx = engine.conv2dBackpropInput(dy, filter, x.shape, { ...options, algorithm });
      const { sum, absolute } = oracle.inputGradient(conv, dy.data, filter.data);
      expect(dx.shape).toEqual(x.shape);
      // At most filters + taps roundings by col2im, filters · taps flipped.
      const roundings = (conv.f / conv.groups + 1) * conv.g.kh * conv.g.kw;
      expectWithin(dx.data, sum, (i) => gamma(roundings) * (absolute[i] as number));
    },
  );
});

describe("the algorithm of a convolution", () => {
  const plain = sized([2, 6, 6, 4], [3, 3, 5], { padding: "same" });
  const strided = sized([2, 7, 7, 4], [3, 3, 5], { strides: 2 });
  const depthwise = sized([2, 6, 6, 5], [3, 3, 5], { groups: 5, padding: "same" });

  it("is im2row, or depthwise where each channel is a group with one filter, unless it is given", () => {
    for (const [given, algorithm] of [
      [plain, "im2row"],
      [depthwise, "depthwise"],
    ] as const) {
      const { x, filter, dy } = tensors(given);
      const named = { ...given.options, algorithm };
      expectSameBits(engine.conv2d(x, filter, given.options).data, engine.conv2d(x, filter, named).data);
      expectSameBits(
        engine.conv2dBackpropFilter(x, dy, filter.shape, given.options).data,
        engine.conv2dBackpropFilter(x, dy, filter.shape, named).data,
      );
    }
  });

  it("of the input gradient is flipped where that multiplies less, col2im at strides, depthwise where it fits", () => {
    for (const [given, algorithm] of [
      [plain, "flipped"],
      [strided, "col2im"],
      [depthwise, "depthwise"],
    ] as const) {
      const { x, filter, dy } = tensors(given);
      expectSameBits(
        engine.conv2dBackpropInput(dy, filter, x.shape, given.options).data,
        engine.conv2dBackpropInput(dy, filter, x.shape, { ...given.options, algorithm }).data,
      );
    }
  });

  it("agrees between depthwise and im2row within the bounds", () => {
    const { x, filter, dy } = tensors(depthwise);
    const by = (algorithm: "depthwise" | "im2row"): Tensor[] => {
      const options = { ...depthwise.options, algorithm };
      return [
        engine.conv2d(x, filter, options),
        engine.conv2dBackpropFilter(x, dy, filter.shape, options),
        engine.conv2dBackpropInput(dy, filter, x.shape, options),
      ];
    };
    const [forward, filterGradient, inputGradient] = by("im2row");
    const pixels = dy.data.length / 5;
    // Operands below 1: sums of absolute products are at most the number of products; both sides err.
    for (const [i, [expected, terms]] of (
      [
        [forward!, 9],
        [filterGradient!, pixels],
        [inputGradient!, 9],
      ] as const
    ).entries()) {
      expectWithin(by("depthwise")[i]!.data, expected.data, () => 2 * gamma(terms + 1) * terms);
    }
  });
});
