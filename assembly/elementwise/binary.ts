/** Tensors combined element by element, and blocks of rows copied from one tensor to another. */
import { activate } from "./activation";
import { run } from "./broadcast";
import { Add, Max, Mul, Sub } from "./broadcastFormulas";
import { Activation } from "../lib/activations";
import { copyFloats } from "../lib/copy";
import { LINE, endShare, firstShare } from "../lib/share";
import { andNot4, and4, LANES, less4, load4, loadLanes, mul4, splat, storeLanes } from "../lib/simd";

/** Elements that stay in L1 from their sum to its activation, 8 KB. */
const BLOCK: i32 = 2048;

/** This thread's elements. */
// @ts-ignore: decorator
@inline
function combineShare<F>(a: usize, b: usize, y: usize, n: i32): void {
  const first = firstShare(n, LINE);
  const at = (<usize>first) << 2;
  run<F>(a + at, 16, b + at, 16, y + at, endShare(n, LINE) - first);
}

/**
 * `y[i] = a[i] + b[i]` for `n` elements, each rounded once; `y` may be `a` or `b`.
 *
 * @split COPY * n
 */
export function addForward(a: usize, b: usize, y: usize, n: i32): void {
  combineShare<Add>(a, b, y, n);
}

/**
 * `y[i] = act(a[i] + b[i])` for `n` elements, the sum rounded once; `y` may be `a` or `b`. Activations: `activation.ts`.
 *
 * @split activationCost(kind) * n
 */
export function addActivated(kind: i32, alpha: f32, a: usize, b: usize, y: usize, n: i32): void {
  const end = endShare(n, LINE);
  for (let i = firstShare(n, LINE); i < end; i += BLOCK) {
    const at = (<usize>i) << 2;
    const count = min(BLOCK, end - i);
    run<Add>(a + at, 16, b + at, 16, y + at, count);
    if (kind != Activation.linear) activate(kind, alpha, y + at, y + at, count);
  }
}

/**
 * `y[i] = a[i]·b[i]` for `n` elements, each rounded once; `y` may be `a` or `b`.
 *
 * @split COPY * n
 */
export function multiplyForward(a: usize, b: usize, y: usize, n: i32): void {
  combineShare<Mul>(a, b, y, n);
}

/**
 * `y[i] = a[i] − b[i]` for `n` elements, each rounded once; `y` may be `a` or `b`.
 *
 * @split COPY * n
 */
export function subtractForward(a: usize, b: usize, y: usize, n: i32): void {
  combineShare<Sub>(a, b, y, n);
}

/**
 * `y[i] = max(a[i], b[i])` for `n` elements, NaN when either is; `y` may be `a` or `b`. Exact.
 *
 * @split COPY * n
 */
export function maximumForward(a: usize, b: usize, y: usize, n: i32): void {
  combineShare<Max>(a, b, y, n);
}

/** Up to four elements of `maximumBackward`. */
// @ts-ignore: decorator
@inline
function takeGradient(x: usize, y: usize, dy: usize, dx: usize, count: i32): void {
  const smaller = less4(loadLanes(x, count), loadLanes(y, count));
  const gradient = loadLanes(dy, count);
  if (dx != 0) storeLanes(dx, andNot4(gradient, smaller), count);
  storeLanes(dy, and4(gradient, smaller), count);
}

/**
 * The gradient of one operand `x` of a maximum `y`: takes `dy` where `x` is not smaller than `y`, and leaves +0 there for
 * the next operand, so that the first of equals has it. `dx` may be 0 for not needed. Exact.
 *
 * @split COPY * n
 */
export function maximumBackward(x: usize, y: usize, dy: usize, dx: usize, n: i32): void {
  const first = firstShare(n, LINE);
  const at = (<usize>first) << 2;
  let left = endShare(n, LINE) - first;
  x += at;
  y += at;
  dy += at;
  if (dx != 0) dx += at;
  for (; left >= LANES; left -= LANES) {
    takeGradient(x, y, dy, dx, LANES);
    x += 16;
    y += 16;
    dy += 16;
    if (dx != 0) dx += 16;
  }
  if (left > 0) takeGradient(x, y, dy, dx, left);
}

/**
 * `y[i] = scale·x[i]` for `n` elements, each rounded once; `y` may be `x`.
 *
 * @split COPY * n
 */
export function scaleForward(scale: f32, x: usize, y: usize, n: i32): void {
  const factor = splat(scale);
  const first = firstShare(n, LINE);
  const own = endShare(n, LINE) - first;
  const rest = own & (LANES - 1);
  x += (<usize>first) << 2;
  y += (<usize>first) << 2;
  const end = x + ((<usize>(own - rest)) << 2);
  for (; x < end; x += 16, y += 16) storeLanes(y, mul4(load4(x), factor), LANES);
  if (rest > 0) storeLanes(y, mul4(loadLanes(x, rest), factor), rest);
}

/**
 * `y[i·yStride + j] = x[i·xStride + j]` for `rows` rows of `cols` floats: the columns of a concatenation, or back. The
 * two do not overlap.
 *
 * @split COPY * rows * cols
 */
export function copyRows(rows: i32, cols: i32, x: usize, xStride: i32, y: usize, yStride: i32): void {
  // Rows that lie side by side, and a single one, are as good as one long row.
  if (rows == 1 || (xStride == cols && yStride == cols)) {
    const total = rows * cols;
    const at = (<usize>firstShare(total, LINE)) << 2;
    copyFloats(y + at, x + at, endShare(total, LINE) - firstShare(total, LINE));
    return;
  }
  const first = firstShare(rows);
  x += (<usize>first * <usize>xStride) << 2;
  y += (<usize>first * <usize>yStride) << 2;
  for (let i = endShare(rows) - first; i > 0; i--) {
    copyFloats(y, x, cols);
    x += (<usize>xStride) << 2;
    y += (<usize>yStride) << 2;
  }
}
