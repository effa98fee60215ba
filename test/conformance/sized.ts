/** Convolutions as the operators and the oracle take them, and the roundings behind their results. */
import { tensor, type Conv2dOptions, type Tensor } from "im2row";
import { patchesOf, type Convolution } from "../oracles/conv2d.ts";
import { conv2d, operands, type Pad } from "../support/convolution.ts";

/** A convolution as the oracle takes it, and the options that the operators take. */
export interface Sized {
  conv: Convolution;
  options: Conv2dOptions;
}

/** The convolution of images `size` with `f` filters `[kh, kw]`. */
export function sized(
  size: [n: number, h: number, w: number, c: number],
  filter: [kh: number, kw: number, f: number],
  options: Conv2dOptions = {},
): Sized {
  const [n, h, w, c] = size;
  const [kh, kw, f] = filter;
  const { strides = 1, dilationRate = 1, padding = "valid", groups = 1 } = options;
  const [strideH, strideW] = typeof strides === "number" ? [strides, strides] : strides;
  const [dilationH, dilationW] =
    typeof dilationRate === "number" ? [dilationRate, dilationRate] : dilationRate;
  let pad: Pad = "valid";
  if (typeof padding === "string") pad = padding;
  else pad = { top: padding[0][0], bottom: padding[0][1], left: padding[1][0], right: padding[1][1] };
  const sliding = { h, w, kh, kw, strideH, strideW, dilationH, dilationW, pad };
  return { conv: conv2d(n, h, c, kh, f, { ...sliding, groups }), options };
}

export interface Tensors {
  x: Tensor;
  filter: Tensor;
  bias: Tensor;
  dy: Tensor;
}

/** Operands uniform in [−1, 1). */
export function tensorsOf(conv: Convolution, seed: number): Tensors {
  const { g, n, f, groups } = conv;
  const { x, w, b, dy } = operands(conv, seed);
  return {
    x: tensor(x, [n, g.h, g.w, g.c]),
    filter: tensor(w, [g.kh, g.kw, g.c / groups, f]),
    bias: tensor(b, [f]),
    dy: tensor(dy, [n, g.oh, g.ow, f]),
  };
}

/** Length of the sum behind one output. */
export const reduction = ({ g, groups }: Convolution): number => (g.kh * g.kw * g.c) / groups;
/** Number of output pixels. */
export const pixels = ({ g, n }: Convolution): number => n * g.oh * g.ow;

/** Roundings behind an element of the input gradient by each route. */
export function inputRoundings(conv: Convolution): Record<"col2im" | "flipped", (i: number) => number> {
  const filters = conv.f / conv.groups;
  const patches = patchesOf(conv.g, conv.n);
  return {
    col2im: (i) => filters + patches[i]!,
    flipped: () => conv.g.kh * conv.g.kw * filters,
  };
}
