/**
 * Pooling over windows of NHWC images.
 *
 * Channels are independent: four at a time, the rest one by one with the same operations. Taps outside of the image
 * do not exist. Each window must hold at least one pixel of the image (the caller checks).
 */
import {
  LANES,
  add4,
  addInt4,
  andNot4,
  div4,
  equal4,
  laneNumbers,
  lessEqual4,
  load4,
  select4,
  splat,
  splatInt,
  store4,
  zero4,
} from "./simd";
import { endTap, firstTap, Window } from "./window";

/** What to do with a window. */
const MAXIMUM: i32 = 0;
const AVERAGE: i32 = 1;
const SPREAD: i32 = 2;

/**
 * Visits the windows of `n` images in ascending order. `image` is the side that the windows slide over, `pooled` the
 * side with one pixel a window; `kind` is a constant at each call.
 */
// @ts-ignore: decorator
@inline
function eachWindow(kind: i32, window: Window, n: i32, image: usize, pooled: usize, argmax: usize): void {
  const c = window.c;
  const rowStep = window.dilationH * window.w * c;
  const colStep = window.dilationW * c;
  for (let i = 0; i < n; i++) {
    for (let oy = 0; oy < window.oh; oy++) {
      const y = oy * window.strideH - window.top;
      const ky = firstTap(y, window.dilationH);
      const rows = endTap(y, window.dilationH, window.kh, window.h) - ky;
      const line = (y + ky * window.dilationH) * window.w;
      for (let ox = 0; ox < window.ow; ox++) {
        const x = ox * window.strideW - window.left;
        const kx = firstTap(x, window.dilationW);
        const cols = endTap(x, window.dilationW, window.kw, window.w) - kx;
        const first = (line + x + kx * window.dilationW) * c;
        if (kind == MAXIMUM) maximumPixel(image, first, rows, cols, rowStep, colStep, c, pooled, argmax);
        else if (kind == AVERAGE) averagePixel(image, first, rows, cols, rowStep, colStep, c, pooled);
        else spreadPixel(image, first, rows, cols, rowStep, colStep, c, pooled);
        pooled += (<usize>c) << 2;
        if (kind == MAXIMUM) argmax += (<usize>c) << 2;
      }
    }
    image += (<usize>(window.h * window.w * c)) << 2;
  }
}

/** The winners of one window; element `first` of `x` is its first pixel inside of the image. */
function maximumPixel(
  x: usize,
  first: i32,
  rows: i32,
  cols: i32,
  rowStep: i32,
  colStep: i32,
  c: i32,
  y: usize,
  argmax: usize,
): void {
  if (c < LANES) {
    for (let ch = 0; ch < c; ch++) maximumChannel(x, first + ch, rows, cols, rowStep, colStep, y, argmax, ch);
    return;
  }
  for (let next = 0; next < c; next += LANES) {
    // The last vector ends with the last channel: what it shares with the one before comes out the same twice.
    const ch = min(next, c - LANES);
    let best = load4(x + ((<usize>(first + ch)) << 2));
    let winner = addInt4(splatInt(first + ch), laneNumbers());
    for (let r = 0; r < rows; r++) {
      let at = first + ch + r * rowStep;
      for (let k = 0; k < cols; k++, at += colStep) {
        const value = load4(x + ((<usize>at) << 2));
        // Not less or equal: larger, or NaN against a number. A NaN that leads differs from itself, and stays.
        const better = andNot4(equal4(best, best), lessEqual4(value, best));
        best = select4(better, value, best);
        winner = select4(better, addInt4(splatInt(at), laneNumbers()), winner);
      }
    }
    store4(y + ((<usize>ch) << 2), best);
    store4(argmax + ((<usize>ch) << 2), winner);
  }
}

/** The winner among one channel's taps, the first at element `first`; selected without branches, as which wins is random. */
// @ts-ignore: decorator
@inline
function maximumChannel(
  x: usize,
  first: i32,
  rows: i32,
  cols: i32,
  rowStep: i32,
  colStep: i32,
  y: usize,
  argmax: usize,
  ch: i32,
): void {
  let winner = first;
  let best = load<f32>(x + ((<usize>first) << 2));
  for (let r = 0; r < rows; r++) {
    let at = first + r * rowStep;
    for (let k = 0; k < cols; k++, at += colStep) {
      const value = load<f32>(x + ((<usize>at) << 2));
      const better = i32(!(value <= best)) & i32(best == best);
      best = select<f32>(value, best, better);
      winner = select<i32>(at, winner, better);
    }
  }
  store<f32>(y + ((<usize>ch) << 2), best);
  store<i32>(argmax + ((<usize>ch) << 2), winner);
}

/** The means of one window: the sum in scan order, divided by the number of taps. */
function averagePixel(
  x: usize,
  first: i32,
  rows: i32,
  cols: i32,
  rowStep: i32,
  colStep: i32,
  c: i32,
  y: usize,
): void {
  const count = <f32>(rows * cols);
  const whole = c & ~(LANES - 1);
  for (let ch = 0; ch < whole; ch += LANES) {
    let sum = zero4();
    for (let r = 0; r < rows; r++) {
      let at = first + ch + r * rowStep;
      for (let k = 0; k < cols; k++, at += colStep) sum = add4(sum, load4(x + ((<usize>at) << 2)));
    }
    store4(y + ((<usize>ch) << 2), div4(sum, splat(count)));
  }
  for (let ch = whole; ch < c; ch++) {
    let sum: f32 = 0;
    for (let r = 0; r < rows; r++) {
      let at = first + ch + r * rowStep;
      for (let k = 0; k < cols; k++, at += colStep) sum += load<f32>(x + ((<usize>at) << 2));
    }
    store<f32>(y + ((<usize>ch) << 2), sum / count);
  }
}

/** Adds an even share of the gradient of one window to each of its pixels. */
function spreadPixel(
  dx: usize,
  first: i32,
  rows: i32,
  cols: i32,
  rowStep: i32,
  colStep: i32,
  c: i32,
  dy: usize,
): void {
  const count = <f32>(rows * cols);
  const whole = c & ~(LANES - 1);
  for (let ch = 0; ch < whole; ch += LANES) {
    const share = div4(load4(dy + ((<usize>ch) << 2)), splat(count));
    for (let r = 0; r < rows; r++) {
      let at = dx + ((<usize>(first + ch + r * rowStep)) << 2);
      for (let k = 0; k < cols; k++, at += (<usize>colStep) << 2) store4(at, add4(load4(at), share));
    }
  }
  for (let ch = whole; ch < c; ch++) {
    const share = load<f32>(dy + ((<usize>ch) << 2)) / count;
    for (let r = 0; r < rows; r++) {
      let at = dx + ((<usize>(first + ch + r * rowStep)) << 2);
      for (let k = 0; k < cols; k++, at += (<usize>colStep) << 2) store<f32>(at, load<f32>(at) + share);
    }
  }
}

/**
 * `y[n, oh, ow, c]` = maximum over each window of `x[n, h, w, c]`, and in `argmax` (int32, the shape of `y`) where it
 * is: the index `(iy·w + ix)·c + ch` within its own image.
 *
 * The first winner in scan order on a tie; the first NaN, if there is one. Padding never wins, so windows of negative
 * values, or of −∞ alone, have a winner as any other. Exact.
 */
export function maxPool2dForward(window: Window, n: i32, x: usize, y: usize, argmax: usize): void {
  eachWindow(MAXIMUM, window, n, x, y, argmax);
}

/**
 * `dx[argmax[i]] += dy[i]` within each of `n` images, after `dx` was zeroed; `ySize` and `xSize` are the elements of
 * one image of `dy` and `dx`.
 *
 * Scatter-add in ascending order of `dy`: overlapping windows with one winner add up, k of them with an error of at
 * most (k − 1)·u·Σ |dy|.
 */
export function maxPool2dBackward(n: i32, dy: usize, argmax: usize, dx: usize, ySize: i32, xSize: i32): void {
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

/**
 * `y[n, oh, ow, c]` = mean over the pixels of each window of `x[n, h, w, c]`; padding is not counted, as in TensorFlow.
 *
 * The k pixels are added in scan order, then divided by k: |error| ≤ k·u·(Σ |x|) / k to first order.
 */
export function averagePool2dForward(window: Window, n: i32, x: usize, y: usize): void {
  eachWindow(AVERAGE, window, n, x, y, 0);
}

/**
 * The adjoint of `averagePool2dForward`: zeroes `dx[n, h, w, c]`, then adds `dy / k` to the k pixels of each window.
 *
 * Windows in ascending order: a pixel in m windows has |error| ≤ m·u·Σ |dy| / k to first order.
 */
export function averagePool2dBackward(window: Window, n: i32, dy: usize, dx: usize): void {
  memory.fill(dx, 0, (<usize>(n * window.h * window.w * window.c)) << 2);
  eachWindow(SPREAD, window, n, dx, dy, 0);
}

/**
 * `y[n, c]` = mean over the pixels of `x[n, pixels, c]`, added in ascending order, then divided:
 * |error| ≤ pixels·u·(Σ |x|) / pixels to first order.
 */
export function globalAveragePool2dForward(n: i32, pixels: i32, c: i32, x: usize, y: usize): void {
  for (let i = 0; i < n; i++) {
    averagePixel(x, 0, 1, pixels, 0, c, c, y);
    x += (<usize>(pixels * c)) << 2;
    y += (<usize>c) << 2;
  }
}

/** The adjoint of `globalAveragePool2dForward`: `dx[n, pixels, c] = dy[n, c] / pixels`, rounded once. */
export function globalAveragePool2dBackward(n: i32, pixels: i32, c: i32, dy: usize, dx: usize): void {
  memory.fill(dx, 0, (<usize>(n * pixels * c)) << 2);
  for (let i = 0; i < n; i++) {
    spreadPixel(dx, 0, 1, pixels, 0, c, c, dy);
    dx += (<usize>(pixels * c)) << 2;
    dy += (<usize>c) << 2;
  }
}
