/**
 * Matrix products around the register tile.
 *
 *   for pc in K by KC          rows of B packed into panels: KC × N floats
 *     for ic in M by MC        a block of A, packed when its columns are strided: MC × KC floats (L2)
 *       for jr in N by NR      one panel: KC × 8 floats (L1)
 *         for ir in M by MR    the register tile
 *
 * KC and MC are for the caches alone: every element of C stays one running sum in ascending order of k.
 */
import { activationForward } from "../activation";
import { copyFloats, copyTail } from "./copy";
import { gemm1x8, gemm2x8, gemm3x8, gemm4x8, gemm5x8, MR, NR } from "./micro";
import { packLastPanel, packPanels, packPanelsTransposed, paddedColumns, PANEL_ROW } from "./pack";

/** Steps of the reduction in one block: a panel of 8 columns (8 KB) and 5 rows of A (5 KB) share L1 with room left. */
export const KC: i32 = 256;
/** Floats of a block of A: 64 KB, a fraction of any L2. */
export const BLOCK: i32 = 16384;
/** Below this many rows, packing B costs more than reading it in place. */
const PACK_ROWS: i32 = 2 * MR;
/** Bytes of a tile of C that is narrower than the register tile: MR × NR floats. */
export const EDGE_BYTES: usize = (<usize>(MR * NR)) << 2;

/** Rows of a block of A with `kc` columns: a multiple of the tile's rows. */
export function blockRows(kc: i32): i32 {
  return max(MR, (BLOCK / kc / MR) * MR);
}

/** One register tile of `rows` (1 to 5) rows. */
// @ts-ignore: decorator
@inline
function tile(
  rows: i32,
  kc: i32,
  a: usize,
  aRow: usize,
  aCol: usize,
  b: usize,
  bRow: usize,
  c: usize,
  cRow: usize,
  fresh: bool,
  bias: usize,
  relu: bool,
): void {
  if (rows >= 5) gemm5x8(kc, a, aRow, aCol, b, bRow, c, cRow, fresh, bias, relu);
  else if (rows == 4) gemm4x8(kc, a, aRow, aCol, b, bRow, c, cRow, fresh, bias, relu);
  else if (rows == 3) gemm3x8(kc, a, aRow, aCol, b, bRow, c, cRow, fresh, bias, relu);
  else if (rows == 2) gemm2x8(kc, a, aRow, aCol, b, bRow, c, cRow, fresh, bias, relu);
  else gemm1x8(kc, a, aRow, aCol, b, bRow, c, cRow, fresh, bias, relu);
}

/**
 * `C[m, n] (+)= A[m, kc] · B[kc, n]` for one block of A and `B` in panels (or in place: `bRow` its row stride and
 * `panelStride` the 32 bytes to the next eight columns). `bLast` is the panel that holds the columns after the last
 * multiple of eight, padded with zeros. `edge` is room for `EDGE_BYTES` and 8 floats of bias behind it.
 */
export function gemmBlock(
  m: i32,
  n: i32,
  kc: i32,
  a: usize,
  aRow: usize,
  aCol: usize,
  b: usize,
  bRow: usize,
  panelStride: usize,
  bLast: usize,
  c: usize,
  cRow: usize,
  fresh: bool,
  bias: usize,
  relu: bool,
  edge: usize,
): void {
  let j = 0;
  for (; j + NR <= n; j += NR) {
    let ai = a;
    let ci = c;
    for (let i = m; i > 0; i -= MR) {
      tile(i, kc, ai, aRow, aCol, b, bRow, ci, cRow, fresh, bias, relu);
      ai += MR * aRow;
      ci += MR * cRow;
    }
    b += panelStride;
    c += PANEL_ROW;
    if (bias) bias += PANEL_ROW;
  }
  if (j < n) lastColumns(m, n - j, kc, a, aRow, aCol, bLast, c, cRow, fresh, bias, relu, edge);
}

/** The columns after the last multiple of eight: tiles are computed beside C and only `cols` columns of them kept. */
function lastColumns(
  m: i32,
  cols: i32,
  kc: i32,
  a: usize,
  aRow: usize,
  aCol: usize,
  b: usize,
  c: usize,
  cRow: usize,
  fresh: bool,
  bias: usize,
  relu: bool,
  edge: usize,
): void {
  if (bias) {
    const padded = edge + EDGE_BYTES;
    copyFloats(padded, bias, cols);
    bias = padded;
  }
  for (let i = m; i > 0; i -= MR) {
    const rows = min(i, MR);
    if (!fresh) copyColumns(edge, PANEL_ROW, c, cRow, rows, cols);
    tile(rows, kc, a, aRow, aCol, b, PANEL_ROW, edge, PANEL_ROW, fresh, bias, relu);
    copyColumns(c, cRow, edge, PANEL_ROW, rows, cols);
    a += MR * aRow;
    c += MR * cRow;
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

/** Copies a strided block `[rows, cols]` of floats to dense rows. */
function packBlock(rows: i32, cols: i32, src: usize, srcRow: usize, dst: usize): void {
  const dstRow = (<usize>cols) << 2;
  for (let i = rows; i > 0; i--) {
    copyFloats(dst, src, cols);
    dst += dstRow;
    src += srcRow;
  }
}

/** Floats of workspace that `gemm` needs for a product with `n` columns and a reduction of length `k`. */
export function gemmWorkspace(n: i32, k: i32): i32 {
  return MR * NR + NR + min(k, KC) * paddedColumns(n) + max(BLOCK, MR * min(k, KC));
}

/**
 * `C[m, n] = act(op(A) · op(B) + bias)`, or `C += …` with `accumulate`.
 *
 * `op(A)` is `[m, k]`, stored so or, with `transposeA`, as `[k, m]`; `op(B)` is `[k, n]`, stored so or, with
 * `transposeB`, as `[n, k]`. `lda`, `ldb`, `ldc` are the row strides of what is stored, in elements. `bias` is `[n]` or
 * 0. `activation` and `alpha` as in `activation.ts`.
 *
 * Order: each element is one running float32 sum over k = 0, 1, …, then the bias, then the activation.
 * Error: |ĉ − c| ≤ γ_{k+1} · (|A|·|B| + |bias|) with γ_k = k·u / (1 − k·u), u = 2⁻²⁴ (Higham 2002, §3.1).
 */
export function gemm(
  transposeA: bool,
  transposeB: bool,
  m: i32,
  n: i32,
  k: i32,
  a: usize,
  lda: i32,
  b: usize,
  ldb: i32,
  c: usize,
  ldc: i32,
  bias: usize,
  activation: i32,
  alpha: f32,
  accumulate: bool,
  workspace: usize,
): void {
  const relu = activation == 1;
  const edge = workspace;
  const panels = edge + EDGE_BYTES + PANEL_ROW;
  const block = panels + ((<usize>(min(k, KC) * paddedColumns(n))) << 2);
  const aStride = (<usize>lda) << 2;
  const bStride = (<usize>ldb) << 2;
  const cRow = (<usize>ldc) << 2;
  const whole = n & -NR;
  const inPlace = !transposeB && m <= PACK_ROWS;
  for (let pc = 0; pc < k; pc += KC) {
    const kc = min(KC, k - pc);
    const last = pc + kc == k;
    let panelStride = PANEL_ROW * kc;
    let bRow = PANEL_ROW;
    let bFirst = panels;
    let bLast = panels + (whole / NR) * panelStride;
    if (transposeB) {
      packPanelsTransposed(kc, n, b + ((<usize>pc) << 2), bStride, panels, panelStride);
    } else if (inPlace) {
      bFirst = b + pc * bStride;
      bRow = bStride;
      panelStride = PANEL_ROW;
      bLast = panels;
      if (whole < n) packLastPanel(kc, n - whole, bFirst + ((<usize>whole) << 2), bStride, panels);
    } else {
      packPanels(kc, n, b + pc * bStride, bStride, panels, panelStride);
    }
    const mc = blockRows(kc);
    for (let ic = 0; ic < m; ic += mc) {
      const rows = min(mc, m - ic);
      let ai = a + ic * aStride + ((<usize>pc) << 2);
      let aRow = aStride;
      let aCol: usize = 4;
      if (transposeA) {
        packBlock(kc, rows, a + pc * aStride + ((<usize>ic) << 2), aStride, block);
        ai = block;
        aRow = 4;
        aCol = (<usize>rows) << 2;
      }
      gemmBlock(
        rows,
        n,
        kc,
        ai,
        aRow,
        aCol,
        bFirst,
        bRow,
        panelStride,
        bLast,
        c + ic * cRow,
        cRow,
        pc == 0 && !accumulate,
        last ? bias : 0,
        last && relu,
        edge,
      );
    }
  }
  if (activation > 1)
    for (let i = 0; i < m; i++) activationForward(activation, alpha, c + i * cRow, c + i * cRow, n);
}
