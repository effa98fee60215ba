/**
 * The second route to a convolution's input gradient: one more correlation, with the filters rotated by 180°.
 *
 * Input pixel `i` and tap `k` meet output pixel `o` when `o·stride = i + top − k·dilation`. Read from the side of the
 * input this is a stride-1 correlation of `dy`, with stride − 1 zeros between its pixels and (k − 1)·dilation − top rows
 * of padding above, with the filters rotated and their channels swapped: `w'[ky, kx, f, c] = w[kh−1−ky, kw−1−kx, c, f]`.
 */
import { Activation } from "../lib/activations";
import { correlateShare, takeCorrelation } from "./correlate";
import { packPanelsTransposed, paddedColumns, PANEL_ROW } from "../gemm/pack";
import { stripFloats } from "./patches";
import { openWorkspace, take, takeFloats, workspaceFloats } from "../lib/workspace";
import { Window } from "../lib/window";

/** Writes to `to` the window of the rotated correlation from `dy[oh, ow, f]` back to `dx[h, w, c]`. */
export function rotate(window: Window, f: i32, to: Window): void {
  to.h = window.oh;
  to.w = window.ow;
  to.c = f;
  to.kh = window.kh;
  to.kw = window.kw;
  to.oh = window.h;
  to.ow = window.w;
  to.strideH = 1;
  to.strideW = 1;
  to.dilationH = window.dilationH;
  to.dilationW = window.dilationW;
  to.top = (window.kh - 1) * window.dilationH - window.top;
  to.left = (window.kw - 1) * window.dilationW - window.left;
}

/** The window of the correlation, and the rotated filters. */
let rotatedAt: usize = 0;
let panels: usize = 0;

function layOut(window: Window, f: i32, groups: i32): void {
  const taps = window.kh * window.kw;
  rotatedAt = take(offsetof<Window>());
  panels = takeFloats(<f64>taps * <f64>(f / groups) * <f64>paddedColumns(window.c / groups));
  takeCorrelation(window.w, taps, stripFloats(window.w, 1, window, f / groups));
}

/** Floats of workspace for `conv2dBackpropInputFlipped`. @size */
export function conv2dBackpropInputFlippedWorkspace(window: Window, f: i32, groups: i32): f64 {
  openWorkspace(0);
  layOut(window, f, groups);
  return workspaceFloats();
}

/**
 * `dx[n, h, w, c]` as a correlation of `dy[n, oh, ow, f]` with the rotated filters `w[kh, kw, c/groups, f]`.
 *
 * Order: each pixel is one running float32 sum over (ky, kx, filter) ascending in the rotated filter.
 * Error: γ_k·(|dY|∗|W'|), k = kh·kw·f/groups, and k·2⁻¹²⁶·max|dy| where filters are
 * subnormal.
 *
 * @split unfolded(window, n) * f / groups
 */
export function conv2dBackpropInputFlipped(
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
  const taps = window.kh * window.kw;
  const k = taps * fg;
  openWorkspace(workspace);
  layOut(window, f, groups);
  const rotated = changetype<Window>(rotatedAt);
  rotate(window, f, rotated);
  const panelStride = PANEL_ROW * k;
  const wRow = (<usize>f) << 2;
  const dxRow = (<usize>window.c) << 2;
  for (let g = 0; g < groups; g++) {
    const first = (<usize>(g * fg)) << 2;
    for (let tap = 0; tap < taps; tap++) {
      const from = w + (taps - 1 - tap) * cg * wRow + first;
      packPanelsTransposed(fg, cg, from, wRow, panels + PANEL_ROW * tap * fg, panelStride, false);
    }
    const dxg = dx + ((<usize>(g * cg)) << 2);
    correlateShare(
      rotated,
      window.strideH,
      window.strideW,
      n,
      fg,
      dy + first,
      cg,
      panels,
      dxg,
      dxRow,
      0,
      Activation.linear,
      0,
    );
  }
}
