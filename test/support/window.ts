/** The sliding window as tests describe it, and as kernels read it. */
import type { KernelBench } from "./wasm.ts";

/** The fields of the struct in assembly/lib/window.ts. */
export interface Geometry {
  h: number;
  w: number;
  c: number;
  kh: number;
  kw: number;
  oh: number;
  ow: number;
  strideH: number;
  strideW: number;
  dilationH: number;
  dilationW: number;
  top: number;
  left: number;
}

/** Writes the struct and returns its address. */
export function putWindow(bench: KernelBench, g: Geometry): number {
  const { h, w, c, kh, kw, oh, ow, strideH, strideW, dilationH, dilationW, top, left } = g;
  return bench.put(Int32Array.of(h, w, c, kh, kw, oh, ow, strideH, strideW, dilationH, dilationW, top, left));
}
