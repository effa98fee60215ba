/**
 * NHWC images of another size: each output pixel is a mean of at most 2×2 input pixels.
 *
 * Which ones, and with what weights, a table of the caller tells for each output row and column: nearest neighbours and
 * every kind of linear interpolation are the same kernel.
 */
import { endShare, firstShare } from "../lib/share";
import { LANES, add4, loadLanes, madd4, mul4, splat, storeLanes } from "../lib/simd";

/** The source of an output row or column: two input rows or columns. The second may have weight 0, and is not read then. */
@unmanaged
class Source {
  a: i32;
  b: i32;
  weightA: f32;
  weightB: f32;
}

/** Line `i` of a table. */
// @ts-ignore: decorator
@inline
function sourceAt(table: usize, i: i32): Source {
  return changetype<Source>(table + ((<usize>i) << 4));
}

/** `count` channels at `x·a + y·b` of two pixels, or of one. */
// @ts-ignore: decorator
@inline
function meanOf(two: bool, count: i32, source: Source, a: usize, b: usize): v128 {
  const first = mul4(loadLanes(a, count), splat(source.weightA));
  return two ? madd4(loadLanes(b, count), splat(source.weightB), first) : first;
}

/**
 * `count` channels of an output pixel: the means of the columns `left` and `right`, in the upper row and in the one
 * `below` bytes further, and the mean of both.
 */
// @ts-ignore: decorator
@inline
function resizeVector(
  twoRows: bool,
  twoColumns: bool,
  count: i32,
  row: Source,
  column: Source,
  left: usize,
  right: usize,
  below: usize,
  y: usize,
): void {
  const upper = mul4(meanOf(twoColumns, count, column, left, right), splat(row.weightA));
  if (!twoRows) {
    storeLanes(y, upper, count);
    return;
  }
  const lower = meanOf(twoColumns, count, column, left + below, right + below);
  storeLanes(y, madd4(lower, splat(row.weightB), upper), count);
}

/** Adds `value` to `count` channels. */
// @ts-ignore: decorator
@inline
function addTo(count: i32, at: usize, value: v128): void {
  storeLanes(at, add4(loadLanes(at, count), value), count);
}

/** Gives the gradient of `count` channels of one row back to two columns, or to one. */
// @ts-ignore: decorator
@inline
function spreadRow(two: bool, count: i32, column: Source, left: usize, right: usize, dy: v128): void {
  addTo(count, left, mul4(dy, splat(column.weightA)));
  if (two) addTo(count, right, mul4(dy, splat(column.weightB)));
}

/** The adjoint of `resizeVector`. */
// @ts-ignore: decorator
@inline
function spreadVector(
  twoRows: bool,
  twoColumns: bool,
  count: i32,
  row: Source,
  column: Source,
  left: usize,
  right: usize,
  below: usize,
  dy: usize,
): void {
  const gradient = loadLanes(dy, count);
  spreadRow(twoColumns, count, column, left, right, mul4(gradient, splat(row.weightA)));
  if (!twoRows) return;
  spreadRow(twoColumns, count, column, left + below, right + below, mul4(gradient, splat(row.weightB)));
}

/** One pixel of `c` channels, forward or backward; the flags are constants at each call. */
// @ts-ignore: decorator
@inline
function pixel(
  backward: bool,
  twoRows: bool,
  twoColumns: bool,
  c: i32,
  row: Source,
  column: Source,
  left: usize,
  right: usize,
  below: usize,
  y: usize,
): void {
  let count = c;
  for (; count >= LANES; count -= LANES) {
    if (backward) spreadVector(twoRows, twoColumns, LANES, row, column, left, right, below, y);
    else resizeVector(twoRows, twoColumns, LANES, row, column, left, right, below, y);
    left += 16;
    right += 16;
    y += 16;
  }
  if (count == 0) return;
  if (backward) spreadVector(twoRows, twoColumns, count, row, column, left, right, below, y);
  else resizeVector(twoRows, twoColumns, count, row, column, left, right, below, y);
}

/** One row of `ow` output pixels from rows of `x`, an image of columns of `c` channels. */
// @ts-ignore: decorator
@inline
function resizeRow(
  backward: bool,
  twoRows: bool,
  columns: usize,
  c: i32,
  ow: i32,
  row: Source,
  upper: usize,
  below: usize,
  y: usize,
): void {
  const size = (<usize>c) << 2;
  for (let ox = 0; ox < ow; ox++) {
    const column = sourceAt(columns, ox);
    const left = upper + <usize>column.a * size;
    const right = upper + <usize>column.b * size;
    if (column.weightB != 0) pixel(backward, twoRows, true, c, row, column, left, right, below, y);
    else pixel(backward, twoRows, false, c, row, column, left, right, below, y);
    y += size;
  }
}

/** Row `oy` of the output from the image at `x`; `wide` is bytes of an input row. */
// @ts-ignore: decorator
@inline
function anyRow(
  backward: bool,
  rows: usize,
  columns: usize,
  oy: i32,
  c: i32,
  ow: i32,
  wide: usize,
  x: usize,
  y: usize,
): void {
  const row = sourceAt(rows, oy);
  const upper = x + <usize>row.a * wide;
  const below = <usize>(row.b - row.a) * wide;
  if (row.weightB != 0) resizeRow(backward, true, columns, c, ow, row, upper, below, y);
  else resizeRow(backward, false, columns, c, ow, row, upper, 0, y);
}

/**
 * `y[n, oh, ow, c]` from `x[n, h, w, c]`. Line `oy` of the table `rows[oh]`, and in the same way line `ox` of
 * `columns[ow]`, is `(a, b, weightA, weightB)`, two int32 and two float32:
 * `y[oy, ox] = Aʳ·(Aᶜ·x[aʳ, aᶜ] + Bᶜ·x[aʳ, bᶜ]) + Bʳ·(Aᶜ·x[bʳ, aᶜ] + Bᶜ·x[bʳ, bᶜ])`.
 *
 * In the order of the formula; terms whose weight B is 0 are left out, so that with A = 1 a pixel is copied, NaN and
 * infinities too. Error: γ₄·Σ|weights·x|.
 *
 * @split SCATTER * n * oh * ow * c
 */
export function resizeForward(
  rows: usize,
  columns: usize,
  n: i32,
  h: i32,
  w: i32,
  c: i32,
  oh: i32,
  ow: i32,
  x: usize,
  y: usize,
): void {
  const wide = (<usize>(w * c)) << 2;
  const first = firstShare(n * oh);
  const end = endShare(n * oh);
  y += (<usize>first * <usize>(ow * c)) << 2;
  let oy = first % oh;
  x += <usize>(first / oh) * <usize>h * wide;
  for (let r = first; r < end; r++) {
    anyRow(false, rows, columns, oy, c, ow, wide, x, y);
    y += (<usize>(ow * c)) << 2;
    if (++oy == oh) {
      oy = 0;
      x += <usize>h * wide;
    }
  }
}

/**
 * The adjoint of `resizeForward`: zeroes `dx[n, h, w, c]`, then adds `weightʳ·weightᶜ·dy` to the pixels that each output
 * pixel was made of.
 *
 * Output pixels in ascending order, the row's weight first; the sources of one from left to right, then those below. A
 * pixel in m means has |error| ≤ γ_{m+2}·Σ|weights·dy|. Threads share images.
 *
 * @split 2 * SCATTER * n * oh * ow * c
 */
export function resizeBackward(
  rows: usize,
  columns: usize,
  n: i32,
  h: i32,
  w: i32,
  c: i32,
  oh: i32,
  ow: i32,
  dy: usize,
  dx: usize,
): void {
  const wide = (<usize>(w * c)) << 2;
  const image = <usize>h * wide;
  const first = firstShare(n);
  const own = endShare(n) - first;
  dx += <usize>first * image;
  dy += (<usize>first * <usize>(oh * ow * c)) << 2;
  memory.fill(dx, 0, <usize>own * image);
  for (let i = own; i > 0; i--) {
    for (let oy = 0; oy < oh; oy++) {
      anyRow(true, rows, columns, oy, c, ow, wide, dx, dy);
      dy += (<usize>(ow * c)) << 2;
    }
    dx += image;
  }
}
