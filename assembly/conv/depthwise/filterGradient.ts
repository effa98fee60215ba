/** The filter gradient of depthwise convolution; see `depthwise.ts`. */
import { LINE, endShare, firstShare } from "../../lib/share";
import { LANES, load4, madd4, store4 } from "../../lib/simd";
import { endTap, firstTap, Window } from "../../lib/window";

/** The first output column at which tap `kx` is not before the image, and one past the last at which it is inside. */
// @ts-ignore: decorator
@inline
function firstColumn(window: Window, kx: i32): i32 {
  return firstTap(kx * window.dilationW - window.left, window.strideW);
}

// @ts-ignore: decorator
@inline
function endColumn(window: Window, kx: i32): i32 {
  return endTap(kx * window.dilationW - window.left, window.strideW, window.ow, window.w);
}

/**
 * `dw[kh, kw, c]`: each tap's products of `x` and `dy` summed over the output pixels that it meets the image at.
 *
 * Order: one running float32 sum over (image, oy, ox) ascending. Error: γ_{n·oh·ow}·Σ|x·dy|.
 *
 * @split DEPTHWISE * unfolded(window, n)
 */
export function depthwiseConv2dBackpropFilter(window: Window, n: i32, x: usize, dy: usize, dw: usize): void {
  const pixel = (<usize>window.c) << 2;
  const first = firstShare(window.c, LINE);
  const channels = endShare(window.c, LINE) - first;
  if (channels == 0) return;
  const offset = (<usize>first) << 2;
  for (let tap = 0; tap < window.kh * window.kw; tap++) {
    memory.fill(dw + offset + <usize>tap * pixel, 0, (<usize>channels) << 2);
  }
  for (let i = 0; i < n * window.oh; i++) {
    const image = i / window.oh;
    const iy = (i - image * window.oh) * window.strideH - window.top;
    const end = endTap(iy, window.dilationH, window.kh, window.h);
    const gradients = dy + offset + <usize>(i * window.ow) * pixel;
    for (let ky = firstTap(iy, window.dilationH); ky < end; ky++) {
      const line = image * window.h + iy + ky * window.dilationH;
      const row = x + offset + <usize>(line * window.w) * pixel;
      tapRow(window, channels, row, gradients, dw + offset + <usize>(ky * window.kw) * pixel);
    }
  }
}

/** Adds what one row of gradients and one row of the image give to a row of taps; three taps at a time. */
function tapRow(window: Window, channels: i32, x: usize, dy: usize, dw: usize): void {
  const pixel = (<usize>window.c) << 2;
  const step = <usize>window.strideW * pixel;
  const across = <usize>window.dilationW * pixel;
  let kx = 0;
  for (; kx + 3 <= window.kw; kx += 3) {
    const from = x + <usize>(kx * window.dilationW - window.left) * pixel;
    const to = dw + <usize>kx * pixel;
    // The columns at which all three meet the image; each tap by itself before and behind them.
    const a = max(firstColumn(window, kx), max(firstColumn(window, kx + 1), firstColumn(window, kx + 2)));
    const e = min(endColumn(window, kx), min(endColumn(window, kx + 1), endColumn(window, kx + 2)));
    const middle = e > a;
    for (let t = 0; t < 3; t++) {
      const stop = middle ? a : endColumn(window, kx + t);
      oneTap(channels, firstColumn(window, kx + t), stop, from + t * across, step, dy, pixel, to + t * pixel);
    }
    if (!middle) continue;
    threeTaps(channels, a, e, from, step, across, dy, pixel, to);
    for (let t = 0; t < 3; t++) {
      oneTap(channels, e, endColumn(window, kx + t), from + t * across, step, dy, pixel, to + t * pixel);
    }
  }
  for (; kx < window.kw; kx++) {
    const from = x + <usize>(kx * window.dilationW - window.left) * pixel;
    const to = dw + <usize>kx * pixel;
    oneTap(channels, firstColumn(window, kx), endColumn(window, kx), from, step, dy, pixel, to);
  }
}

/** `dw[ch] += Σ x·dy` over the columns `[first, end)`, for one tap. */
function oneTap(
  channels: i32,
  first: i32,
  end: i32,
  x: usize,
  step: usize,
  dy: usize,
  pixel: usize,
  dw: usize,
): void {
  if (end <= first) return;
  x += <usize>first * step;
  dy += <usize>first * pixel;
  let ch = channels;
  for (; ch >= LANES; ch -= LANES) {
    let sum = load4(dw);
    let p = x;
    let q = dy;
    for (let i = end - first; i > 0; i--) {
      sum = madd4(load4(p), load4(q), sum);
      p += step;
      q += pixel;
    }
    store4(dw, sum);
    x += 16;
    dy += 16;
    dw += 16;
  }
  for (; ch > 0; ch--) {
    let sum = load<f32>(dw);
    let p = x;
    let q = dy;
    for (let i = end - first; i > 0; i--) {
      sum += load<f32>(p) * load<f32>(q);
      p += step;
      q += pixel;
    }
    store<f32>(dw, sum);
    x += 4;
    dy += 4;
    dw += 4;
  }
}

/** The same for three taps, `across` bytes apart in the image, which share the loads of the gradients. */
function threeTaps(
  channels: i32,
  first: i32,
  end: i32,
  x: usize,
  step: usize,
  across: usize,
  dy: usize,
  pixel: usize,
  dw: usize,
): void {
  const whole = channels & -LANES;
  let from = x + <usize>first * step;
  let gradients = dy + <usize>first * pixel;
  for (let ch = 0; ch < whole; ch += LANES) {
    const at = dw + ((<usize>ch) << 2);
    let s0 = load4(at);
    let s1 = load4(at + pixel);
    let s2 = load4(at + 2 * pixel);
    let p = from;
    let q = gradients;
    for (let i = end - first; i > 0; i--) {
      const d = load4(q);
      s0 = madd4(load4(p), d, s0);
      s1 = madd4(load4(p + across), d, s1);
      s2 = madd4(load4(p + 2 * across), d, s2);
      p += step;
      q += pixel;
    }
    store4(at, s0);
    store4(at + pixel, s1);
    store4(at + 2 * pixel, s2);
    from += 16;
    gradients += 16;
  }
  if (whole == channels) return;
  const rest = (<usize>whole) << 2;
  for (let t = 0; t < 3; t++) {
    const tap = x + rest + t * across;
    oneTap(channels - whole, first, end, tap, step, dy + rest, pixel, dw + rest + t * pixel);
  }
}
