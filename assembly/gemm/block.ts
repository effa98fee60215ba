/**
 * The register tile over one block of the reduction: `C[m, n] (+)= A · B` with `A` and `B` where the caches want them, and
 * the epilogue while `C` is there too.
 */
import { activate } from "../elementwise/activation";
import { Activation, ceilingOf, floorOf, isClip } from "../lib/activations";
import { takeFloats } from "../lib/workspace";
import { add4, atLeast4, atMost4, load4, splat, store4 } from "../lib/simd";
import { copyFloats } from "../lib/copy";
import { gemm1x8Dense, gemm2x8Dense, gemm3x8Dense, gemm4x8Dense, gemm5x8Dense } from "./dense";
import { gemm1x8, gemm2x8, gemm3x8, gemm4x8, gemm5x8, MR, NR, RUN } from "./micro";
import { PANEL_ROW } from "./pack";

/** Steps of the reduction in one block: a panel of 8 columns (8 KB) and 5 rows of A (5 KB) share L1 with room left. */
export const KC: i32 = 256;
/** Floats beside C for tiles that are narrower than the register tile: one tile and its bias. */
const EDGE: i32 = MR * NR + NR;

/** Eight floats of −0, which change no sum. */
const NO_BIAS: usize = memory.data<f32>([-0.0, -0.0, -0.0, -0.0, -0.0, -0.0, -0.0, -0.0], 16);

/** Bounds of the clips, four floats of each: linear, relu, relu6. */
// prettier-ignore
const BOUNDS: usize = memory.data<f32>([
  -Infinity, -Infinity, -Infinity, -Infinity, Infinity, Infinity, Infinity, Infinity,
  0, 0, 0, 0, Infinity, Infinity, Infinity, Infinity,
  0, 0, 0, 0, 6, 6, 6, 6,
], 16);

// @ts-ignore: decorator
@inline
function boundsOf(clip: i32): usize {
  return BOUNDS + (clip == Activation.linear ? 0 : clip == Activation.relu ? 32 : 64);
}

/** The operands of a product as the register tile reads them (see `micro.ts`), and what it needs beside them. */
@unmanaged
export class Product {
  /** The operand `A`: the table of the rows' addresses, the table of the runs, and the bytes from one step to the next. */
  rows: usize;
  runs: usize;
  step: usize;
  /**
   * The operand `B`, in panels of eight columns or in place: the first eight columns, the bytes to their next row, and to the next
   * eight columns.
   */
  first: usize;
  row: usize;
  stride: usize;
  /** The packed panel of the columns after the last multiple of eight, padded with zeros. */
  last: usize;
}

/** Behind the struct lie `EDGE` floats, from a whole vector on, the table of a single run, and a table of rows. */
const EDGE_AT: usize = (offsetof<Product>() + 15) & -16;
const SINGLE_RUN_AT: usize = EDGE_AT + 4 * EDGE;
const ROWS_AT: usize = SINGLE_RUN_AT + 2 * RUN;

/** The product whose workspace was taken last. */
let product: usize = 0;

/** Takes the workspace of a product, with a table of `rows` rows. */
export function takeProduct(rows: i32): void {
  product = takeFloats(<f64>(ROWS_AT >> 2) + <f64>rows);
}

/** The product whose workspace was taken last, its rows in that table. */
export function openProduct(): Product {
  const p = changetype<Product>(product);
  p.rows = product + ROWS_AT;
  return p;
}

/** Describes `n` columns that are packed at `p`, `stride` bytes a panel. */
export function describePanels(p: Product, at: usize, n: i32, stride: usize): void {
  p.first = at;
  p.row = PANEL_ROW;
  p.stride = stride;
  p.last = at + (n / NR) * stride;
}

/** Makes `A` one run of `length` steps. */
export function singleRun(p: Product, length: i32): void {
  const table = changetype<usize>(p) + SINGLE_RUN_AT;
  p.runs = table;
  store<usize>(table, 0);
  store<i32>(table, length, 4);
  store<i32>(table, 0, RUN + 4);
}

/** Writes the addresses of `m` rows, `stride` bytes apart. */
export function rowTable(table: usize, m: i32, first: usize, stride: usize): void {
  for (let i = m; i > 0; i--) {
    store<usize>(table, first);
    table += 4;
    first += stride;
  }
}

/** Rows of the next tile when `rest` are left: six become three and three, since a single row keeps no unit busy. */
// @ts-ignore: decorator
@inline
function tileRows(rest: i32): i32 {
  return rest == MR + 1 ? 3 : min(rest, MR);
}

/** Tiles of five rows before the rest of `rest` rows. */
// @ts-ignore: decorator
@inline
function wholeTiles(rest: i32): i32 {
  const whole = rest / MR;
  return rest - whole * MR == 1 ? whole - 1 : whole;
}

/**
 * `count` register tiles of `rows` (5 or fewer) rows, one below the other from row `i` on, with their epilogue:
 * `+ bias[8]`, then the bounds of `clip`.
 */
// @ts-ignore: decorator
@inline
function tiles(
  rows: i32,
  count: i32,
  p: Product,
  i: usize,
  b: usize,
  bRow: usize,
  c: usize,
  cRow: usize,
  fresh: bool,
  bias: usize,
  clip: i32,
): void {
  let at = p.rows + (i << 2);
  if (p.step == 4 && bRow == PANEL_ROW) {
    if (!bias) bias = NO_BIAS;
    const bounds = boundsOf(clip);
    if (rows == MR) gemm5x8Dense(count, at, p.runs, b, c, cRow, fresh, bias, bounds);
    else if (rows == 4) gemm4x8Dense(count, at, p.runs, b, c, cRow, fresh, bias, bounds);
    else if (rows == 3) gemm3x8Dense(count, at, p.runs, b, c, cRow, fresh, bias, bounds);
    else if (rows == 2) gemm2x8Dense(count, at, p.runs, b, c, cRow, fresh, bias, bounds);
    else gemm1x8Dense(count, at, p.runs, b, c, cRow, fresh, bias, bounds);
    return;
  }
  for (let t = count; t > 0; t--) {
    if (rows == MR) gemm5x8(at, p.runs, p.step, b, bRow, c, cRow, fresh);
    else if (rows == 4) gemm4x8(at, p.runs, p.step, b, bRow, c, cRow, fresh);
    else if (rows == 3) gemm3x8(at, p.runs, p.step, b, bRow, c, cRow, fresh);
    else if (rows == 2) gemm2x8(at, p.runs, p.step, b, bRow, c, cRow, fresh);
    else gemm1x8(at, p.runs, p.step, b, bRow, c, cRow, fresh);
    if (bias || clip != Activation.linear) finish(rows, c, cRow, bias, clip);
    at += (<usize>rows) << 2;
    c += <usize>rows * cRow;
  }
}

/**
 * The epilogue of a tile that has just been stored: `bias` is 8 floats, or 0 for none. Without branches in the rows: no
 * bias is −0, which changes no sum, and no activation has infinite bounds.
 */
// @ts-ignore: decorator
@inline
function finish(rows: i32, c: usize, cRow: usize, bias: usize, clip: i32): void {
  const b0 = bias ? load4(bias) : splat(-0.0);
  const b1 = bias ? load4(bias + 16) : splat(-0.0);
  const floor = splat(floorOf(clip));
  const ceiling = splat(ceilingOf(clip));
  if (rows == MR) {
    finishRow(c, b0, b1, floor, ceiling);
    finishRow(c + cRow, b0, b1, floor, ceiling);
    finishRow(c + 2 * cRow, b0, b1, floor, ceiling);
    finishRow(c + 3 * cRow, b0, b1, floor, ceiling);
    finishRow(c + 4 * cRow, b0, b1, floor, ceiling);
    return;
  }
  for (let i = rows; i > 0; i--) {
    finishRow(c, b0, b1, floor, ceiling);
    c += cRow;
  }
}

// @ts-ignore: decorator
@inline
function finishRow(c: usize, b0: v128, b1: v128, floor: v128, ceiling: v128): void {
  store4(c, atMost4(atLeast4(add4(load4(c), b0), floor), ceiling));
  store4(c + 16, atMost4(atLeast4(add4(load4(c + 16), b1), floor), ceiling));
}

/**
 * `C[m, n] (+)= A · B` for one block of the reduction, followed, in the last block, by `+ bias` and the activation while
 * `C` is in the cache.
 */
export function gemmBlock(
  m: i32,
  n: i32,
  p: Product,
  c: usize,
  cRow: usize,
  fresh: bool,
  bias: usize,
  activation: i32,
  alpha: f32,
): void {
  const clip = isClip(activation) ? activation : Activation.linear;
  let panel = p.first;
  let cj = c;
  let j = 0;
  for (; j + NR <= n; j += NR) {
    let ci = cj;
    for (let i = 0; i < m;) {
      const rows = tileRows(m - i);
      const count = rows == MR ? wholeTiles(m - i) : 1;
      tiles(rows, count, p, i, panel, p.row, ci, cRow, fresh, bias, clip);
      i += rows * count;
      ci += <usize>(rows * count) * cRow;
    }
    panel += p.stride;
    cj += PANEL_ROW;
    if (bias) bias += PANEL_ROW;
  }
  if (j < n) lastColumns(m, n - j, p, cj, cRow, fresh, bias, clip);
  if (clip == activation) return;
  // Rows that touch are one.
  const touch = cRow == (<usize>n) << 2;
  const length = touch ? m * n : n;
  for (let i = touch ? 1 : m; i > 0; i--) {
    activate(activation, alpha, c, c, length);
    c += cRow;
  }
}

/** The columns after the last multiple of eight: tiles are computed beside C and only `cols` columns of them kept. */
function lastColumns(
  m: i32,
  cols: i32,
  p: Product,
  c: usize,
  cRow: usize,
  fresh: bool,
  bias: usize,
  clip: i32,
): void {
  const edge = changetype<usize>(p) + EDGE_AT;
  if (bias) {
    const padded = edge + MR * PANEL_ROW;
    copyFloats(padded, bias, cols);
    bias = padded;
  }
  for (let i = 0; i < m;) {
    const rows = tileRows(m - i);
    if (!fresh) copyColumns(edge, PANEL_ROW, c, cRow, rows, cols);
    tiles(rows, 1, p, i, p.last, PANEL_ROW, edge, PANEL_ROW, fresh, bias, clip);
    copyColumns(c, cRow, edge, PANEL_ROW, rows, cols);
    i += rows;
    c += rows * cRow;
  }
}

/** Copies `rows` rows of `cols` (1 to 7) floats. */
// @ts-ignore: decorator
@inline
function copyColumns(dst: usize, dstRow: usize, src: usize, srcRow: usize, rows: i32, cols: i32): void {
  for (let i = rows; i > 0; i--) {
    copyFloats(dst, src, cols);
    dst += dstRow;
    src += srcRow;
  }
}
