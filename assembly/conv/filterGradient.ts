/** The filter gradient of a convolution as a product over implicitly unfolded patches (see `conv2d.ts`). */
import { Activation } from "../lib/activations";
import {
  describePanels,
  gemmBlock,
  KC,
  openProduct,
  Product,
  rowTable,
  singleRun,
  takeProduct,
} from "../gemm/block";
import { MR, RUN } from "../gemm/micro";
import { packPanels, paddedColumns, PANEL_ROW } from "../gemm/pack";
import {
  describePatches,
  elementOffsets,
  gatherElements,
  openStrip,
  Patches,
  rowRuns,
  stripFloats,
  stripPixels,
} from "./patches";
import { endShare, firstShare } from "../lib/share";
import { openWorkspace, take, takeFloats, workspaceFloats } from "../lib/workspace";
import { Window } from "../lib/window";

/** Output pixels in a strip: the reduction's block, unless one row has more. */
const PIXELS: i32 = KC;

/**
 * From this many input channels and filters on, elements of the patches are gathered before they are multiplied. Read
 * in place, one element's pixels are `c` floats apart, with many channels a multiple of a page: they would all want the
 * same lines of L1 and come from L2, once for every eight filters.
 */
const GATHER: i32 = 64;
/** Rows of dW for which elements are gathered: with a strip's pixels 20 KB, and the rows' lines of dW stay in L2. */
const ROWS: i32 = 4 * MR;

// @ts-ignore: decorator
@inline
function isGathered(cg: i32, fg: i32): bool {
  return min(cg, fg) >= GATHER;
}

/**
 * The description of the patches, the tables of a patch's elements and of a strip's runs, the panels of dY, the gathered
 * elements, and the strips.
 */
let patchesAt: usize = 0;
let elements: usize = 0;
let runs: usize = 0;
let panels: usize = 0;
let gathered: usize = 0;
let strips: usize = 0;

/** Runs of a strip are at most one a pixel, and the end. */
function layOut(window: Window, f: i32, groups: i32): void {
  const cg = window.c / groups;
  const fg = f / groups;
  const pixels = stripPixels(window.ow, PIXELS);
  takeProduct(ROWS);
  patchesAt = take(offsetof<Patches>());
  elements = takeFloats(<f64>(window.kh * window.kw * cg));
  runs = takeFloats((<f64>pixels + 1) * <f64>(RUN >> 2));
  panels = takeFloats(<f64>pixels * <f64>paddedColumns(fg));
  gathered = takeFloats(isGathered(cg, fg) ? <f64>pixels * <f64>ROWS : 0);
  strips = takeFloats(stripFloats(window.ow, window.strideW, window, cg));
}

/** Floats of workspace for `conv2dBackpropFilter`. @size */
export function conv2dBackpropFilterWorkspace(window: Window, f: i32, groups: i32): f64 {
  openWorkspace(0);
  layOut(window, f, groups);
  return workspaceFloats();
}

/**
 * `dw[kh, kw, c/groups, f] = im2row(x)ᵀ · dy`.
 *
 * Row `q` of the product is one tap and channel; the reduction runs over the output pixels, a run for each output row.
 *
 * Order: one running float32 sum over the output pixels (image, oy, ox) ascending. Error: γ_m·(|R|ᵀ·|dY|).
 *
 * @split unfolded(window, n) * f / groups
 */
export function conv2dBackpropFilter(
  window: Window,
  n: i32,
  f: i32,
  groups: i32,
  x: usize,
  dy: usize,
  dw: usize,
  workspace: usize,
): void {
  const cg = window.c / groups;
  const fg = f / groups;
  const k = window.kh * window.kw * cg;
  // Threads share the rows of the product, which are elements of a patch.
  const q0 = firstShare(k, MR);
  const q1 = endShare(k, MR);
  if (q0 == q1) return;
  const row = (<usize>f) << 2;
  openWorkspace(workspace);
  layOut(window, f, groups);
  const p = openProduct();
  const patches = changetype<Patches>(patchesAt);
  describePatches(patches, window, 1, 1, cg, PIXELS);
  elementOffsets(patches, elements);
  for (let g = 0; g < groups; g++) {
    const first = (<usize>(g * fg)) << 2;
    const xg = x + ((<usize>(g * cg)) << 2);
    let from = dy + first;
    let fresh = true;
    for (let image = 0; image < n; image += patches.images) {
      const images = min(patches.images, n - image);
      for (let r = 0; r < window.oh; r += patches.rows) {
        const rows = min(patches.rows, window.oh - r);
        const strip = openStrip(patches, xg, image, images, r, rows, strips);
        const kc = rowRuns(patches, strip, images, rows, runs);
        packPanels(kc, fg, from, row, panels, PANEL_ROW * kc, true);
        describePanels(p, panels, fg, PANEL_ROW * kc);
        if (isGathered(cg, fg)) addGathered(p, patches, q0, q1, kc, fg, dw + first, row, fresh);
        else addInPlace(p, patches, q0, q1, fg, dw + first, row, fresh);
        from += kc * row;
        fresh = false;
      }
    }
  }
}

/** Adds a strip's part to rows `[q0, q1)` of dW, reading the elements of its patches where they lie. */
function addInPlace(
  p: Product,
  patches: Patches,
  q0: i32,
  q1: i32,
  fg: i32,
  dw: usize,
  row: usize,
  fresh: bool,
): void {
  p.rows = elements + ((<usize>q0) << 2);
  p.runs = runs;
  p.step = <usize>patches.window.strideW * patches.pixel;
  gemmBlock(q1 - q0, fg, p, dw + <usize>q0 * row, row, fresh, 0, Activation.linear, 0);
}

/** The same for a strip of `kc` patches, whose elements are gathered for a few rows of dW at a time. */
function addGathered(
  p: Product,
  patches: Patches,
  q0: i32,
  q1: i32,
  kc: i32,
  fg: i32,
  dw: usize,
  row: usize,
  fresh: bool,
): void {
  singleRun(p, kc);
  for (let q = q0; q < q1; q += ROWS) {
    const rows = min(ROWS, q1 - q);
    gatherElements(patches, elements, q, rows, runs, <usize>patches.window.strideW * patches.pixel, gathered);
    rowTable(p.rows, rows, gathered, 4);
    p.step = (<usize>rows) << 2;
    gemmBlock(rows, fg, p, dw + <usize>q * row, row, fresh, 0, Activation.linear, 0);
  }
}
