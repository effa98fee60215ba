/** Sums and products of tensors, element by element, and blocks of rows copied from one tensor to another. */
import { activate } from "./activation";
import { LINEAR } from "./curves";
import { copyFloats } from "./gemm/copy";
import { endShare, firstShare } from "./share";
import { add4, LANES, load4, loadLanes, mul4, storeLanes } from "./simd";

/** Threads share elements in cache lines. */
const LINE: i32 = 16;

/** Elements that stay in L1 from their sum to its activation, 8 KB. */
const BLOCK: i32 = 2048;

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
  const rest = n & (LANES - 1);
  const end = a + ((<usize>(n - rest)) << 2);
  for (; a < end; a += 16, b += 16, y += 16) {
    storeLanes(y, combine4(kind, load4(a), load4(b)), LANES);
  }
  if (rest > 0) storeLanes(y, combine4(kind, loadLanes(a, rest), loadLanes(b, rest)), rest);
}

/** This thread's elements. */
// @ts-ignore: decorator
@inline
function combineShare(kind: i32, a: usize, b: usize, y: usize, n: i32): void {
  const first = firstShare(n, LINE);
  const at = (<usize>first) << 2;
  combine(kind, a + at, b + at, y + at, endShare(n, LINE) - first);
}

/** `y[i] = a[i] + b[i]` for `n` elements, each rounded once; `y` may be `a` or `b`. */
export function addForward(a: usize, b: usize, y: usize, n: i32): void {
  combineShare(ADD, a, b, y, n);
}

/** `y[i] = act(a[i] + b[i])` for `n` elements, the sum rounded once; `y` may be `a` or `b`. Activations: `activation.ts`. */
export function addActivated(kind: i32, alpha: f32, a: usize, b: usize, y: usize, n: i32): void {
  const end = endShare(n, LINE);
  for (let i = firstShare(n, LINE); i < end; i += BLOCK) {
    const at = (<usize>i) << 2;
    const count = min(BLOCK, end - i);
    combine(ADD, a + at, b + at, y + at, count);
    if (kind != LINEAR) activate(kind, alpha, y + at, y + at, count);
  }
}

/** `y[i] = a[i]·b[i]` for `n` elements, each rounded once; `y` may be `a` or `b`. */
export function multiplyForward(a: usize, b: usize, y: usize, n: i32): void {
  combineShare(MULTIPLY, a, b, y, n);
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
