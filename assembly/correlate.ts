/** The product of implicitly unfolded patches with packed filters: what the forward pass and the flipped gradient share. */
import { BLOCK, blockRows, EDGE_BYTES, gemmBlock, KC } from "./gemm/gemm";
import { MR, NR } from "./gemm/micro";
import { PANEL_ROW } from "./gemm/pack";
import { dilatedBlock, im2rowBlock } from "./im2row";
import { Window } from "./window";

/** Floats beside C that narrow tiles need (see `gemmBlock`). */
export const EDGE: i32 = MR * NR + NR;
/** The same in bytes. */
export const EDGE_SPACE: usize = EDGE_BYTES + PANEL_ROW;

/** Floats of a block of unfolded patches with at most `columns` columns of the reduction. */
export function blockFloats(columns: i32): i32 {
  return max(BLOCK, MR * min(columns, KC));
}

/** A 1×1 filter at stride 1 without padding: the image itself is the matrix of patches. */
// @ts-ignore: decorator
@inline
export function isPointwise(window: Window): bool {
  return (
    window.kh == 1 &&
    window.kw == 1 &&
    window.strideH == 1 &&
    window.strideW == 1 &&
    window.top == 0 &&
    window.left == 0 &&
    window.oh == window.h &&
    window.ow == window.w
  );
}

/**
 * `Y[m, fg] = act(R·W + b)` for one group: `panels` holds W packed, `y` rows lie `yRow` bytes apart. `zoomH`, `zoomW`
 * above 1 read the image as if zoom − 1 zeros stood between its pixels.
 */
export function correlate(
  window: Window,
  zoomH: i32,
  zoomW: i32,
  n: i32,
  cg: i32,
  x: usize,
  fg: i32,
  panels: usize,
  y: usize,
  yRow: usize,
  bias: usize,
  relu: bool,
  edge: usize,
  block: usize,
): void {
  const m = n * window.oh * window.ow;
  const k = window.kh * window.kw * cg;
  const panelStride = PANEL_ROW * k;
  const bLast = panels + (fg / NR) * panelStride;
  const pointwise = isPointwise(window) && zoomH * zoomW == 1;
  const pixel = (<usize>window.c) << 2;
  const mc = blockRows(min(k, KC));
  for (let ic = 0; ic < m; ic += mc) {
    const rows = min(mc, m - ic);
    for (let pc = 0; pc < k; pc += KC) {
      const kc = min(KC, k - pc);
      const last = pc + kc == k;
      let a = block;
      let aRow = (<usize>kc) << 2;
      if (pointwise) {
        a = x + ic * pixel + ((<usize>pc) << 2);
        aRow = pixel;
      } else if (zoomH * zoomW > 1) {
        dilatedBlock(window, zoomH, zoomW, cg, x, ic, rows, pc, kc, block);
      } else {
        im2rowBlock(window, cg, x, ic, rows, pc, kc, block, aRow);
      }
      const offset = PANEL_ROW * pc;
      gemmBlock(
        rows,
        fg,
        kc,
        a,
        aRow,
        4,
        panels + offset,
        PANEL_ROW,
        panelStride,
        bLast + offset,
        y + ic * yRow,
        yRow,
        pc == 0,
        last ? bias : 0,
        last && relu,
        edge,
      );
    }
  }
}
