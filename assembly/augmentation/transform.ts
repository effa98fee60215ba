/** Images moved, turned, zoomed, mirrored or cut out at random: one affine map an image, and its pixels sampled. */
import { float } from "../lib/elements";
import { Stream, absorb, layerKey, uniform } from "../lib/hash";
import { endShare, firstShare } from "../lib/share";
import { cosineOfTurns, sineOfTurns } from "../lib/trigonometry";

/** The kinds of random maps; the formulas stand at `randomTransform`. @abi */
export enum RandomMap {
  flip = 0,
  translation = 1,
  rotation = 2,
  zoom = 3,
  evenZoom = 4,
  crop = 5,
}

/** What stands beyond the edges of an image; the formulas stand at `randomTransform`. @abi */
export enum FillMode {
  constant = 0,
  nearest = 1,
  reflect = 2,
  wrap = 3,
}

/** Places farther out than this are taken for this far out. */
const FARTHEST: f64 = 1073741824;

/** The pixel of a row of `n` that stands at the place `i`, or −1 for the constant. */
// @ts-ignore: decorator
@inline
function placeOf(i: i32, n: i32, fill: i32): i32 {
  if (<u32>i < <u32>n) return i;
  if (fill == FillMode.constant) return -1;
  if (fill == FillMode.nearest) return i < 0 ? 0 : n - 1;
  const period = fill == FillMode.reflect ? 2 * <i64>n : <i64>n;
  const rest = <i64>i % period;
  const place = rest < 0 ? rest + period : rest;
  return <i32>(place < <i64>n ? place : period - 1 - place);
}

// @ts-ignore: decorator
@inline
function clamped(s: f64): f64 {
  return max(min(s, FARTHEST), -FARTHEST);
}

/** The address of a pixel, 0 for the constant; `row` is the address of its row. */
// @ts-ignore: decorator
@inline
function pixelAt(row: usize, i: i32, w: i32, c: i32, fill: i32): usize {
  if (row == 0) return 0;
  const place = placeOf(i, w, fill);
  return place < 0 ? 0 : row + ((<usize>place * <usize>c) << 2);
}

// @ts-ignore: decorator
@inline
function rowAt(x: usize, i: i32, h: i32, w: i32, c: i32, fill: i32): usize {
  const place = placeOf(i, h, fill);
  return place < 0 ? 0 : x + ((<usize>place * <usize>w * <usize>c) << 2);
}

// @ts-ignore: decorator
@inline
function valueAt(pixel: usize, at: usize, fillValue: f32): f32 {
  return pixel == 0 ? fillValue : load<f32>(pixel + at);
}

/** The pixel at the place (sy, sx) of an image, all channels. */
function sample(
  bilinear: bool,
  fill: i32,
  fillValue: f32,
  sy: f64,
  sx: f64,
  h: i32,
  w: i32,
  c: i32,
  x: usize,
  y: usize,
): void {
  const half: f64 = bilinear ? 0 : 0.5;
  const top = floor(clamped(sy) + half);
  const left = floor(clamped(sx) + half);
  const row = rowAt(x, <i32>top, h, w, c, fill);
  const pixel = pixelAt(row, <i32>left, w, c, fill);
  const end = (<usize>c) << 2;
  if (!bilinear) {
    for (let at: usize = 0; at < end; at += 4) store<f32>(y + at, valueAt(pixel, at, fillValue));
    return;
  }
  const below = rowAt(x, <i32>top + 1, h, w, c, fill);
  const right = pixelAt(row, <i32>left + 1, w, c, fill);
  const under = pixelAt(below, <i32>left, w, c, fill);
  const across = pixelAt(below, <i32>left + 1, w, c, fill);
  const fy = <f32>(clamped(sy) - top);
  const fx = <f32>(clamped(sx) - left);
  const ey: f32 = <f32>1 - fy;
  const ex: f32 = <f32>1 - fx;
  for (let at: usize = 0; at < end; at += 4) {
    const upper = ex * valueAt(pixel, at, fillValue) + fx * valueAt(right, at, fillValue);
    const lower = ex * valueAt(under, at, fillValue) + fx * valueAt(across, at, fillValue);
    store<f32>(y + at, ey * upper + fy * lower);
  }
}

/**
 * `y[n, oh, ow, c]` of `x[n, h, w, c]`, a random affine map an image: the pixel (i, j) of y is what stands in x at the place
 *
 *     (h − 1)/2 + ty + a·(i − (oh − 1)/2) + b·(j − (ow − 1)/2),
 *     (w − 1)/2 + tx + d·(i − (oh − 1)/2) + e·(j − (ow − 1)/2)
 *
 * computed in float64 as `(a·di + b·dj) + (centre + t)`. With lowH, highH, lowW, highW and fillValue from the five float32
 * at `ranges`, and the random numbers `p = lowH + (highH − lowH)·u₀` and `q = lowW + (highW − lowW)·u₁`, it is, where a and e are 1 and all else is 0 at first,
 *
 * - flip: a = −1 where u₀ < lowH, e = −1 where u₁ < lowW;
 * - translation: ty = −p·h, tx = −q·w;
 * - rotation: a = e = cos 2πp, b = sin 2πp, d = −sin 2πp: counter-clockwise for p > 0;
 * - zoom: a = 1 + p, e = 1 + q; evenZoom: both 1 + p;
 * - crop: the place (⌊u₀·(h − oh + 1)⌋, ⌊u₁·(w − ow + 1)⌋) is the corner of y.
 *
 * Sampling takes the nearest pixel, ⌊s + ½⌋, or is bilinear: with the fractions fy and fx as float32, of the four pixels
 * around `(1 − fy)·((1 − fx)·p₀₀ + fx·p₀₁) + fy·((1 − fx)·p₁₀ + fx·p₁₁)` in float32, each operation rounded. Pixels beyond
 * the edges are `fillValue` (constant), those at the edge (nearest), d c b a | a b c d | d c b a (reflect), or
 * a b c d | a b c d | a b c d (wrap).
 *
 * u₀ and u₁ are the hashes of 0 and 1 over 2³², as `dropout` has them, whose key is made of the seed by `absorb` of 1, of
 * `epoch`, of `layer` and of the image's number among all, the int32 at `indices + 4·image`, and of nothing else.
 *
 * @split SCATTER * n * oh * ow * (c + 4)
 */
export function randomTransform(
  kind: i32,
  bilinear: bool,
  fill: i32,
  ranges: usize,
  x: usize,
  y: usize,
  n: i32,
  h: i32,
  w: i32,
  c: i32,
  oh: i32,
  ow: i32,
  seedLow: u32,
  seedHigh: u32,
  epoch: u32,
  layer: u32,
  indices: usize,
): void {
  const key = layerKey(seedLow, seedHigh, Stream.epoch, epoch, layer);
  const lowH = <f64>float(ranges, 0);
  const highH = <f64>float(ranges, 1);
  const lowW = <f64>float(ranges, 2);
  const highW = <f64>float(ranges, 3);
  const fillValue = float(ranges, 4);
  const size = (<usize>h * <usize>w * <usize>c) << 2;
  const stride = (<usize>c) << 2;
  const first = firstShare(n * oh);
  const end = endShare(n * oh);
  y += <usize>first * <usize>ow * stride;
  for (let line = first; line < end;) {
    const image = line / oh;
    const own = absorb(key, load<u32>(indices + ((<usize>image) << 2)));
    const u = uniform(own, 0);
    const v = uniform(own, 1);
    const p = lowH + (highH - lowH) * u;
    const q = lowW + (highW - lowW) * v;
    let a: f64 = 1;
    let b: f64 = 0;
    let e: f64 = 1;
    let cy = 0.5 * <f64>(h - 1);
    let cx = 0.5 * <f64>(w - 1);
    if (kind == RandomMap.flip) {
      if (u < lowH) a = -1;
      if (v < lowW) e = -1;
    } else if (kind == RandomMap.translation) {
      cy -= p * <f64>h;
      cx -= q * <f64>w;
    } else if (kind == RandomMap.rotation) {
      a = cosineOfTurns(p);
      b = sineOfTurns(p);
      e = a;
    } else if (kind == RandomMap.crop) {
      cy = floor(u * <f64>(h - oh + 1)) + 0.5 * <f64>(oh - 1);
      cx = floor(v * <f64>(w - ow + 1)) + 0.5 * <f64>(ow - 1);
    } else {
      a = 1 + p;
      e = kind == RandomMap.zoom ? 1 + q : a;
    }
    const from = x + <usize>image * size;
    for (const last = min(end, (image + 1) * oh); line < last; line++) {
      const di = <f64>(line - image * oh) - 0.5 * <f64>(oh - 1);
      for (let j = 0; j < ow; j++, y += stride) {
        const dj = <f64>j - 0.5 * <f64>(ow - 1);
        sample(bilinear, fill, fillValue, a * di + b * dj + cy, e * dj - b * di + cx, h, w, c, from, y);
      }
    }
  }
}
