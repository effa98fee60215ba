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
import { activate } from "../elementwise/activation";
import { Activation } from "../lib/activations";
import { endShare, firstShare } from "../lib/share";
import { openWorkspace, takeFloats, workspaceFloats } from "../lib/workspace";
import {
  describePanels,
  gemmBlock,
  KC,
  openProduct,
  Product,
  rowTable,
  singleRun,
  takeProduct,
} from "./block";
import { addFloats, copyFloats } from "../lib/copy";
import { gemv } from "./gemv";
import { MR, NR } from "./micro";
import { packLastPanel, packPanels, packPanelsTransposed, paddedColumns, PANEL_ROW } from "./pack";

/** Rows of A in one block: with KC floats each 60 KB, a fraction of any L2. */
const MC: i32 = 60;
/** Up to this many rows, packing B costs more than reading it in place. */
const PACK_ROWS: i32 = 2 * MR;

/** Copies a strided block `[rows, cols]` of floats to dense rows. */
function packBlock(rows: i32, cols: i32, src: usize, srcRow: usize, dst: usize): void {
  const dstRow = (<usize>cols) << 2;
  for (let i = rows; i > 0; i--) {
    copyFloats(dst, src, cols);
    dst += dstRow;
    src += srcRow;
  }
}

/** The panels of B, and a block of A. */
let panels: usize = 0;
let block: usize = 0;

function layOut(n: i32, k: i32): void {
  const depth = min(k, KC);
  takeProduct(MC);
  panels = takeFloats(<f64>depth * <f64>paddedColumns(n));
  block = takeFloats(<f64>(depth * MC));
}

/** Floats of workspace that `gemm` needs for a product with `n` columns and a reduction of length `k`. @size */
export function gemmWorkspace(n: i32, k: i32): f64 {
  openWorkspace(0);
  layOut(n, k);
  return workspaceFloats();
}

/**
 * Packs `kc` rows of `op(B)`, or leaves them in place when `m` is too small for packing to pay and they are
 * taken `asIs`.
 */
function readB(
  p: Product,
  transposed: bool,
  m: i32,
  n: i32,
  kc: i32,
  from: usize,
  bRow: usize,
  asIs: bool,
): void {
  const stride = PANEL_ROW * kc;
  const whole = n & -NR;
  describePanels(p, panels, n, stride);
  if (transposed) {
    packPanelsTransposed(kc, n, from, bRow, panels, stride, asIs);
  } else if (m > PACK_ROWS || !asIs) {
    packPanels(kc, n, from, bRow, panels, stride, asIs);
  } else {
    p.first = from;
    p.row = bRow;
    p.stride = PANEL_ROW;
    p.last = panels;
    if (whole < n) packLastPanel(kc, n - whole, from + ((<usize>whole) << 2), bRow, panels, asIs);
  }
}

/** Points at `rows` rows of `op(A)`; those of a transposed matrix are packed first. */
function readA(p: Product, transposed: bool, rows: i32, kc: i32, from: usize, aRow: usize): void {
  if (transposed) {
    packBlock(kc, rows, from, aRow, block);
    p.step = (<usize>rows) << 2;
    rowTable(p.rows, rows, block, 4);
  } else {
    p.step = 4;
    rowTable(p.rows, rows, from, aRow);
  }
}

/**
 * `C[m, n] = act(op(A) · op(B) + bias)`, or `act(C + op(A) · op(B) + bias)` with `accumulate`.
 *
 * `op(A)` is `[m, k]`, stored so or, with `transposeA`, as `[k, m]`; `op(B)` is `[k, n]`, stored so or, with
 * `transposeB`, as `[n, k]`. `lda`, `ldb`, `ldc` are the row strides of what is stored, in elements. `bias` is `[n]` or
 * 0. `activation` and `alpha` as in `activation.ts`. Subnormal elements of `B`, which is where weights stand, count as
 * zeros (see `subnormal.ts`), unless `B` is to be taken `asIs`: because it is no weight, or holds none.
 *
 * Order: each element is one running float32 sum over k = 0, 1, …, then the bias, then the activation.
 * Error: |ĉ − c| ≤ γ_{k+1} · (|A|·|B| + |bias|) with γ_k = k·u / (1 − k·u), u = 2⁻²⁴ (Higham 2002, §3.1), and k·2⁻¹²⁶·max|A|
 * more where subnormal elements of `B` count as zeros.
 *
 * @split m * n * k
 * @optional asIs
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
  asIs: bool,
): void {
  const aRow = (<usize>lda) << 2;
  const bRow = (<usize>ldb) << 2;
  const cRow = (<usize>ldc) << 2;
  // Threads share the rows or the columns of C, whichever has more tiles.
  const byRows = m * NR > n * MR;
  const i0 = byRows ? firstShare(m, MR) : 0;
  const j0 = byRows ? 0 : firstShare(n, NR);
  const rows = byRows ? endShare(m, MR) - i0 : m;
  const cols = byRows ? n : endShare(n, NR) - j0;
  if (rows == 0 || cols == 0) return;
  const at = (<usize>j0) << 2;
  a += transposeA ? (<usize>i0) << 2 : <usize>i0 * aRow;
  b += transposeB ? <usize>j0 * bRow : at;
  c += <usize>i0 * cRow + at;
  if (bias) bias += at;
  if (m == 1 && !transposeB) {
    gemv(cols, k, a, transposeA ? aRow : 4, b, bRow, c, accumulate, asIs);
    if (bias) addFloats(c, bias, cols);
    if (activation != Activation.linear) activate(activation, alpha, c, c, cols);
    return;
  }
  openWorkspace(workspace);
  layOut(n, k);
  product(
    transposeA,
    transposeB,
    rows,
    cols,
    k,
    a,
    aRow,
    b,
    bRow,
    c,
    cRow,
    bias,
    activation,
    alpha,
    accumulate,
    asIs,
  );
}

/** One thread's part of `gemm`; strides are bytes. */
function product(
  transposeA: bool,
  transposeB: bool,
  m: i32,
  n: i32,
  k: i32,
  a: usize,
  aRow: usize,
  b: usize,
  bRow: usize,
  c: usize,
  cRow: usize,
  bias: usize,
  activation: i32,
  alpha: f32,
  accumulate: bool,
  asIs: bool,
): void {
  const p = openProduct();
  for (let pc = 0; pc < k; pc += KC) {
    const kc = min(KC, k - pc);
    const last = pc + kc == k;
    const fresh = pc == 0 && !accumulate;
    const from = transposeB ? b + ((<usize>pc) << 2) : b + pc * bRow;
    readB(p, transposeB, m, n, kc, from, bRow, asIs);
    singleRun(p, kc);
    for (let ic = 0; ic < m; ic += MC) {
      const rows = min(MC, m - ic);
      const left = transposeA ? a + pc * aRow + ((<usize>ic) << 2) : a + ic * aRow + ((<usize>pc) << 2);
      readA(p, transposeA, rows, kc, left, aRow);
      const ci = c + ic * cRow;
      if (last) gemmBlock(rows, n, p, ci, cRow, fresh, bias, activation, alpha);
      else gemmBlock(rows, n, p, ci, cRow, fresh, 0, Activation.linear, 0);
    }
  }
}
