/** The product of implicit patches with packed filters: what the forward pass and the flipped gradient share. */
import { EDGE, EDGE_BYTES, gemmBlock, KC, Operand, OPERAND_BYTES } from "./gemm/gemm";
import { NR, RUN } from "./gemm/micro";
import { paddedColumns, PANEL_ROW } from "./gemm/pack";
import {
  describePatches,
  openStrip,
  patchAddresses,
  patchRuns,
  Patches,
  PATCHES_BYTES,
  stripPixels,
} from "./patches";
import { Window } from "./window";

/** Output pixels in a strip, unless one row has more. */
const PIXELS: i32 = 512;

/** Floats in front of the tables: the edge, the operand and the description of the patches. */
const HEAD: i32 = EDGE + <i32>((OPERAND_BYTES + PATCHES_BYTES) >> 2);

/** Floats of the table of a patch's runs: at most one a tap, and the end. */
// @ts-ignore: decorator
@inline
function tableOfRuns(taps: i32): i32 {
  return <i32>((<usize>(taps + 1) * RUN) >> 2);
}

/**
 * Floats of workspace for `correlate` with `f` filters of `taps` taps over `cg` channels, `ow` output columns and `strip`
 * floats of strip buffer.
 */
export function correlateSpace(ow: i32, taps: i32, strip: f64, cg: i32, f: i32): f64 {
  return (
    <f64>(HEAD + stripPixels(ow, PIXELS) + tableOfRuns(taps)) +
    <f64>taps * <f64>cg * <f64>paddedColumns(f) +
    strip
  );
}

/** Where `correlate` expects the packed filters in its workspace. */
export function filterPanels(window: Window, workspace: usize): usize {
  return (
    workspace + ((<usize>(HEAD + stripPixels(window.ow, PIXELS) + tableOfRuns(window.kh * window.kw))) << 2)
  );
}

/**
 * `Y[m, f] = act(R·W + b)` for one group of `cg` channels and `f` filters that lie packed in the workspace (see
 * `filterPanels`); `y` rows are `yRow` bytes apart. `zoomH`, `zoomW` above 1 read the image as if zoom − 1 zeros stood
 * between its pixels.
 */
export function correlate(
  window: Window,
  zoomH: i32,
  zoomW: i32,
  n: i32,
  cg: i32,
  x: usize,
  f: i32,
  y: usize,
  yRow: usize,
  bias: usize,
  relu: bool,
  workspace: usize,
): void {
  const edge = workspace;
  const operand = changetype<Operand>(edge + EDGE_BYTES);
  const patches = changetype<Patches>(edge + EDGE_BYTES + OPERAND_BYTES);
  const table = workspace + ((<usize>HEAD) << 2);
  const runs = table + ((<usize>stripPixels(window.ow, PIXELS)) << 2);
  const panels = filterPanels(window, workspace);
  const k = window.kh * window.kw * cg;
  const panelStride = PANEL_ROW * k;
  const bLast = panels + (f / NR) * panelStride;
  const strips = panels + ((<usize>(k * paddedColumns(f))) << 2);
  describePatches(patches, window, zoomH, zoomW, cg, PIXELS);
  operand.rows = table;
  operand.runs = runs;
  operand.step = 4;
  for (let image = 0; image < n; image += patches.images) {
    const images = min(patches.images, n - image);
    for (let row = 0; row < window.oh; row += patches.rows) {
      const rows = min(patches.rows, window.oh - row);
      const strip = openStrip(patches, x, image, images, row, rows, strips);
      const m = patchAddresses(patches, strip, images, rows, table);
      const to = y + <usize>((image * window.oh + row) * window.ow) * yRow;
      for (let pc = 0; pc < k; pc += KC) {
        const kc = min(KC, k - pc);
        const last = pc + kc == k;
        const offset = PANEL_ROW * pc;
        patchRuns(patches, pc, pc + kc, runs);
        gemmBlock(
          m,
          f,
          operand,
          panels + offset,
          PANEL_ROW,
          panelStride,
          bLast + offset,
          to,
          yRow,
          pc == 0,
          last ? bias : 0,
          last && relu,
          edge,
        );
      }
    }
  }
}
