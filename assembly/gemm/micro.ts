/**
 * The register tile: up to 5 rows × 8 columns of `C`, accumulated over one block of the reduction. Here for operands
 * with any strides; in `dense.ts` for those that lie close together.
 *
 * Every element of `C` is one running float32 sum in ascending order of `k`. The accumulators start from `C`
 * itself (or from zero in the first block), so cutting the reduction into blocks does not change a bit, and
 * neither does the shape of the tile.
 */
import { load4, loadSplat, madd4, store4, zero4 } from "../lib/simd";

/** Rows of the register tile. */
export const MR: i32 = 5;
/** Columns of the register tile, which packed matrices have as many of a panel. @abi PANEL_COLUMNS */
export const NR: i32 = 8;
/** Bytes of one entry of a table of runs: the jump and the number of steps. */
export const RUN: usize = 8;
/** The start of all sums in the first block of the reduction: a row of eight zeros. */
export const ZEROS: usize = memory.data<f32>([0, 0, 0, 0, 0, 0, 0, 0], 16);

/**
 * `C[rows, 8] (+)= A[rows, k] · B[k, 8]` for `rows` of 1 to 5, a constant at each call so that the branches fold.
 *
 * `A` need not lie in memory as a matrix: row `i` starts at the address `aRows[i]`, and its steps come in runs. `aRuns`
 * is a table of pairs, the bytes to jump before a run and the steps in it, ended by a run of none; inside of a run steps
 * are `aStep` bytes apart. A plain matrix is one run; a patch of an image is a run for each row of taps, read in place.
 * Step `k` of `B` is at `b + k·bRow`, row `i` of `C` at `c + i·cRow`. With `fresh` the sum starts from zero instead of
 * from `C`.
 *
 * One step on five rows is 7 loads, 10 multiplications, 10 additions and 8 integer instructions; 14 vector registers are
 * live (10 accumulators, 2 of B, 1 of A, 1 product), which x64 just holds. That depends on the shape of this function:
 * with a nested loop over the runs V8 unrolls it, and with anything but plain stores behind the loop (a bias, a relu) V8
 * loads all of A before it multiplies; both spill accumulators and halve the speed.
 */
// @ts-ignore: decorator
@inline
function tile(
  rows: i32,
  aRows: usize,
  aRuns: usize,
  aStep: usize,
  b: usize,
  bRow: usize,
  c: usize,
  cRow: usize,
  fresh: bool,
): void {
  const c0 = c;
  const c1 = c0 + cRow;
  const c2 = c1 + cRow;
  const c3 = c2 + cRow;
  const c4 = c3 + cRow;
  const from = fresh ? ZEROS : c;
  const fromRow = fresh ? 0 : cRow;
  let c00 = load4(from);
  let c01 = load4(from + 16);
  let c10 = rows > 1 ? load4(from + fromRow) : zero4();
  let c11 = rows > 1 ? load4(from + fromRow + 16) : zero4();
  let c20 = rows > 2 ? load4(from + 2 * fromRow) : zero4();
  let c21 = rows > 2 ? load4(from + 2 * fromRow + 16) : zero4();
  let c30 = rows > 3 ? load4(from + 3 * fromRow) : zero4();
  let c31 = rows > 3 ? load4(from + 3 * fromRow + 16) : zero4();
  let c40 = rows > 4 ? load4(from + 4 * fromRow) : zero4();
  let c41 = rows > 4 ? load4(from + 4 * fromRow + 16) : zero4();
  let a0 = load<usize>(aRows);
  let a1 = rows > 1 ? load<usize>(aRows, 4) : 0;
  let a2 = rows > 2 ? load<usize>(aRows, 8) : 0;
  let a3 = rows > 3 ? load<usize>(aRows, 12) : 0;
  let a4 = rows > 4 ? load<usize>(aRows, 16) : 0;
  let t = 0;
  while (true) {
    if (t == 0) {
      t = load<i32>(aRuns, 4);
      if (t == 0) break;
      const jump = load<usize>(aRuns);
      aRuns += RUN;
      a0 += jump;
      if (rows > 1) a1 += jump;
      if (rows > 2) a2 += jump;
      if (rows > 3) a3 += jump;
      if (rows > 4) a4 += jump;
    }
    t--;
    const b0 = load4(b);
    const b1 = load4(b + 16);
    let s = loadSplat(a0);
    c00 = madd4(s, b0, c00);
    c01 = madd4(s, b1, c01);
    if (rows > 1) {
      s = loadSplat(a1);
      c10 = madd4(s, b0, c10);
      c11 = madd4(s, b1, c11);
    }
    if (rows > 2) {
      s = loadSplat(a2);
      c20 = madd4(s, b0, c20);
      c21 = madd4(s, b1, c21);
    }
    if (rows > 3) {
      s = loadSplat(a3);
      c30 = madd4(s, b0, c30);
      c31 = madd4(s, b1, c31);
    }
    if (rows > 4) {
      s = loadSplat(a4);
      c40 = madd4(s, b0, c40);
      c41 = madd4(s, b1, c41);
    }
    b += bRow;
    a0 += aStep;
    if (rows > 1) a1 += aStep;
    if (rows > 2) a2 += aStep;
    if (rows > 3) a3 += aStep;
    if (rows > 4) a4 += aStep;
  }
  store4(c0, c00);
  store4(c0 + 16, c01);
  if (rows > 1) {
    store4(c1, c10);
    store4(c1 + 16, c11);
  }
  if (rows > 2) {
    store4(c2, c20);
    store4(c2 + 16, c21);
  }
  if (rows > 3) {
    store4(c3, c30);
    store4(c3 + 16, c31);
  }
  if (rows > 4) {
    store4(c4, c40);
    store4(c4 + 16, c41);
  }
}

export function gemm1x8(
  aRows: usize,
  aRuns: usize,
  aStep: usize,
  b: usize,
  bRow: usize,
  c: usize,
  cRow: usize,
  fresh: bool,
): void {
  tile(1, aRows, aRuns, aStep, b, bRow, c, cRow, fresh);
}

export function gemm2x8(
  aRows: usize,
  aRuns: usize,
  aStep: usize,
  b: usize,
  bRow: usize,
  c: usize,
  cRow: usize,
  fresh: bool,
): void {
  tile(2, aRows, aRuns, aStep, b, bRow, c, cRow, fresh);
}

export function gemm3x8(
  aRows: usize,
  aRuns: usize,
  aStep: usize,
  b: usize,
  bRow: usize,
  c: usize,
  cRow: usize,
  fresh: bool,
): void {
  tile(3, aRows, aRuns, aStep, b, bRow, c, cRow, fresh);
}

export function gemm4x8(
  aRows: usize,
  aRuns: usize,
  aStep: usize,
  b: usize,
  bRow: usize,
  c: usize,
  cRow: usize,
  fresh: bool,
): void {
  tile(4, aRows, aRuns, aStep, b, bRow, c, cRow, fresh);
}

export function gemm5x8(
  aRows: usize,
  aRuns: usize,
  aStep: usize,
  b: usize,
  bRow: usize,
  c: usize,
  cRow: usize,
  fresh: bool,
): void {
  tile(5, aRows, aRuns, aStep, b, bRow, c, cRow, fresh);
}
