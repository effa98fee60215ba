/**
 * Products of a single row, as dense layers compute for one image: each element of `B` is used once, so the rows of `B`
 * are read in their order and `C` stays in the cache.
 */
import { load4, loadSplat, madd4, store4 } from "../simd";
import { zeroFloats } from "./copy";

/** Columns at a time: 8 KB of C. */
const COLUMNS: i32 = 2048;

/**
 * `C[n] (+)= a[k] · B[k, n]`; steps of `a` are `aStep` bytes apart, rows of `B` `bRow` bytes.
 *
 * Order: one running float32 sum an element, k ascending, as everywhere in `gemm`. Four rows of `B` and a vector of `C`
 * are 5 loads for 4 multiplications and additions: bound by loads in L1, by memory beyond.
 */
export function gemv(
  n: i32,
  k: i32,
  a: usize,
  aStep: usize,
  b: usize,
  bRow: usize,
  c: usize,
  accumulate: bool,
): void {
  if (!accumulate) zeroFloats(c, n);
  for (let j = 0; j < n; j += COLUMNS) {
    const count = min(COLUMNS, n - j);
    const at = (<usize>j) << 2;
    let p = k;
    let from = a;
    let row = b + at;
    for (; p >= 4; p -= 4) {
      fourRows(count, from, aStep, row, bRow, c + at);
      from += 4 * aStep;
      row += 4 * bRow;
    }
    for (; p > 0; p--) {
      oneRow(count, load<f32>(from), row, c + at);
      from += aStep;
      row += bRow;
    }
  }
}

/** `C += a0·B0`, then `a1·B1`, `a2·B2` and `a3·B3`. */
function fourRows(n: i32, a: usize, aStep: usize, b: usize, bRow: usize, c: usize): void {
  const a0 = loadSplat(a);
  const a1 = loadSplat(a + aStep);
  const a2 = loadSplat(a + 2 * aStep);
  const a3 = loadSplat(a + 3 * aStep);
  let b1 = b + bRow;
  let b2 = b1 + bRow;
  let b3 = b2 + bRow;
  let i = n;
  for (; i >= 4; i -= 4) {
    let sum = madd4(load4(b), a0, load4(c));
    sum = madd4(load4(b1), a1, sum);
    sum = madd4(load4(b2), a2, sum);
    store4(c, madd4(load4(b3), a3, sum));
    b += 16;
    b1 += 16;
    b2 += 16;
    b3 += 16;
    c += 16;
  }
  for (; i > 0; i--) {
    let sum = load<f32>(c) + load<f32>(b) * load<f32>(a);
    sum += load<f32>(b1) * load<f32>(a + aStep);
    sum += load<f32>(b2) * load<f32>(a + 2 * aStep);
    store<f32>(c, sum + load<f32>(b3) * load<f32>(a + 3 * aStep));
    b += 4;
    b1 += 4;
    b2 += 4;
    b3 += 4;
    c += 4;
  }
}

/** `C += a·B` for one row. */
function oneRow(n: i32, a: f32, b: usize, c: usize): void {
  for (let i = n; i > 0; i--) {
    store<f32>(c, load<f32>(c) + load<f32>(b) * a);
    b += 4;
    c += 4;
  }
}
