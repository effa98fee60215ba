/**
 * Depthwise convolution with one filter a channel: `x[n, h, w, c]`, `w[kh, kw, c]`, `y[n, oh, ow, c]`.
 *
 * A product with one column has nothing to reuse, so these kernels are direct: four channels a vector, taps outside of
 * the image skipped. The last channels, fewer than four, take the same path one at a time.
 */
import { activationForward, LINEAR, RELU } from "./activation";
import { add4, load4, madd4, relu4, store4, zero4 } from "./simd";
import { endTap, firstTap, Window } from "./window";

/**
 * `y = act(depthwise(x, w) + b)`; `b` is 0 for none.
 *
 * Order: one running float32 sum over the taps (ky, kx) inside of the image, ascending; then the bias, then the
 * activation. Error: γ_{kh·kw+1}·(Σ|x·w| + |b|).
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
): void {
  const c = window.c;
  const relu = activation == RELU;
  const image = (<usize>(window.h * window.w * c)) << 2;
  const pixel = (<usize>c) << 2;
  let out = y;
  for (let i = 0; i < n; i++) {
    for (let oy = 0; oy < window.oh; oy++) {
      const iy = oy * window.strideH - window.top;
      for (let ox = 0; ox < window.ow; ox++) {
        depthwisePixel(window, x, iy, ox * window.strideW - window.left, w, b, out, relu);
        out += pixel;
      }
    }
    x += image;
  }
  if (activation == LINEAR || relu) return;
  activationForward(activation, alpha, y, y, n * window.oh * window.ow * c);
}

/** All channels of one output pixel whose window starts at `(iy, ix)`. */
function depthwisePixel(
  window: Window,
  x: usize,
  iy: i32,
  ix: i32,
  w: usize,
  b: usize,
  y: usize,
  relu: bool,
): void {
  const c = window.c;
  const pixel = (<usize>c) << 2;
  const ky0 = firstTap(iy, window.dilationH);
  const ky1 = endTap(iy, window.dilationH, window.kh, window.h);
  const kx0 = firstTap(ix, window.dilationW);
  const kx1 = endTap(ix, window.dilationW, window.kw, window.w);
  const step = <usize>window.dilationW * pixel;
  let ch = 0;
  for (; ch + 4 <= c; ch += 4) {
    const at = (<usize>ch) << 2;
    let sum = zero4();
    for (let ky = ky0; ky < ky1; ky++) {
      let p = x + at + ((iy + ky * window.dilationH) * window.w + ix + kx0 * window.dilationW) * pixel;
      let q = w + at + (ky * window.kw + kx0) * pixel;
      for (let kx = kx0; kx < kx1; kx++) {
        sum = madd4(load4(p), load4(q), sum);
        p += step;
        q += pixel;
      }
    }
    if (b) sum = add4(sum, load4(b + at));
    if (relu) sum = relu4(sum);
    store4(y + at, sum);
  }
  for (; ch < c; ch++) {
    const at = (<usize>ch) << 2;
    let sum: f32 = 0;
    for (let ky = ky0; ky < ky1; ky++) {
      let p = x + at + ((iy + ky * window.dilationH) * window.w + ix + kx0 * window.dilationW) * pixel;
      let q = w + at + (ky * window.kw + kx0) * pixel;
      for (let kx = kx0; kx < kx1; kx++) {
        sum += load<f32>(p) * load<f32>(q);
        p += step;
        q += pixel;
      }
    }
    if (b) sum += load<f32>(b + at);
    if (relu && sum < 0) sum = 0;
    store<f32>(y + at, sum);
  }
}

/**
 * Goes through every pair of an output pixel and an input pixel under one of its taps: adds their products to the tap's
 * filter, or with `input` the products of gradient and filter to the input pixel. `input` is a constant at each call.
 */
// @ts-ignore: decorator
@inline
function eachTap(input: bool, window: Window, n: i32, x: usize, w: usize, dy: usize): void {
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
            const at = x + ((iy + ky * window.dilationH) * window.w + ix + kx * window.dilationW) * pixel;
            const tap = w + (ky * window.kw + kx) * pixel;
            if (input) addProducts(window.c, at, dy, tap);
            else addProducts(window.c, tap, at, dy);
          }
        }
        dy += pixel;
      }
    }
    x += <usize>(window.h * window.w) * pixel;
  }
}

/**
 * `dw[kh, kw, c]`: each tap's products of `x` and `dy` summed over the output pixels that it meets the image at.
 *
 * Order: one running float32 sum over (image, oy, ox) ascending. Error: γ_{n·oh·ow}·Σ|x·dy|.
 */
export function depthwiseConv2dBackpropFilter(window: Window, n: i32, x: usize, dy: usize, dw: usize): void {
  memory.fill(dw, 0, (<usize>(window.kh * window.kw * window.c)) << 2);
  eachTap(false, window, n, x, dw, dy);
}

/**
 * `dx[n, h, w, c]`: each `dy` goes back through the taps it came from (the adjoint of the forward pass).
 *
 * Order: each pixel is one running float32 sum over the output pixels (oy, ox) ascending. Error: γ_{kh·kw}·Σ|dy·w|.
 */
export function depthwiseConv2dBackpropInput(window: Window, n: i32, dy: usize, w: usize, dx: usize): void {
  memory.fill(dx, 0, (<usize>(n * window.h * window.w * window.c)) << 2);
  eachTap(true, window, n, dx, w, dy);
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
