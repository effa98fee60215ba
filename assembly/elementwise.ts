/** Sums and products of tensors, element by element, and blocks of rows copied from one tensor to another. */
import { copyFloats } from "./gemm/copy";
import { endShare, firstShare } from "./share";
import { add4, LANES, load4, loadLanes, mul4, storeLanes } from "./simd";

/** Threads share elements in cache lines. */
const LINE: i32 = 16;

const ADD: i32 = 0;
const MULTIPLY: i32 = 1;

/** `kind` is a constant wherever this is inlined. */
// @ts-ignore: decorator
@inline
function combine4(kind: i32, a: v128, b: v128): v128 {
  return kind == ADD ? add4(a, b) : mul4(a, b);
}

// @ts-ignore: decorator
@inline
function combine(kind: i32, a: usize, b: usize, y: usize, n: i32): void {
  const first = firstShare(n, LINE);
  const own = endShare(n, LINE) - first;
  const at = (<usize>first) << 2;
  const rest = own & (LANES - 1);
  a += at;
  b += at;
  y += at;
  const end = a + ((<usize>(own - rest)) << 2);
  for (; a < end; a += 16, b += 16, y += 16) {
    storeLanes(y, combine4(kind, load4(a), load4(b)), LANES);
  }
  if (rest > 0) storeLanes(y, combine4(kind, loadLanes(a, rest), loadLanes(b, rest)), rest);
}

/** `y[i] = a[i] + b[i]` for `n` elements, each rounded once; `y` may be `a` or `b`. */
export function addForward(a: usize, b: usize, y: usize, n: i32): void {
  combine(ADD, a, b, y, n);
}

/** `y[i] = a[i]·b[i]` for `n` elements, each rounded once; `y` may be `a` or `b`. */
export function multiplyForward(a: usize, b: usize, y: usize, n: i32): void {
  combine(MULTIPLY, a, b, y, n);
}

/**
 * `y[i·yStride + j] = x[i·xStride + j]` for `rows` rows of `cols` floats: the columns of a concatenation, or back. The
 * two do not overlap.
 */
export function copyRows(rows: i32, cols: i32, x: usize, xStride: i32, y: usize, yStride: i32): void {
  const first = firstShare(rows);
  x += (<usize>first * <usize>xStride) << 2;
  y += (<usize>first * <usize>yStride) << 2;
  for (let i = endShare(rows) - first; i > 0; i--) {
    copyFloats(y, x, cols);
    x += (<usize>xStride) << 2;
    y += (<usize>yStride) << 2;
  }
}
