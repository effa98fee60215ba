/** The filter gradient of a convolution as a product over implicitly unfolded patches (see `conv2d.ts`). */
import { Activation } from "../lib/activations";
import {
  describePanels,
  EDGE,
  EDGE_BYTES,
  gemmBlock,
  KC,
  operandAt,
  OPERANDS_BYTES,
  panelsAt,
  rowTable,
  SINGLE_RUN_BYTES,
  singleRun,
} from "../gemm/block";
import { MR, RUN } from "../gemm/micro";
import { packPanels, paddedColumns, PANEL_ROW } from "../gemm/pack";
import {
  describePatches,
  elementOffsets,
  gatherElements,
  openStrip,
  Patches,
  PATCHES_BYTES,
  rowRuns,
  stripFloats,
  stripPixels,
} from "./patches";
import { endShare, firstShare, share, shares } from "../lib/share";
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

/** Floats in front of the tables. */
const HEAD: i32 = EDGE + <i32>((OPERANDS_BYTES + PATCHES_BYTES + SINGLE_RUN_BYTES) >> 2) + ROWS;

// @ts-ignore: decorator
@inline
function isGathered(cg: i32, fg: i32): bool {
  return min(cg, fg) >= GATHER;
}

/** Floats of the table of a strip's rows: at most one a pixel, and the end. */
// @ts-ignore: decorator
@inline
function rowTableSize(pixels: i32): i32 {
  return <i32>((<usize>(pixels + 1) * RUN) >> 2);
}

/** Floats of workspace for `conv2dBackpropFilter`. @size */
export function conv2dBackpropFilterWorkspace(window: Window, f: i32, groups: i32): f64 {
  const cg = window.c / groups;
  const fg = f / groups;
  const k = window.kh * window.kw * cg;
  const pixels = stripPixels(window.ow, PIXELS);
  return (
    <f64>shares() *
    (<f64>(HEAD + rowTableSize(pixels)) +
      <f64>k +
      <f64>pixels * <f64>paddedColumns(fg) +
      (isGathered(cg, fg) ? <f64>pixels * <f64>ROWS : 0) +
      stripFloats(window.ow, window.strideW, window, cg))
  );
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
  workspace += <usize>share() * <usize>(conv2dBackpropFilterWorkspace(window, f, groups) / shares()) * 4;
  const columns = panelsAt(workspace + EDGE_BYTES);
  const patches = changetype<Patches>(workspace + EDGE_BYTES + OPERANDS_BYTES);
  const elements = workspace + ((<usize>HEAD) << 2);
  const runs = elements + ((<usize>k) << 2);
  const pixels = stripPixels(window.ow, PIXELS);
  const panels = runs + ((<usize>rowTableSize(pixels)) << 2);
  const gathered = panels + ((<usize>(pixels * paddedColumns(fg))) << 2);
  const strips = gathered + (isGathered(cg, fg) ? (<usize>(pixels * ROWS)) << 2 : 0);
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
        describePanels(columns, panels, fg, PANEL_ROW * kc);
        if (isGathered(cg, fg))
          addGathered(patches, q0, q1, kc, fg, dw + first, row, fresh, gathered, workspace);
        else addInPlace(patches, q0, q1, fg, dw + first, row, fresh, workspace);
        from += kc * row;
        fresh = false;
      }
    }
  }
}

/** Adds a strip's part to rows `[q0, q1)` of dW, reading the elements of its patches where they lie. */
function addInPlace(
  p: Patches,
  q0: i32,
  q1: i32,
  fg: i32,
  dw: usize,
  row: usize,
  fresh: bool,
  workspace: usize,
): void {
  const elements = workspace + ((<usize>HEAD) << 2);
  const operand = operandAt(workspace + EDGE_BYTES);
  operand.rows = elements + ((<usize>q0) << 2);
  operand.runs = elements + ((<usize>(p.runs * p.length)) << 2);
  operand.step = <usize>p.window.strideW * p.pixel;
  const columns = panelsAt(workspace + EDGE_BYTES);
  gemmBlock(
    q1 - q0,
    fg,
    operand,
    columns,
    dw + <usize>q0 * row,
    row,
    fresh,
    0,
    Activation.linear,
    0,
    workspace,
  );
}

/** The same for a strip of `kc` patches, whose elements are gathered at `block` for a few rows of dW at a time. */
function addGathered(
  p: Patches,
  q0: i32,
  q1: i32,
  kc: i32,
  fg: i32,
  dw: usize,
  row: usize,
  fresh: bool,
  block: usize,
  workspace: usize,
): void {
  const elements = workspace + ((<usize>HEAD) << 2);
  const runs = elements + ((<usize>(p.runs * p.length)) << 2);
  const operand = operandAt(workspace + EDGE_BYTES);
  const columns = panelsAt(workspace + EDGE_BYTES);
  operand.runs = workspace + EDGE_BYTES + OPERANDS_BYTES + PATCHES_BYTES;
  operand.rows = operand.runs + SINGLE_RUN_BYTES;
  singleRun(operand.runs, kc);
  for (let q = q0; q < q1; q += ROWS) {
    const rows = min(ROWS, q1 - q);
    gatherElements(p, elements, q, rows, runs, <usize>p.window.strideW * p.pixel, block);
    rowTable(operand.rows, rows, block, 4);
    operand.step = (<usize>rows) << 2;
    gemmBlock(
      rows,
      fg,
      operand,
      columns,
      dw + <usize>q * row,
      row,
      fresh,
      0,
      Activation.linear,
      0,
      workspace,
    );
  }
}
