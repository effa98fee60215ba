/**
 * Max pooling over windows of NHWC images.
 *
 * Channels are independent: four at a time, fewer than four one by one with the same operations; the last vector ends
 * with the last channel and computes some of them twice. Taps outside of the image do not exist. Each window must hold
 * at least one pixel of the image (the caller checks).
 */
import {
  LANES,
  add4,
  addInt4,
  allTrue4,
  and4,
  andNot4,
  atLeast4,
  equal4,
  laneNumbers,
  lessEqual4,
  load4,
  select4,
  splatInt,
  store4,
} from "../lib/simd";
import { endShare, firstShare } from "../lib/share";
import { endTap, firstTap, Window } from "../lib/window";

/**
 * `y[n, oh, ow, c]` = maximum over each window of `x[n, h, w, c]`, and in `argmax` (int32, the shape of `y`) where it
 * is: the index `(iy·w + ix)·c + ch` within its own image. With `argmax` 0 that is not kept.
 *
 * The first winner in scan order on a tie; the first NaN, if there is one. Padding never wins, so windows of negative
 * values, or of −∞ alone, have a winner as any other. Exact.
 *
 * @split SCATTER * unfolded(window, n)
 */
export function maxPool2dForward(window: Window, n: i32, x: usize, y: usize, argmax: usize): void {
  const c = window.c;
  const pixel = (<usize>c) << 2;
  const down = window.dilationH * window.w * c;
  const across = window.dilationW * c;
  const begin = firstShare(n * window.oh);
  const end = endShare(n * window.oh);
  const before = <usize>(begin * window.ow) * pixel;
  y += before;
  if (argmax) argmax += before;
  for (let i = begin; i < end; i++) {
    const image = i / window.oh;
    const from = x + <usize>(image * window.h * window.w) * pixel;
    const iy = (i - image * window.oh) * window.strideH - window.top;
    const ky = firstTap(iy, window.dilationH);
    const rows = endTap(iy, window.dilationH, window.kh, window.h) - ky;
    const line = (iy + ky * window.dilationH) * window.w;
    for (let ox = 0; ox < window.ow; ox++) {
      const ix = ox * window.strideW - window.left;
      // Divisions cost as much as a small window.
      const whole = ix >= 0 && ix + (window.kw - 1) * window.dilationW < window.w;
      const kx = whole ? 0 : firstTap(ix, window.dilationW);
      const cols = whole ? window.kw : endTap(ix, window.dilationW, window.kw, window.w) - kx;
      const first = (line + ix + kx * window.dilationW) * c;
      if (c >= LANES && rows == 2 && cols == 2) {
        if (argmax) fourAndWinners(from, first, down, across, c, y, argmax);
        else four(from, first, down, across, c, y);
      } else if (c >= LANES && !argmax && rows == 3 && cols == 3) {
        if (!nine(from, first, down, across, c, y)) maxima(from, first, rows, cols, down, across, c, y);
      } else if (c < LANES) fewChannels(from, first, rows, cols, down, across, c, y, argmax);
      else if (argmax) maximaAndWinners(from, first, rows, cols, down, across, c, y, argmax);
      else maxima(from, first, rows, cols, down, across, c, y);
      y += pixel;
      if (argmax) argmax += pixel;
    }
  }
}

/** Not less or equal: larger, or NaN against a number. A NaN that leads differs from itself, and stays. */
// @ts-ignore: decorator
@inline
function beats(value: v128, best: v128): v128 {
  return andNot4(equal4(best, best), lessEqual4(value, best));
}

/** The maxima of one window, whose first pixel inside of the image is element `first` of `x`. */
function maxima(x: usize, first: i32, rows: i32, cols: i32, down: i32, across: i32, c: i32, y: usize): void {
  const row = (<usize>down) << 2;
  const step = (<usize>across) << 2;
  for (let next = 0; next < c; next += LANES) {
    const ch = min(next, c - LANES);
    let line = x + ((<usize>(first + ch)) << 2);
    let best = load4(line);
    for (let r = rows; r > 0; r--) {
      let at = line;
      let k = cols;
      // Pairs: most windows have two or three columns.
      for (; k >= 2; k -= 2) {
        let value = load4(at);
        best = select4(beats(value, best), value, best);
        value = load4(at + step);
        best = select4(beats(value, best), value, best);
        at += 2 * step;
      }
      if (k > 0) {
        const value = load4(at);
        best = select4(beats(value, best), value, best);
      }
      line += row;
    }
    store4(y + ((<usize>ch) << 2), best);
  }
}

/** The maxima of one window and where they are. */
function maximaAndWinners(
  x: usize,
  first: i32,
  rows: i32,
  cols: i32,
  down: i32,
  across: i32,
  c: i32,
  y: usize,
  argmax: usize,
): void {
  const row = (<usize>down) << 2;
  const step = (<usize>across) << 2;
  const rowStep = splatInt(down);
  const colStep = splatInt(across);
  for (let next = 0; next < c; next += LANES) {
    const ch = min(next, c - LANES);
    let line = x + ((<usize>(first + ch)) << 2);
    let lineIndex = addInt4(splatInt(first + ch), laneNumbers());
    let best = load4(line);
    let winner = lineIndex;
    for (let r = rows; r > 0; r--) {
      let at = line;
      let index = lineIndex;
      let k = cols;
      for (; k >= 2; k -= 2) {
        let value = load4(at);
        let better = beats(value, best);
        best = select4(better, value, best);
        winner = select4(better, index, winner);
        index = addInt4(index, colStep);
        value = load4(at + step);
        better = beats(value, best);
        best = select4(better, value, best);
        winner = select4(better, index, winner);
        index = addInt4(index, colStep);
        at += 2 * step;
      }
      if (k > 0) {
        const value = load4(at);
        const better = beats(value, best);
        best = select4(better, value, best);
        winner = select4(better, index, winner);
      }
      line += row;
      lineIndex = addInt4(lineIndex, rowStep);
    }
    store4(y + ((<usize>ch) << 2), best);
    store4(argmax + ((<usize>ch) << 2), winner);
  }
}

/**
 * The maxima of a window of 3×3 pixels, each comparison one instruction, which loses NaN; false when there may be one, since
 * the sum of a window with NaN, or with both infinities, is NaN.
 */
function nine(x: usize, first: i32, down: i32, across: i32, c: i32, y: usize): bool {
  const right = (<usize>across) << 2;
  const below = (<usize>down) << 2;
  let numbers = splatInt(-1);
  for (let next = 0; next < c; next += LANES) {
    const ch = min(next, c - LANES);
    const upper = x + ((<usize>(first + ch)) << 2);
    const middle = upper + below;
    const lower = middle + below;
    let value = load4(upper);
    let best = value;
    let sum = value;
    value = load4(upper + right);
    best = atLeast4(best, value);
    sum = add4(sum, value);
    value = load4(upper + 2 * right);
    best = atLeast4(best, value);
    sum = add4(sum, value);
    value = load4(middle);
    best = atLeast4(best, value);
    sum = add4(sum, value);
    value = load4(middle + right);
    best = atLeast4(best, value);
    sum = add4(sum, value);
    value = load4(middle + 2 * right);
    best = atLeast4(best, value);
    sum = add4(sum, value);
    value = load4(lower);
    best = atLeast4(best, value);
    sum = add4(sum, value);
    value = load4(lower + right);
    best = atLeast4(best, value);
    sum = add4(sum, value);
    value = load4(lower + 2 * right);
    best = atLeast4(best, value);
    sum = add4(sum, value);
    numbers = and4(numbers, equal4(sum, sum));
    store4(y + ((<usize>ch) << 2), best);
  }
  return allTrue4(numbers);
}

/** The maxima of a window of 2×2 pixels, and with `winners` where they are: the usual window, without its loops. */
// @ts-ignore: decorator
@inline
function maximaOfFour(
  winners: bool,
  x: usize,
  first: i32,
  down: i32,
  across: i32,
  c: i32,
  y: usize,
  argmax: usize,
): void {
  const right = (<usize>across) << 2;
  const below = (<usize>down) << 2;
  for (let next = 0; next < c; next += LANES) {
    const ch = min(next, c - LANES);
    const at = x + ((<usize>(first + ch)) << 2);
    const v0 = load4(at);
    const v1 = load4(at + right);
    const v2 = load4(at + below);
    const v3 = load4(at + below + right);
    const upper = beats(v1, v0);
    const lower = beats(v3, v2);
    const best = select4(upper, v1, v0);
    const other = select4(lower, v3, v2);
    const better = beats(other, best);
    store4(y + ((<usize>ch) << 2), select4(better, other, best));
    if (!winners) continue;
    const i0 = addInt4(splatInt(first + ch), laneNumbers());
    const i2 = addInt4(i0, splatInt(down));
    const winner = select4(upper, addInt4(i0, splatInt(across)), i0);
    const rival = select4(lower, addInt4(i2, splatInt(across)), i2);
    store4(argmax + ((<usize>ch) << 2), select4(better, rival, winner));
  }
}

function four(x: usize, first: i32, down: i32, across: i32, c: i32, y: usize): void {
  maximaOfFour(false, x, first, down, across, c, y, 0);
}

function fourAndWinners(x: usize, first: i32, down: i32, across: i32, c: i32, y: usize, argmax: usize): void {
  maximaOfFour(true, x, first, down, across, c, y, argmax);
}

/** One window of fewer than four channels; selected without branches, as which pixel wins is random. */
function fewChannels(
  x: usize,
  first: i32,
  rows: i32,
  cols: i32,
  down: i32,
  across: i32,
  c: i32,
  y: usize,
  argmax: usize,
): void {
  for (let ch = 0; ch < c; ch++) {
    let winner = first + ch;
    let best = load<f32>(x + ((<usize>winner) << 2));
    for (let r = 0; r < rows; r++) {
      let at = first + ch + r * down;
      for (let k = 0; k < cols; k++, at += across) {
        const value = load<f32>(x + ((<usize>at) << 2));
        const better = i32(!(value <= best)) & i32(best == best);
        best = select<f32>(value, best, better);
        winner = select<i32>(at, winner, better);
      }
    }
    store<f32>(y + ((<usize>ch) << 2), best);
    if (argmax) store<i32>(argmax + ((<usize>ch) << 2), winner);
  }
}

/**
 * `dx[argmax[i]] += dy[i]` within each of `n` images, after `dx` was zeroed; `ySize` and `xSize` are the elements of
 * one image of `dy` and `dx`.
 *
 * Scatter-add in ascending order of `dy`: overlapping windows with one winner add up, k of them with an error of at
 * most (k − 1)·u·Σ |dy|.
 *
 * @split SCATTER * n * ySize
 */
export function maxPool2dBackward(n: i32, dy: usize, argmax: usize, dx: usize, ySize: i32, xSize: i32): void {
  const first = firstShare(n);
  n = endShare(n) - first;
  dy += (<usize>(first * ySize)) << 2;
  argmax += (<usize>(first * ySize)) << 2;
  dx += (<usize>(first * xSize)) << 2;
  memory.fill(dx, 0, (<usize>(n * xSize)) << 2);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < ySize; j++) {
      const at = dx + ((<usize>load<i32>(argmax)) << 2);
      store<f32>(at, load<f32>(at) + load<f32>(dy));
      argmax += 4;
      dy += 4;
    }
    dx += (<usize>xSize) << 2;
  }
}
