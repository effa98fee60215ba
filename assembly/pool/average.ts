/**
 * Average pooling over windows of NHWC images.
 *
 * Channels are independent: four at a time, the rest one by one with the same operations. Taps outside of the image
 * do not exist. Each window must hold at least one pixel of the image (the caller checks).
 */
import { LANES, add4, div4, load4, splat, store4, zero4 } from "../lib/simd";
import { endShare, firstShare } from "../lib/share";
import { endTap, firstTap, Window } from "../lib/window";

/** The two passes over windows: their means, and the way back. */
const AVERAGE: i32 = 0;
const SPREAD: i32 = 1;

/**
 * Visits the windows of this thread's images in ascending order. `image` is the side that the windows slide over, `pooled` the
 * side with one pixel a window; `kind` is a constant at each call.
 */
// @ts-ignore: decorator
@inline
function eachWindow(kind: i32, window: Window, n: i32, image: usize, pooled: usize): void {
  const c = window.c;
  const rowStep = window.dilationH * window.w * c;
  const colStep = window.dilationW * c;
  const begin = firstShare(n);
  const end = endShare(n);
  image += (<usize>(begin * window.h * window.w * c)) << 2;
  pooled += (<usize>(begin * window.oh * window.ow * c)) << 2;
  for (let i = begin; i < end; i++) {
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
        if (kind == AVERAGE) averagePixel(image, first, rows, cols, rowStep, colStep, c, pooled);
        else spreadPixel(image, first, rows, cols, rowStep, colStep, c, pooled);
        pooled += (<usize>c) << 2;
      }
    }
    image += (<usize>(window.h * window.w * c)) << 2;
  }
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
  let ch = 0;
  for (; ch + 4 * LANES <= c; ch += 4 * LANES)
    meanVectors(4, x, first + ch, rows, cols, rowStep, colStep, y + ((<usize>ch) << 2));
  for (; ch < whole; ch += LANES)
    meanVectors(1, x, first + ch, rows, cols, rowStep, colStep, y + ((<usize>ch) << 2));
  for (; ch < c; ch++) {
    let sum: f32 = 0;
    for (let r = 0; r < rows; r++) {
      let at = first + ch + r * rowStep;
      for (let k = 0; k < cols; k++, at += colStep) sum += load<f32>(x + ((<usize>at) << 2));
    }
    store<f32>(y + ((<usize>ch) << 2), sum / count);
  }
}

/**
 * The means of `vectors` (1 or 4) vectors of channels: a sum by itself would wait for each of its additions, and read a
 * quarter of each cache line.
 */
// @ts-ignore: decorator
@inline
function meanVectors(
  vectors: i32,
  x: usize,
  first: i32,
  rows: i32,
  cols: i32,
  rowStep: i32,
  colStep: i32,
  y: usize,
): void {
  let s0 = zero4();
  let s1 = zero4();
  let s2 = zero4();
  let s3 = zero4();
  const step = (<usize>colStep) << 2;
  for (let r = 0; r < rows; r++) {
    let p = x + ((<usize>(first + r * rowStep)) << 2);
    for (let k = cols; k > 0; k--) {
      s0 = add4(s0, load4(p));
      if (vectors == 4) {
        s1 = add4(s1, load4(p + 16));
        s2 = add4(s2, load4(p + 32));
        s3 = add4(s3, load4(p + 48));
      }
      p += step;
    }
  }
  const count = splat(<f32>(rows * cols));
  store4(y, div4(s0, count));
  if (vectors == 4) {
    store4(y + 16, div4(s1, count));
    store4(y + 32, div4(s2, count));
    store4(y + 48, div4(s3, count));
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
 * `y[n, oh, ow, c]` = mean over the pixels of each window of `x[n, h, w, c]`; padding is not counted, as in TensorFlow.
 *
 * The k pixels are added in scan order, then divided by k: |error| ≤ k·u·(Σ |x|) / k to first order.
 *
 * @split COPY * unfolded(window, n)
 */
export function averagePool2dForward(window: Window, n: i32, x: usize, y: usize): void {
  eachWindow(AVERAGE, window, n, x, y);
}

/**
 * The adjoint of `averagePool2dForward`: zeroes `dx[n, h, w, c]`, then adds `dy / k` to the k pixels of each window.
 *
 * Windows in ascending order: a pixel in m windows has |error| ≤ m·u·Σ |dy| / k to first order.
 *
 * @split SCATTER * unfolded(window, n)
 */
export function averagePool2dBackward(window: Window, n: i32, dy: usize, dx: usize): void {
  const size = (<usize>(window.h * window.w * window.c)) << 2;
  const first = firstShare(n);
  memory.fill(dx + <usize>first * size, 0, <usize>(endShare(n) - first) * size);
  eachWindow(SPREAD, window, n, dx, dy);
}

/**
 * `y[n, c]` = mean over the pixels of `x[n, pixels, c]`, added in ascending order, then divided:
 * |error| ≤ pixels·u·(Σ |x|) / pixels to first order.
 *
 * @split COPY * n * pixels * c
 */
export function globalAveragePool2dForward(n: i32, pixels: i32, c: i32, x: usize, y: usize): void {
  const first = firstShare(n);
  x += (<usize>(first * pixels * c)) << 2;
  y += (<usize>(first * c)) << 2;
  for (let i = endShare(n) - first; i > 0; i--) {
    averagePixel(x, 0, 1, pixels, 0, c, c, y);
    x += (<usize>(pixels * c)) << 2;
    y += (<usize>c) << 2;
  }
}

/**
 * The adjoint of `globalAveragePool2dForward`: `dx[n, pixels, c] = dy[n, c] / pixels`, rounded once.
 *
 * @split COPY * n * pixels * c
 */
export function globalAveragePool2dBackward(n: i32, pixels: i32, c: i32, dy: usize, dx: usize): void {
  const first = firstShare(n);
  const own = endShare(n) - first;
  dx += (<usize>(first * pixels * c)) << 2;
  dy += (<usize>(first * c)) << 2;
  memory.fill(dx, 0, (<usize>(own * pixels * c)) << 2);
  for (let i = own; i > 0; i--) {
    spreadPixel(dx, 0, 1, pixels, 0, c, c, dy);
    dx += (<usize>(pixels * c)) << 2;
    dy += (<usize>c) << 2;
  }
}
