/**
 * The register tile: up to 5 rows × 8 columns of `C`, accumulated over `kc` steps of the reduction.
 *
 * Every element of `C` is one running float32 sum in ascending order of `k`. The accumulators start from `C`
 * itself (or from zero in the first block), so cutting the reduction into blocks does not change a bit, and
 * neither does the shape of the tile.
 */
import { add4, load4, loadSplat, madd4, relu4, store4, zero4 } from "../simd";

/** Rows of the register tile. */
export const MR: i32 = 5;
/** Columns of the register tile. */
export const NR: i32 = 8;

/**
 * `C[rows, 8] (+)= A[rows, kc] · B[kc, 8]` for `rows` of 1 to 5, a constant at each call so that the branches fold.
 *
 * With `fresh` the sum starts from zero instead of from `C`. The epilogue adds `bias[8]` (0 for none) and then, with
 * `relu`, replaces negative values by zero; the caller asks for it in the last block of the reduction.
 *
 * Strides are bytes: element `A[i, p]` is at `a + i·aRow + p·aCol`, row `p` of `B` at `b + p·bRow`, row `i` of `C`
 * at `c + i·cRow`. The instructions of one step on five rows: 7 loads, 10 multiplications, 10 additions, 7 address
 * updates; 14 vector registers are live (10 accumulators, 2 of B, 1 of A, 1 product), which x64 just holds.
 */
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
  let a0 = a;
  let a1 = a0 + aRow;
  let a2 = a1 + aRow;
  let a3 = a2 + aRow;
  let a4 = a3 + aRow;
  const c0 = c;
  const c1 = c0 + cRow;
  const c2 = c1 + cRow;
  const c3 = c2 + cRow;
  const c4 = c3 + cRow;
  let c00 = zero4(),
    c01 = zero4();
  let c10 = zero4(),
    c11 = zero4();
  let c20 = zero4(),
    c21 = zero4();
  let c30 = zero4(),
    c31 = zero4();
  let c40 = zero4(),
    c41 = zero4();
  if (!fresh) {
    c00 = load4(c0);
    c01 = load4(c0 + 16);
    if (rows > 1) {
      c10 = load4(c1);
      c11 = load4(c1 + 16);
    }
    if (rows > 2) {
      c20 = load4(c2);
      c21 = load4(c2 + 16);
    }
    if (rows > 3) {
      c30 = load4(c3);
      c31 = load4(c3 + 16);
    }
    if (rows > 4) {
      c40 = load4(c4);
      c41 = load4(c4 + 16);
    }
  }
  for (let p = kc; p > 0; p--) {
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
    a0 += aCol;
    if (rows > 1) a1 += aCol;
    if (rows > 2) a2 += aCol;
    if (rows > 3) a3 += aCol;
    if (rows > 4) a4 += aCol;
  }
  if (bias) {
    const v0 = load4(bias);
    const v1 = load4(bias + 16);
    c00 = add4(c00, v0);
    c01 = add4(c01, v1);
    if (rows > 1) {
      c10 = add4(c10, v0);
      c11 = add4(c11, v1);
    }
    if (rows > 2) {
      c20 = add4(c20, v0);
      c21 = add4(c21, v1);
    }
    if (rows > 3) {
      c30 = add4(c30, v0);
      c31 = add4(c31, v1);
    }
    if (rows > 4) {
      c40 = add4(c40, v0);
      c41 = add4(c41, v1);
    }
  }
  if (relu) {
    c00 = relu4(c00);
    c01 = relu4(c01);
    if (rows > 1) {
      c10 = relu4(c10);
      c11 = relu4(c11);
    }
    if (rows > 2) {
      c20 = relu4(c20);
      c21 = relu4(c21);
    }
    if (rows > 3) {
      c30 = relu4(c30);
      c31 = relu4(c31);
    }
    if (rows > 4) {
      c40 = relu4(c40);
      c41 = relu4(c41);
    }
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
  tile(1, kc, a, aRow, aCol, b, bRow, c, cRow, fresh, bias, relu);
}

export function gemm2x8(
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
  tile(2, kc, a, aRow, aCol, b, bRow, c, cRow, fresh, bias, relu);
}

export function gemm3x8(
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
  tile(3, kc, a, aRow, aCol, b, bRow, c, cRow, fresh, bias, relu);
}

export function gemm4x8(
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
  tile(4, kc, a, aRow, aCol, b, bRow, c, cRow, fresh, bias, relu);
}

export function gemm5x8(
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
  tile(5, kc, a, aRow, aCol, b, bRow, c, cRow, fresh, bias, relu);
}
