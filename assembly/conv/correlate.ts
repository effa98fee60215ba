/** The product of implicit patches with packed filters: what the forward pass and the flipped gradient share. */
import { activate } from "../elementwise/activation";
import { Activation } from "../lib/activations";
import {
  describePanels,
  EDGE,
  EDGE_BYTES,
  gemmBlock,
  operandAt,
  OPERANDS_BYTES,
  panelsAt,
} from "../gemm/block";
import { NR, RUN } from "../gemm/micro";
import { PANEL_ROW } from "../gemm/pack";
import { pixelRow, suitsPixelVectors } from "./oneChannel";
import {
  describePatches,
  openStrip,
  patchAddresses,
  patchRuns,
  Patches,
  PATCHES_BYTES,
  stripPixels,
} from "./patches";
import { endShare, firstShare, shares } from "../lib/share";
import { Window } from "../lib/window";

/** Steps of a sum in one block: a panel of filters (16 KB) and five rows of patches (10 KB) share L1. */
const BLOCK: i32 = 512;
/** Output pixels in a strip, unless one row has more. */
const PIXELS: i32 = 512;
/** Numbers of a window, and bytes of its struct, rounded up to a cache line. */
const WINDOW_FIELDS: usize = 13;
const WINDOW_BYTES: usize = 64;
/** With fewer output rows than this for each thread, threads share the filters of an image instead of its rows. */
const FEW_ROWS: i32 = 16;

/** Floats in front of the tables: the edge, the operand, the description of the patches, and a window of some rows. */
const HEAD: i32 = EDGE + <i32>((OPERANDS_BYTES + PATCHES_BYTES + WINDOW_BYTES) >> 2);

/** Floats of the table of a patch's runs: at most one a tap, and the end. */
// @ts-ignore: decorator
@inline
function tableOfRuns(taps: i32): i32 {
  return <i32>((<usize>(taps + 1) * RUN) >> 2);
}

/** Floats of workspace for `correlate` with filters of `taps` taps, `ow` output columns and `strip` floats of strip buffer. */
export function correlateSpace(ow: i32, taps: i32, strip: f64): f64 {
  return <f64>(HEAD + stripPixels(ow, PIXELS) + tableOfRuns(taps)) + strip;
}

/**
 * `Y[m, f] = act(R·W + b)` for one group of `cg` channels and `f` filters that lie packed at `panels`; `y` rows are
 * `yRow` bytes apart. `zoomH`, `zoomW` above 1 read the image as if zoom − 1 zeros stood between its pixels.
 */
export function correlate(
  window: Window,
  zoomH: i32,
  zoomW: i32,
  n: i32,
  cg: i32,
  x: usize,
  f: i32,
  panels: usize,
  y: usize,
  yRow: usize,
  bias: usize,
  activation: i32,
  alpha: f32,
  workspace: usize,
): void {
  const edge = workspace;
  const operand = operandAt(edge + EDGE_BYTES);
  const columns = panelsAt(edge + EDGE_BYTES);
  const patches = changetype<Patches>(edge + EDGE_BYTES + OPERANDS_BYTES);
  const k = window.kh * window.kw * cg;
  describePatches(patches, window, zoomH, zoomW, cg, PIXELS);
  operand.rows = workspace + ((<usize>HEAD) << 2);
  operand.runs = operand.rows + ((<usize>stripPixels(window.ow, PIXELS)) << 2);
  const strips = operand.runs + ((<usize>tableOfRuns(window.kh * window.kw)) << 2);
  operand.step = 4;
  const byPixels = cg == 1 && window.strideW == 1 && patches.pixel == 4 && suitsPixelVectors(f, window.ow);
  for (let image = 0; image < n; image += patches.images) {
    const images = min(patches.images, n - image);
    for (let row = 0; row < window.oh; row += patches.rows) {
      const rows = min(patches.rows, window.oh - row);
      const strip = openStrip(patches, x, image, images, row, rows, strips);
      const c = y + <usize>((image * window.oh + row) * window.ow) * yRow;
      if (byPixels) {
        patchRuns(patches, 0, k, operand.runs);
        pixelRows(patches, strip, images, rows, operand.runs, f, panels, c, yRow, bias, activation, alpha);
        continue;
      }
      const m = patchAddresses(patches, strip, images, rows, operand.rows);
      for (let pc = 0; pc < k; pc += BLOCK) {
        const end = min(k, pc + BLOCK);
        const fresh = pc == 0;
        patchRuns(patches, pc, end, operand.runs);
        describePanels(columns, panels + PANEL_ROW * pc, f, PANEL_ROW * k);
        if (end == k) gemmBlock(m, f, operand, columns, c, yRow, fresh, bias, activation, alpha, edge);
        else gemmBlock(m, f, operand, columns, c, yRow, fresh, 0, Activation.linear, 0, edge);
      }
    }
  }
}

/** The output rows of a strip of images with one channel. */
function pixelRows(
  p: Patches,
  strip: usize,
  images: i32,
  rows: i32,
  runs: usize,
  f: i32,
  panels: usize,
  y: usize,
  yRow: usize,
  bias: usize,
  activation: i32,
  alpha: f32,
): void {
  const window = p.window;
  const stride = PANEL_ROW * window.kh * window.kw;
  for (let i = 0; i < images; i++) {
    let line = strip + <usize>i * p.image;
    for (let r = 0; r < rows; r++) {
      pixelRow(window.ow, f, line, runs, panels, stride, y, yRow, bias, activation);
      line += <usize>window.strideH * p.row;
      for (let ox = 0; ox < window.ow; ox++) {
        if (activation != Activation.linear && activation != Activation.relu)
          activate(activation, alpha, y, y, f);
        y += yRow;
      }
    }
  }
}

/**
 * This thread's share of `correlate`: images, or rows of the output of each image, or filters. The window of its rows is
 * a window of the same image that starts further down.
 */
export function correlateShare(
  window: Window,
  zoomH: i32,
  zoomW: i32,
  n: i32,
  cg: i32,
  x: usize,
  f: i32,
  panels: usize,
  y: usize,
  yRow: usize,
  bias: usize,
  activation: i32,
  alpha: f32,
  workspace: usize,
): void {
  const byFilters = n < shares() && window.oh < FEW_ROWS * shares() && f >= NR * shares();
  if (byFilters) {
    const f0 = firstShare(f, NR);
    const own = endShare(f, NR) - f0;
    const at = (<usize>f0) << 2;
    panels += <usize>(window.kh * window.kw * cg) * at;
    if (bias) bias += at;
    correlate(window, zoomH, zoomW, n, cg, x, own, panels, y + at, yRow, bias, activation, alpha, workspace);
    return;
  }
  const imageX = (<usize>(window.h * window.w * window.c)) << 2;
  const imageY = <usize>(window.oh * window.ow) * yRow;
  if (n >= shares()) {
    const i0 = firstShare(n);
    x += <usize>i0 * imageX;
    y += <usize>i0 * imageY;
    n = endShare(n) - i0;
    correlate(window, zoomH, zoomW, n, cg, x, f, panels, y, yRow, bias, activation, alpha, workspace);
    return;
  }
  const r0 = firstShare(window.oh);
  const part = changetype<Window>(workspace + EDGE_BYTES + OPERANDS_BYTES + PATCHES_BYTES);
  memory.copy(changetype<usize>(part), changetype<usize>(window), 4 * WINDOW_FIELDS);
  part.oh = endShare(window.oh) - r0;
  part.top = window.top - r0 * window.strideH;
  if (part.oh == 0) return;
  y += <usize>(r0 * window.ow) * yRow;
  for (let image = 0; image < n; image++) {
    correlate(part, zoomH, zoomW, 1, cg, x, f, panels, y, yRow, bias, activation, alpha, workspace);
    x += imageX;
    y += imageY;
  }
}
