/**
 * 2-D convolution and its gradients as matrix products over implicitly unfolded patches.
 *
 *   forward           Y  = R·W + b          R = im2row(x)      [m, kh·kw·cg] · [kh·kw·cg, fg]
 *   filter gradient   dW = Rᵀ·dY            reduced over the m = n·oh·ow output pixels
 *   input gradient    dx = col2im(dY·Wᵀ)    or, flipped, one more correlation (see conv2dBackpropInputFlipped)
 *
 * per group of cg = c/groups input and fg = f/groups output channels. `R` never exists: the register tile reads patches
 * where they lie (see `patches.ts`). Layouts: images NHWC, filters `[kh, kw, cg, f]`. Orders are those of the products:
 * one running float32 sum per output, k ascending, untouched by strips, blocks, batch size or groups. Subnormal filters
 * count as zeros (see `subnormal.ts`).
 */
import { Activation } from "../lib/activations";
import { correlateShare, takeCorrelation } from "./correlate";
import { describePanels, gemmBlock, KC, openProduct, rowTable, singleRun, takeProduct } from "../gemm/block";
import { MR, NR } from "../gemm/micro";
import { packPanels, packPanelsTransposed, paddedColumns, PANEL_ROW } from "../gemm/pack";
import { col2imBlock } from "./im2row";
import { stripFloats } from "./patches";
import { endShare, firstShare } from "../lib/share";
import { openWorkspace, takeFloats, workspaceFloats } from "../lib/workspace";
import { Window } from "../lib/window";

/** Floats of a block of patch gradients, 64 KB. */
const BLOCK: i32 = 16384;

/** Floats of `f` packed filters in `groups` groups. @size */
export function conv2dPackedFilters(window: Window, f: i32, groups: i32): f64 {
  return <f64>(window.kh * window.kw) * <f64>window.c * <f64>paddedColumns(f / groups);
}

/**
 * Packs `w[kh, kw, c/groups, f]` for `conv2dForward`: for each group panels of eight filters, `[kh·kw·c/groups][8]` each.
 *
 * @split COPY * patch(window) * f / groups
 */
export function conv2dPackFilters(window: Window, f: i32, groups: i32, w: usize, packed: usize): void {
  const fg = f / groups;
  const k = window.kh * window.kw * (window.c / groups);
  const panel = PANEL_ROW * k;
  const first = firstShare(fg, NR);
  const count = endShare(fg, NR) - first;
  if (count == 0) return;
  packed += <usize>(first / NR) * panel;
  for (let g = 0; g < groups; g++) {
    packPanels(k, count, w + ((<usize>(g * fg + first)) << 2), (<usize>f) << 2, packed, panel, false);
    packed += <usize>(paddedColumns(fg) / NR) * panel;
  }
}

function layOutForward(window: Window, groups: i32): void {
  const strip = stripFloats(window.ow, window.strideW, window, window.c / groups);
  takeCorrelation(window.ow, window.kh * window.kw, strip);
}

/** Floats of workspace for `conv2dForward` in `groups` groups. @size */
export function conv2dForwardWorkspace(window: Window, groups: i32): f64 {
  openWorkspace(0);
  layOutForward(window, groups);
  return workspaceFloats();
}

/**
 * `y[n, oh, ow, f] = act(conv2d(x[n, h, w, c], w[kh, kw, c/groups, f]) + b[f])` from filters packed by
 * `conv2dPackFilters`; `b` is 0 for none.
 *
 * Order: each output is one running float32 sum over (ky, kx, channel) ascending, padding included as zeros, then the
 * bias, then the activation. Error: γ_{k+1}·(|R|·|W| + |b|), k = kh·kw·c/groups, and k·2⁻¹²⁶·max|x| where filters are
 * subnormal.
 *
 * @split unfolded(window, n) * f / groups
 */
export function conv2dForward(
  window: Window,
  n: i32,
  f: i32,
  groups: i32,
  x: usize,
  packed: usize,
  b: usize,
  y: usize,
  activation: i32,
  alpha: f32,
  workspace: usize,
): void {
  const cg = window.c / groups;
  const fg = f / groups;
  const row = (<usize>f) << 2;
  const bytes = (<usize>(window.kh * window.kw * cg * paddedColumns(fg))) << 2;
  openWorkspace(workspace);
  layOutForward(window, groups);
  for (let g = 0; g < groups; g++) {
    const first = (<usize>(g * fg)) << 2;
    const bias = b ? b + first : 0;
    const xg = x + ((<usize>(g * cg)) << 2);
    correlateShare(window, 1, 1, n, cg, xg, fg, packed, y + first, row, bias, activation, alpha);
    packed += bytes;
  }
}

/** A 1×1 filter at stride 1 without padding: the image itself is the matrix of patches. */
// @ts-ignore: decorator
@inline
function isPointwise(window: Window): bool {
  return (
    max(max(window.kh, window.kw), max(window.strideH, window.strideW)) == 1 &&
    (window.top | window.left) == 0 &&
    window.oh == window.h &&
    window.ow == window.w
  );
}

/** Rows of a block of patch gradients with `k` columns: a multiple of the tile's rows. */
// @ts-ignore: decorator
@inline
function blockRows(k: i32): i32 {
  return max(MR, (BLOCK / k / MR) * MR);
}

/** The packed filters, and a block of patch gradients. */
let panels: usize = 0;
let block: usize = 0;

function layOutCol2im(window: Window, f: i32, groups: i32): void {
  const k = window.kh * window.kw * (window.c / groups);
  const rows = blockRows(k);
  takeProduct(rows);
  panels = takeFloats(<f64>(f / groups) * <f64>paddedColumns(k));
  block = takeFloats(<f64>rows * <f64>k);
}

/** Floats of workspace for `conv2dBackpropInputCol2im`. @size */
export function conv2dBackpropInputCol2imWorkspace(window: Window, f: i32, groups: i32): f64 {
  openWorkspace(0);
  layOutCol2im(window, f, groups);
  return workspaceFloats();
}

/**
 * `dx[n, h, w, c] = col2im(dy · wᵀ)`, in blocks of output pixels: the matrix of patch gradients is never whole.
 *
 * Order: each patch gradient is one running sum over the filters ascending; each pixel adds its patches' in ascending
 * order of output pixels. Error: γ_{fg + t}·col2im(|dY|·|W|ᵀ), t the number of patches a pixel lies in;
 * and t·fg·2⁻¹²⁶·max|dy| where filters are subnormal.
 *
 * @split unfolded(window, n) * f / groups
 */
export function conv2dBackpropInputCol2im(
  window: Window,
  n: i32,
  f: i32,
  groups: i32,
  dy: usize,
  w: usize,
  dx: usize,
  workspace: usize,
): void {
  const cg = window.c / groups;
  const fg = f / groups;
  // Threads share the images: within one, patches overlap.
  const image0 = firstShare(n);
  n = endShare(n) - image0;
  if (n == 0) return;
  dy += (<usize>(image0 * window.oh * window.ow * f)) << 2;
  dx += (<usize>(image0 * window.h * window.w * window.c)) << 2;
  openWorkspace(workspace);
  layOutCol2im(window, f, groups);
  const m = n * window.oh * window.ow;
  const k = window.kh * window.kw * cg;
  const mc = blockRows(k);
  const panelStride = PANEL_ROW * fg;
  const dyRow = (<usize>f) << 2;
  const pointwise = isPointwise(window);
  const cRow = (<usize>(pointwise ? window.c : k)) << 2;
  const p = openProduct();
  p.step = 4;
  if (!pointwise) memory.fill(dx, 0, (<usize>(n * window.h * window.w * window.c)) << 2);
  for (let g = 0; g < groups; g++) {
    const first = (<usize>(g * fg)) << 2;
    const dxg = dx + ((<usize>(g * cg)) << 2);
    packPanelsTransposed(fg, k, w + first, dyRow, panels, panelStride, false);
    for (let ic = 0; ic < m; ic += mc) {
      const rows = min(mc, m - ic);
      const c = pointwise ? dxg + ic * cRow : block;
      for (let pc = 0; pc < fg; pc += KC) {
        singleRun(p, min(KC, fg - pc));
        rowTable(p.rows, rows, dy + ic * dyRow + first + ((<usize>pc) << 2), dyRow);
        describePanels(p, panels + PANEL_ROW * pc, k, panelStride);
        gemmBlock(rows, k, p, c, cRow, pc == 0, 0, Activation.linear, 0);
      }
      if (!pointwise) col2imBlock(window, cg, block, ic, rows, dxg);
    }
  }
}
