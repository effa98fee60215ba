/** Convolutions as tests describe them, for kernels and operators alike. */
import { sizesOf, type Convolution } from "../oracles/conv2d.ts";
import { random } from "./random.ts";
import type { Geometry } from "./window.ts";

export type Pad = "same" | "valid" | { top: number; bottom: number; left: number; right: number };

export type Sliding = Omit<Geometry, "oh" | "ow" | "top" | "left"> & { pad: Pad };

/** The window with its output size; undefined when the image is too small. */
export function geometry({ pad, ...rest }: Sliding): Geometry | undefined {
  const reachH = (rest.kh - 1) * rest.dilationH + 1;
  const reachW = (rest.kw - 1) * rest.dilationW + 1;
  if (pad === "same") {
    const oh = Math.ceil(rest.h / rest.strideH);
    const ow = Math.ceil(rest.w / rest.strideW);
    const top = Math.max(0, (oh - 1) * rest.strideH + reachH - rest.h) >> 1;
    const left = Math.max(0, (ow - 1) * rest.strideW + reachW - rest.w) >> 1;
    return { ...rest, oh, ow, top, left };
  }
  const { top, bottom, left, right } = pad === "valid" ? { top: 0, bottom: 0, left: 0, right: 0 } : pad;
  const oh = Math.floor((rest.h + top + bottom - reachH) / rest.strideH) + 1;
  const ow = Math.floor((rest.w + left + right - reachW) / rest.strideW) + 1;
  return oh > 0 && ow > 0 ? { ...rest, oh, ow, top, left } : undefined;
}

/** A square convolution without padding, dilation or groups; the rest on demand. */
export function conv2d(
  n: number,
  size: number,
  c: number,
  kernel: number,
  f: number,
  more: Partial<Sliding> & { groups?: number } = {},
): Convolution {
  const { groups = 1, ...sliding } = more;
  const base = { h: size, w: size, c, kh: kernel, kw: kernel, strideH: 1, strideW: 1 };
  const g = geometry({ ...base, dilationH: 1, dilationW: 1, pad: "valid", ...sliding });
  if (!g) throw new Error("the image is smaller than the filter");
  return { g, n, f, groups };
}

/** `size` along both axes. */
export const strides = (size: number): { strideH: number; strideW: number } => ({
  strideH: size,
  strideW: size,
});

export interface Operands {
  x: Float32Array;
  w: Float32Array;
  b: Float32Array;
  dy: Float32Array;
}

/** Operands uniform in [−1, 1). */
export function operands(conv: Convolution, seed: number): Operands {
  const size = sizesOf(conv);
  const data = random(seed);
  return {
    x: data.uniform(size.x),
    w: data.uniform(size.w),
    b: data.uniform(conv.f),
    dy: data.uniform(size.y),
  };
}
