/** Rows of a matrix combined with one row for all of them, or for those of an image: gates, slopes, shifts. */
import { LINE, endOf, firstOf } from "../lib/share";
import {
  LANES,
  add4,
  less4,
  load4,
  loadLanes,
  loadSplat,
  min4,
  mul4,
  select4,
  storeLanes,
  zero4,
} from "../lib/simd";
import { add2d, mul2d, narrow4, widenHigh, widenLow, zero2d } from "../lib/simd64";

const ADD: i32 = 0;
const MULTIPLY: i32 = 1;
const PRELU: i32 = 2;

/** `x + s`, `x·s`, or `x > 0 ? g : s·g`; `kind` is a constant wherever this is inlined. */
// @ts-ignore: decorator
@inline
function combineRow4(kind: i32, x: v128, s: v128, g: v128): v128 {
  if (kind == ADD) return add4(x, s);
  if (kind == MULTIPLY) return mul4(x, s);
  return select4(less4(zero4(), x), g, mul4(s, g));
}

/** `n` elements of a row, with as many of `s`, or with one for all. */
// @ts-ignore: decorator
@inline
function combineRow(kind: i32, one: bool, n: i32, x: usize, s: usize, g: usize, y: usize): void {
  for (; n >= LANES; n -= LANES) {
    storeLanes(y, combineRow4(kind, load4(x), one ? loadSplat(s) : load4(s), load4(g)), LANES);
    x += 16;
    g += 16;
    y += 16;
    if (!one) s += 16;
  }
  if (n == 0) return;
  storeLanes(y, combineRow4(kind, loadLanes(x, n), one ? loadSplat(s) : loadLanes(s, n), loadLanes(g, n)), n);
}

/**
 * `y[images, rows, c]` from `x` and `g` of the same shape and `s[images, c]`. Threads share the longer of rows and
 * columns.
 */
// @ts-ignore: decorator
@inline
function combineRows(
  kind: i32,
  images: i32,
  rows: i32,
  c: i32,
  x: usize,
  s: usize,
  g: usize,
  y: usize,
): void {
  const total = images * rows;
  const tall = total >= c;
  const first = firstOf(tall, total);
  const end = endOf(tall, total);
  const left = firstOf(!tall, c, LINE);
  const width = endOf(!tall, c, LINE) - left;
  const row = (<usize>c) << 2;
  for (let i = first / rows; i * rows < end; i++) {
    const own = min(end, (i + 1) * rows) - max(first, i * rows);
    const from = s + <usize>i * row + ((<usize>left) << 2);
    let at = <usize>max(first, i * rows) * row + ((<usize>left) << 2);
    if (c == 1) {
      combineRow(kind, true, own, x + at, from, g + at, y + at);
      continue;
    }
    for (let r = own; r > 0; r--) {
      combineRow(kind, false, width, x + at, from, g + at, y + at);
      at += row;
    }
  }
}

/**
 * `y[i, r, j] = x[i, r, j] + s[i, j]`, rounded once; `y` may be `x`.
 *
 * @split COPY * images * rows * c
 */
export function addRowsForward(images: i32, rows: i32, c: i32, x: usize, s: usize, y: usize): void {
  combineRows(ADD, images, rows, c, x, s, x, y);
}

/**
 * `y[i, r, j] = x[i, r, j]·s[i, j]`, rounded once; `y` may be `x`.
 *
 * @split COPY * images * rows * c
 */
export function multiplyRowsForward(images: i32, rows: i32, c: i32, x: usize, s: usize, y: usize): void {
  combineRows(MULTIPLY, images, rows, c, x, s, x, y);
}

/**
 * `y[r, j] = x > 0 ? x : alpha[j]·x`, rounded once; `y` may be `x`.
 *
 * @split COPY * rows * c
 */
export function preluForward(rows: i32, c: i32, x: usize, alpha: usize, y: usize): void {
  combineRows(PRELU, 1, rows, c, x, alpha, x, y);
}

/**
 * `dx[r, j] = x > 0 ? dy : alpha[j]·dy`, rounded once; `dx` may be `dy`.
 *
 * @split COPY * rows * c
 */
export function preluBackpropInput(rows: i32, c: i32, x: usize, alpha: usize, dy: usize, dx: usize): void {
  combineRows(PRELU, 1, rows, c, x, alpha, dy, dx);
}

/** The factor of `dy` before it is summed up: 1, `x`, or `min(x, 0)`. */
// @ts-ignore: decorator
@inline
function factor4(kind: i32, x: usize, count: i32): v128 {
  const v = loadLanes(x, count);
  return kind == PRELU ? min4(v, zero4()) : v;
}

/** `count` columns of `rows` rows, each `row` bytes. */
// @ts-ignore: decorator
@inline
function sumVector(kind: i32, count: i32, rows: i32, row: usize, dy: usize, x: usize, ds: usize): void {
  let low = zero2d();
  let high = zero2d();
  for (let r = rows; r > 0; r--) {
    const gradient = loadLanes(dy, count);
    if (kind == ADD) {
      low = add2d(low, widenLow(gradient));
      high = add2d(high, widenHigh(gradient));
    } else {
      const factor = factor4(kind, x, count);
      low = add2d(low, mul2d(widenLow(gradient), widenLow(factor)));
      high = add2d(high, mul2d(widenHigh(gradient), widenHigh(factor)));
      x += row;
    }
    dy += row;
  }
  storeLanes(ds, narrow4(low, high), count);
}

/** `ds[i, j] = Σ dy·factor` over the rows of an image. Threads share the more of images and columns. */
// @ts-ignore: decorator
@inline
function sumRows(kind: i32, images: i32, rows: i32, c: i32, dy: usize, x: usize, ds: usize): void {
  const many = images >= c;
  const first = firstOf(many, images);
  const end = endOf(many, images);
  const left = firstOf(!many, c, LINE);
  const right = endOf(!many, c, LINE);
  const row = (<usize>c) << 2;
  for (let i = first; i < end; i++) {
    const image = <usize>i * <usize>rows * row;
    const to = ds + <usize>i * row;
    let j = left;
    for (; j + LANES <= right; j += LANES) {
      const at = (<usize>j) << 2;
      sumVector(kind, LANES, rows, row, dy + image + at, x + image + at, to + at);
    }
    const at = (<usize>j) << 2;
    if (j < right) sumVector(kind, right - j, rows, row, dy + image + at, x + image + at, to + at);
  }
}

/**
 * The gradient of `s` in `addRowsForward`: `ds[i, j] = Σ dy[i, r, j]` over r.
 *
 * One running float64 sum, rows ascending, rounded once at the end: |error| ≤ u·|ds| + rows·2⁻⁵³·Σ|dy|.
 *
 * @split COPY * images * rows * c
 */
export function addRowsBackward(images: i32, rows: i32, c: i32, dy: usize, ds: usize): void {
  sumRows(ADD, images, rows, c, dy, dy, ds);
}

/**
 * The gradient of `s` in `multiplyRowsForward`: `ds[i, j] = Σ dy·x`; order and error as of `addRowsBackward`.
 *
 * @split SCATTER * images * rows * c
 */
export function multiplyRowsBackward(images: i32, rows: i32, c: i32, dy: usize, x: usize, ds: usize): void {
  sumRows(MULTIPLY, images, rows, c, dy, x, ds);
}

/**
 * `dalpha[j] = Σ dy·min(x, 0)` over the rows; order and error as of `addRowsBackward`.
 *
 * @split SCATTER * rows * c
 */
export function preluBackpropAlpha(rows: i32, c: i32, x: usize, dy: usize, dalpha: usize): void {
  sumRows(PRELU, 1, rows, c, dy, x, dalpha);
}
