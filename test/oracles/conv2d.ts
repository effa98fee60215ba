/**
 * Convolution and its gradients in float64, from the definition: output pixel `(oy, ox)` and tap `(ky, kx)` meet input
 * pixel `(oy·stride + ky·dilation − top, ox·stride + kx·dilation − left)`, and filter `o` sees the channels of its group.
 */
import type { Geometry } from "../support/window.ts";
import type { Sums } from "./gemm.ts";

/** `x[n, h, w, c]`, `w[kh, kw, c/groups, f]`, `y[n, oh, ow, f]`. */
export interface Convolution {
  g: Geometry;
  n: number;
  f: number;
  groups: number;
}

type Numbers = ArrayLike<number>;

export const at = (values: Numbers, i: number): number => values[i] as number;

/** Numbers of elements of the operands. */
export function sizesOf({ g, n, f, groups }: Convolution): { x: number; w: number; y: number } {
  return { x: n * g.h * g.w * g.c, w: (g.kh * g.kw * g.c * f) / groups, y: n * g.oh * g.ow * f };
}

/** The number of the pixel of image `i` under a tap, counted over all images; −1 in the padding. */
function pixelUnder(g: Geometry, i: number, oy: number, ox: number, ky: number, kx: number): number {
  const y = oy * g.strideH + ky * g.dilationH - g.top;
  const x = ox * g.strideW + kx * g.dilationW - g.left;
  return y < 0 || y >= g.h || x < 0 || x >= g.w ? -1 : (i * g.h + y) * g.w + x;
}

/** Calls `each` with the output pixel, the tap and the input pixel (−1: padding) of every meeting. */
function meetings(g: Geometry, n: number, each: (out: number, tap: number, pixel: number) => void): void {
  for (let i = 0; i < n; i++) {
    for (let oy = 0; oy < g.oh; oy++) {
      for (let ox = 0; ox < g.ow; ox++) {
        for (let ky = 0; ky < g.kh; ky++) {
          for (let kx = 0; kx < g.kw; kx++) {
            each((i * g.oh + oy) * g.ow + ox, ky * g.kw + kx, pixelUnder(g, i, oy, ox, ky, kx));
          }
        }
      }
    }
  }
}

/** Calls `each` with the indices of x, w and y of every product `x·w` that is part of a `y`. */
function products(conv: Convolution, each: (x: number, w: number, y: number) => void): void {
  const { g, n, f, groups } = conv;
  const cg = g.c / groups;
  const fg = f / groups;
  meetings(g, n, (out, tap, pixel) => {
    if (pixel < 0) return;
    for (let o = 0; o < f; o++) {
      const first = Math.floor(o / fg) * cg;
      for (let ch = 0; ch < cg; ch++) {
        each(pixel * g.c + first + ch, (tap * cg + ch) * f + o, out * f + o);
      }
    }
  });
}

function sums(size: number): Sums & { add(i: number, term: number): void } {
  const sum = new Float64Array(size);
  const absolute = new Float64Array(size);
  return {
    sum,
    absolute,
    add(i, term) {
      sum[i] = at(sum, i) + term;
      absolute[i] = at(absolute, i) + Math.abs(term);
    },
  };
}

/** `y = conv2d(x, w) + b`. */
export function forward(conv: Convolution, x: Numbers, w: Numbers, b?: Numbers): Sums {
  const y = sums(sizesOf(conv).y);
  products(conv, (xi, wi, yi) => y.add(yi, at(x, xi) * at(w, wi)));
  if (b) for (let i = 0; i < y.sum.length; i++) y.add(i, at(b, i % conv.f));
  return y;
}

/** `dw` of `Σ y·dy`. */
export function filterGradient(conv: Convolution, x: Numbers, dy: Numbers): Sums {
  const dw = sums(sizesOf(conv).w);
  products(conv, (xi, wi, yi) => dw.add(wi, at(x, xi) * at(dy, yi)));
  return dw;
}

/** `dx` of `Σ y·dy`. */
export function inputGradient(conv: Convolution, dy: Numbers, w: Numbers): Sums {
  const dx = sums(sizesOf(conv).x);
  products(conv, (xi, wi, yi) => dx.add(xi, at(dy, yi) * at(w, wi)));
  return dx;
}

/** `R[n·oh·ow, kh·kw·c]`: the patches of `x`, zero in the padding. */
export function im2row(g: Geometry, n: number, x: Numbers): number[] {
  const rows: number[] = [];
  meetings(g, n, (_out, _tap, pixel) => {
    for (let ch = 0; ch < g.c; ch++) rows.push(pixel < 0 ? 0 : at(x, pixel * g.c + ch));
  });
  return rows;
}

/** `x[n, h, w, c]`: each pixel the sum of the places in `R` that it is unfolded to. */
export function col2im(g: Geometry, n: number, rows: Numbers): Sums {
  const x = sums(n * g.h * g.w * g.c);
  meetings(g, n, (out, tap, pixel) => {
    if (pixel < 0) return;
    const place = (out * g.kh * g.kw + tap) * g.c;
    for (let ch = 0; ch < g.c; ch++) x.add(pixel * g.c + ch, at(rows, place + ch));
  });
  return x;
}

/** For each element of `x[n, h, w, c]`: in how many patches it lies. */
export function patchesOf(g: Geometry, n: number): Float64Array {
  return col2im(g, n, new Float64Array(n * g.oh * g.ow * g.kh * g.kw * g.c).fill(1)).sum;
}
