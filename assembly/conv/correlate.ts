/** The product of implicit patches with packed filters: what the forward pass and the flipped gradient share. */
import { activate } from "../elementwise/activation";
import { Activation } from "../lib/activations";
import { describePanels, gemmBlock, openProduct, takeProduct } from "../gemm/block";
import { NR, RUN } from "../gemm/micro";
import { PANEL_ROW } from "../gemm/pack";
import { pixelRow, suitsPixelVectors } from "./oneChannel";
import { describePatches, openStrip, patchAddresses, patchRuns, Patches, stripPixels } from "./patches";
import { endShare, firstShare, shares } from "../lib/share";
import { take, takeFloats } from "../lib/workspace";
import { Window } from "../lib/window";

/** Steps of a sum in one block: a panel of filters (16 KB) and five rows of patches (10 KB) share L1. */
const BLOCK: i32 = 512;
/** Output pixels in a strip, unless one row has more. */
const PIXELS: i32 = 512;
/** With fewer output rows than this for each thread, threads share the filters of an image instead of its rows. */
const FEW_ROWS: i32 = 16;

/** The description of the patches, a window of some rows, the table of a patch's runs, and the strips. */
let patchesAt: usize = 0;
let partAt: usize = 0;
let runs: usize = 0;
let strips: usize = 0;

/**
 * Takes the workspace of `correlate` with filters of `taps` taps, `ow` output columns and `strip` floats of strip buffer. Runs
 * of a patch are at most one a tap, and the end.
 */
export function takeCorrelation(ow: i32, taps: i32, strip: f64): void {
  takeProduct(stripPixels(ow, PIXELS));
  patchesAt = take(offsetof<Patches>());
  partAt = take(offsetof<Window>());
  runs = takeFloats((<f64>taps + 1) * <f64>(RUN >> 2));
  strips = takeFloats(strip);
}

/**
 * `Y[m, f] = act(R·W + b)` for one group of `cg` channels and `f` filters that lie packed at `panels`; `y` rows are
 * `yRow` bytes apart. `zoomH`, `zoomW` above 1 read the image as if zoom − 1 zeros stood between its pixels. Its workspace is
 * what `takeCorrelation` took last.
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
): void {
  const p = openProduct();
  const patches = changetype<Patches>(patchesAt);
  const k = window.kh * window.kw * cg;
  describePatches(patches, window, zoomH, zoomW, cg, PIXELS);
  p.runs = runs;
  p.step = 4;
  const byPixels = cg == 1 && window.strideW == 1 && patches.pixel == 4 && suitsPixelVectors(f, window.ow);
  for (let image = 0; image < n; image += patches.images) {
    const images = min(patches.images, n - image);
    for (let row = 0; row < window.oh; row += patches.rows) {
      const rows = min(patches.rows, window.oh - row);
      const strip = openStrip(patches, x, image, images, row, rows, strips);
      const c = y + <usize>((image * window.oh + row) * window.ow) * yRow;
      if (byPixels) {
        patchRuns(patches, 0, k, p.runs);
        pixelRows(patches, strip, images, rows, p.runs, f, panels, c, yRow, bias, activation, alpha);
        continue;
      }
      const m = patchAddresses(patches, strip, images, rows, p.rows);
      for (let pc = 0; pc < k; pc += BLOCK) {
        const end = min(k, pc + BLOCK);
        const fresh = pc == 0;
        patchRuns(patches, pc, end, p.runs);
        describePanels(p, panels + PANEL_ROW * pc, f, PANEL_ROW * k);
        if (end == k) gemmBlock(m, f, p, c, yRow, fresh, bias, activation, alpha);
        else gemmBlock(m, f, p, c, yRow, fresh, 0, Activation.linear, 0);
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
): void {
  const byFilters = n < shares() && window.oh < FEW_ROWS * shares() && f >= NR * shares();
  if (byFilters) {
    const f0 = firstShare(f, NR);
    const own = endShare(f, NR) - f0;
    const at = (<usize>f0) << 2;
    panels += <usize>(window.kh * window.kw * cg) * at;
    if (bias) bias += at;
    correlate(window, zoomH, zoomW, n, cg, x, own, panels, y + at, yRow, bias, activation, alpha);
    return;
  }
  const imageX = (<usize>(window.h * window.w * window.c)) << 2;
  const imageY = <usize>(window.oh * window.ow) * yRow;
  if (n >= shares()) {
    const i0 = firstShare(n);
    x += <usize>i0 * imageX;
    y += <usize>i0 * imageY;
    n = endShare(n) - i0;
    correlate(window, zoomH, zoomW, n, cg, x, f, panels, y, yRow, bias, activation, alpha);
    return;
  }
  const r0 = firstShare(window.oh);
  const part = changetype<Window>(partAt);
  memory.copy(partAt, changetype<usize>(window), offsetof<Window>());
  part.oh = endShare(window.oh) - r0;
  part.top = window.top - r0 * window.strideH;
  if (part.oh == 0) return;
  y += <usize>(r0 * window.ow) * yRow;
  for (let image = 0; image < n; image++) {
    correlate(part, zoomH, zoomW, 1, cg, x, f, panels, y, yRow, bias, activation, alpha);
    x += imageX;
    y += imageY;
  }
}
