/**
 * Products of a single row, as dense layers compute for one image: each element of `B` is used once, so the rows of `B`
 * are read in their order and `C` stays in the cache.
 */
import { load4, loadSplat, madd4, mantissaBits, normal4, store4 } from "../lib/simd";
import { normal } from "../elementwise/subnormal";
import { zeroFloats } from "../lib/copy";

/** Columns at a time: 8 KB of C. */
const COLUMNS: i32 = 2048;

/**
 * `C[n] (+)= a[k] · B[k, n]`; steps of `a` are `aStep` bytes apart, rows of `B` `bRow` bytes.
 *
 * Order: one running float32 sum an element, k ascending, as everywhere in `gemm`. Four rows of `B` and a vector of `C`
 * are 5 loads for 4 multiplications and additions: bound by loads in L1, by memory beyond. Unless `B` is taken `asIs`,
 * subnormal elements of it count as zeros, which takes 16 instructions more.
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
  asIs: bool,
): void {
  if (!accumulate) zeroFloats(c, n);
  for (let j = 0; j < n; j += COLUMNS) {
    const count = min(COLUMNS, n - j);
    const at = (<usize>j) << 2;
    let p = k;
    let from = a;
    let row = b + at;
    for (; p >= 4; p -= 4) {
      if (asIs) fourRows(count, from, aStep, row, bRow, c + at);
      else fourRowsOfWeights(count, from, aStep, row, bRow, c + at);
      from += 4 * aStep;
      row += 4 * bRow;
    }
    for (; p > 0; p--) {
      oneRow(asIs, count, load<f32>(from), row, c + at);
      from += aStep;
      row += bRow;
    }
  }
}

/** `C += a0·B0`, then `a1·B1`, `a2·B2` and `a3·B3`. */
function fourRows(n: i32, a: usize, aStep: usize, b: usize, bRow: usize, c: usize): void {
  addRows(true, n, a, aStep, b, bRow, c);
}

/** The same with zeros for subnormal elements of B. */
function fourRowsOfWeights(n: i32, a: usize, aStep: usize, b: usize, bRow: usize, c: usize): void {
  addRows(false, n, a, aStep, b, bRow, c);
}

// @ts-ignore: decorator
@inline
function loadRow(asIs: bool, p: usize, mantissa: v128): v128 {
  return asIs ? load4(p) : normal4(load4(p), mantissa);
}

// @ts-ignore: decorator
@inline
function loadElement(asIs: bool, p: usize): f32 {
  return asIs ? load<f32>(p) : normal(load<f32>(p));
}

/** Both; `asIs` is a constant at each call. */
// @ts-ignore: decorator
@inline
function addRows(asIs: bool, n: i32, a: usize, aStep: usize, b: usize, bRow: usize, c: usize): void {
  const mantissa = mantissaBits(asIs);
  const a0 = loadSplat(a);
  const a1 = loadSplat(a + aStep);
  const a2 = loadSplat(a + 2 * aStep);
  const a3 = loadSplat(a + 3 * aStep);
  let b1 = b + bRow;
  let b2 = b1 + bRow;
  let b3 = b2 + bRow;
  let i = n;
  for (; i >= 4; i -= 4) {
    let sum = madd4(loadRow(asIs, b, mantissa), a0, load4(c));
    sum = madd4(loadRow(asIs, b1, mantissa), a1, sum);
    sum = madd4(loadRow(asIs, b2, mantissa), a2, sum);
    store4(c, madd4(loadRow(asIs, b3, mantissa), a3, sum));
    b += 16;
    b1 += 16;
    b2 += 16;
    b3 += 16;
    c += 16;
  }
  for (; i > 0; i--) {
    let sum = load<f32>(c) + loadElement(asIs, b) * load<f32>(a);
    sum += loadElement(asIs, b1) * load<f32>(a + aStep);
    sum += loadElement(asIs, b2) * load<f32>(a + 2 * aStep);
    store<f32>(c, sum + loadElement(asIs, b3) * load<f32>(a + 3 * aStep));
    b += 4;
    b1 += 4;
    b2 += 4;
    b3 += 4;
    c += 4;
  }
}

/** `C += a·B` for one row. */
function oneRow(asIs: bool, n: i32, a: f32, b: usize, c: usize): void {
  for (let i = n; i > 0; i--) {
    store<f32>(c, load<f32>(c) + loadElement(asIs, b) * a);
    b += 4;
    c += 4;
  }
}
