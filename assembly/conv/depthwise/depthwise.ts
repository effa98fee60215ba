/**
 * Depthwise convolution with one filter a channel: `x[n, h, w, c]`, `w[kh, kw, c]`, `y[n, oh, ow, c]`.
 *
 * A product with one column has nothing to reuse but the filters and, along a row, the pixels: these kernels are direct,
 * four channels a vector and four output columns at a time, taps outside of the image skipped. The last vector of
 * channels ends with the last channel and computes some of them twice; fewer than four channels go one by one. Filters are read as they
 * are: callers lay them out by `flushSubnormals`.
 */
import { activate } from "../../elementwise/activation";
import { Activation, ceilingOf, floorOf, isClip } from "../../lib/activations";
import { COLUMNS, fewChannels, fourPixels, joinedPixels3, onePixel, Taps } from "./pixels";
import { rotate } from "../inputGradientFlipped";
import { endShare, firstShare } from "../../lib/share";
import { openWorkspace, take, workspaceFloats } from "../../lib/workspace";
import { LANES, load4, madd4, store4 } from "../../lib/simd";
import { endTap, firstTap, Window } from "../../lib/window";

/** The struct of the taps, and the window of the input gradient. */
let tapsAt: usize = 0;
let rotatedAt: usize = 0;

function layOut(): void {
  tapsAt = take(offsetof<Taps>());
  rotatedAt = take(offsetof<Window>());
}

/** Floats of workspace for `depthwiseConv2dForward` and `depthwiseConv2dBackpropInput`. @size */
export function depthwiseConv2dWorkspace(): f64 {
  openWorkspace(0);
  layOut();
  return workspaceFloats();
}

/**
 * `y = act(depthwise(x, w) + b)`; `b` is 0 for none.
 *
 * Order: one running float32 sum over the taps (ky, kx) inside of the image, ascending; then the bias, then the
 * activation. Error: γ_{kh·kw+1}·(Σ|x·w| + |b|).
 *
 * @split DEPTHWISE * unfolded(window, n)
 */
export function depthwiseConv2dForward(
  window: Window,
  n: i32,
  x: usize,
  w: usize,
  b: usize,
  y: usize,
  activation: i32,
  alpha: f32,
  workspace: usize,
): void {
  openWorkspace(workspace);
  layOut();
  const taps = changetype<Taps>(tapsAt);
  const row = window.ow * window.c;
  taps.b = b;
  setBounds(taps, isClip(activation) ? activation : Activation.linear);
  slide(false, window, n, x, w, y, taps);
  if (isClip(activation)) return;
  const first = firstShare(n * window.oh);
  const own = y + ((<usize>(first * row)) << 2);
  activate(activation, alpha, own, own, (endShare(n * window.oh) - first) * row);
}

// @ts-ignore: decorator
@inline
function setBounds(taps: Taps, clip: i32): void {
  taps.floor = floorOf(clip);
  taps.ceiling = ceilingOf(clip);
}

/**
 * Slides the filters over `n` images; `rotated` by 180°, a constant at each call. Threads share the output rows of all
 * images.
 */
// @ts-ignore: decorator
@inline
function slide(rotated: bool, window: Window, n: i32, x: usize, w: usize, y: usize, taps: Taps): void {
  const pixel = (<usize>window.c) << 2;
  const lastTap = <usize>(window.kh * window.kw - 1) * pixel;
  const end = endShare(n * window.oh);
  taps.c = window.c;
  taps.tap = rotated ? -pixel : pixel;
  taps.line = <usize>window.kw * taps.tap;
  taps.step = <usize>window.strideW * pixel;
  taps.across = <usize>window.dilationW * pixel;
  taps.down = <usize>(window.dilationH * window.w) * pixel;
  for (let i = firstShare(n * window.oh); i < end; i++) {
    const image = i / window.oh;
    const iy = (i - image * window.oh) * window.strideH - window.top;
    const ky = firstTap(iy, window.dilationH);
    const row = image * window.h + iy + ky * window.dilationH;
    taps.rows = max(0, endTap(iy, window.dilationH, window.kh, window.h) - ky);
    taps.w = w + (rotated ? lastTap : 0) + <usize>ky * taps.line;
    taps.x = x + <usize>(row * window.w) * pixel;
    outputRow(window, taps, y + <usize>(i * window.ow) * pixel);
  }
}

/** One row of output pixels: those whose taps all lie in the image four at a time, the others by themselves. */
function outputRow(window: Window, taps: Taps, y: usize): void {
  const pixel = (<usize>window.c) << 2;
  const kw = window.kw;
  const joined = taps.step == taps.across;
  for (let ox = 0; ox < window.ow;) {
    const ix = ox * window.strideW - window.left;
    const kx = firstTap(ix, window.dilationW);
    const columns = endTap(ix, window.dilationW, kw, window.w) - kx;
    const from = taps.x + <usize>(ix + kx * window.dilationW) * pixel;
    const at = taps.w + <usize>kx * taps.tap;
    const to = y + <usize>ox * pixel;
    const last = (ox + COLUMNS - 1) * window.strideW - window.left + (kw - 1) * window.dilationW;
    ox++;
    if (window.c < LANES) {
      fewChannels(taps, columns, from, at, to);
    } else if (columns == kw && ox + COLUMNS - 1 <= window.ow && last < window.w) {
      ox += COLUMNS - 1;
      if (kw == 3 && joined) joinedPixels3(taps, from, at, to);
      else fourPixels(taps, columns, from, at, to);
    } else {
      onePixel(taps, columns, from, at, to);
    }
  }
}

/**
 * `dx[n, h, w, c]`: each `dy` goes back through the taps it came from (the adjoint of the forward pass). At stride 1
 * that is one more pass over `dy` with the filters rotated by 180°, in the same order.
 *
 * Order: each pixel is one running float32 sum over the output pixels (oy, ox) ascending. Error: γ_{kh·kw}·Σ|dy·w|.
 *
 * @split DEPTHWISE * unfolded(window, n)
 */
export function depthwiseConv2dBackpropInput(
  window: Window,
  n: i32,
  dy: usize,
  w: usize,
  dx: usize,
  workspace: usize,
): void {
  if (max(window.strideH, window.strideW) == 1) {
    openWorkspace(workspace);
    layOut();
    const taps = changetype<Taps>(tapsAt);
    const rotated = changetype<Window>(rotatedAt);
    rotate(window, window.c, rotated);
    taps.b = 0;
    setBounds(taps, Activation.linear);
    slide(true, rotated, n, dy, w, dx, taps);
    return;
  }
  const image = (<usize>(window.h * window.w * window.c)) << 2;
  const first = firstShare(n);
  const own = endShare(n) - first;
  const to = dx + <usize>first * image;
  memory.fill(to, 0, <usize>own * image);
  scatter(window, own, to, w, dy + ((<usize>(first * window.oh * window.ow * window.c)) << 2));
}

/** Adds the products of each gradient and its filter to the input pixels under the taps. */
function scatter(window: Window, n: i32, dx: usize, w: usize, dy: usize): void {
  const pixel = (<usize>window.c) << 2;
  for (let i = 0; i < n; i++) {
    for (let oy = 0; oy < window.oh; oy++) {
      const iy = oy * window.strideH - window.top;
      const ky1 = endTap(iy, window.dilationH, window.kh, window.h);
      for (let ox = 0; ox < window.ow; ox++) {
        const ix = ox * window.strideW - window.left;
        const kx0 = firstTap(ix, window.dilationW);
        const kx1 = endTap(ix, window.dilationW, window.kw, window.w);
        for (let ky = firstTap(iy, window.dilationH); ky < ky1; ky++) {
          for (let kx = kx0; kx < kx1; kx++) {
            const at = dx + ((iy + ky * window.dilationH) * window.w + ix + kx * window.dilationW) * pixel;
            addProducts(window.c, at, dy, w + (ky * window.kw + kx) * pixel);
          }
        }
        dy += pixel;
      }
    }
    dx += <usize>(window.h * window.w) * pixel;
  }
}

/** `to[i] += a[i]·b[i]` over the channels of one pixel. */
// @ts-ignore: decorator
@inline
function addProducts(c: i32, to: usize, a: usize, b: usize): void {
  let ch = c;
  for (; ch >= 4; ch -= 4) {
    store4(to, madd4(load4(a), load4(b), load4(to)));
    to += 16;
    a += 16;
    b += 16;
  }
  for (; ch > 0; ch--) {
    store<f32>(to, load<f32>(to) + load<f32>(a) * load<f32>(b));
    to += 4;
    a += 4;
    b += 4;
  }
}
