/**
 * The second route to a convolution's input gradient: one more correlation, with the filters rotated by 180°.
 *
 * Input pixel `i` and tap `k` meet output pixel `o` when `o·stride = i + top − k·dilation`. Read from the side of the
 * input this is a stride-1 correlation of `dy`, with stride − 1 zeros between its pixels and (k − 1)·dilation − top rows
 * of padding above, with the filters rotated and their channels swapped: `w'[ky, kx, f, c] = w[kh−1−ky, kw−1−kx, c, f]`.
 */
import { Activation } from "../lib/activations";
import { correlateShare, correlateSpace } from "./correlate";
import { packPanelsTransposed, paddedColumns, PANEL_ROW } from "../gemm/pack";
import { stripFloats } from "./patches";
import { share, shares } from "../lib/share";
import { Window } from "../lib/window";

/** Bytes of the rotated window in front of the workspace: 13 numbers, rounded up to a whole cache line. */
const ROTATED: usize = 64;

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

/** Floats of workspace for `conv2dBackpropInputFlipped`. @size */
export function conv2dBackpropInputFlippedWorkspace(window: Window, f: i32, groups: i32): f64 {
  const taps = window.kh * window.kw;
  const strip = stripFloats(window.w, 1, window, f / groups);
  const filters = <f64>taps * <f64>(f / groups) * <f64>paddedColumns(window.c / groups);
  return <f64>shares() * (<f64>(ROTATED >> 2) + filters + correlateSpace(window.w, taps, strip));
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
  workspace +=
    <usize>share() * <usize>(conv2dBackpropInputFlippedWorkspace(window, f, groups) / shares()) * 4;
  const rotated = changetype<Window>(workspace);
  rotate(window, f, rotated);
  const panels = workspace + ROTATED;
  const space = panels + ((<usize>(k * paddedColumns(cg))) << 2);
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
      space,
    );
  }
}
