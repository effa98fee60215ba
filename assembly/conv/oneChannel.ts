/**
 * The product of patches and filters where images have one channel and filters are few: LeNet's first layer.
 *
 * Neighbouring output pixels read neighbouring floats there, so that a vector holds four pixels of one filter instead of
 * four filters of one pixel, and no lane is spent on filters that do not exist: 6 filters cost 6/8 of the register
 * tile's instructions. Sums run as everywhere: over the taps ascending, then the bias, then the activation.
 */
import { Activation } from "../lib/activations";
import { NR, RUN } from "../gemm/micro";
import { PANEL_ROW } from "../gemm/pack";
import {
  add4,
  atLeast4,
  highHalves4,
  LANES,
  load4,
  loadSplat,
  lowHalves4,
  madd4,
  splat,
  store2,
  store4,
  zero4,
  zipHigh4,
  zipLow4,
} from "../lib/simd";

/** Filters of a tile. */
const FOUR: i32 = 4;
const TWO: i32 = 2;
/** Whether `f` filters leave lanes of the register tile empty and divide into tiles of four and two. */
export function suitsPixelVectors(f: i32, ow: i32): bool {
  const rest = f % NR;
  return (rest == 4 || rest == 6) && ow >= LANES;
}

/**
 * One row of `ow` (4 or more) output pixels, `y[ow, f]`, from patches that start at `x`, `x + 4` and so on. `runs` is the
 * table of the patches' runs, and `panels` the packed filters, `stride` bytes a panel. Of the activations relu is done
 * here; the caller does others.
 */
export function pixelRow(
  ow: i32,
  f: i32,
  x: usize,
  runs: usize,
  panels: usize,
  stride: usize,
  y: usize,
  yRow: usize,
  bias: usize,
  activation: i32,
): void {
  const floor: f32 = activation == Activation.relu ? 0 : -Infinity;
  for (let j = 0; j < f;) {
    const four = f - j >= FOUR;
    const filters = panels + <usize>(j / NR) * stride + ((<usize>(j % NR)) << 2);
    const b = bias ? bias + ((<usize>j) << 2) : 0;
    for (let ox = 0; ox < ow;) {
      const eight = ow - ox >= 2 * LANES;
      // The last tile ends with the row, and computes some pixels twice.
      const at = min(ox, ow - LANES);
      const from = x + ((<usize>at) << 2);
      const to = y + <usize>at * yRow + ((<usize>j) << 2);
      if (eight && four) eightByFour(from, runs, filters, to, yRow, b, floor);
      else if (eight) eightByTwo(from, runs, filters, to, yRow, b, floor);
      else if (four) fourByFour(from, runs, filters, to, yRow, b, floor);
      else fourByTwo(from, runs, filters, to, yRow, b, floor);
      ox = eight ? ox + 2 * LANES : at + LANES;
    }
    j += four ? FOUR : TWO;
  }
}

function eightByFour(x: usize, runs: usize, w: usize, y: usize, yRow: usize, bias: usize, floor: f32): void {
  pixels(true, true, x, runs, w, y, yRow, bias, floor);
}

function eightByTwo(x: usize, runs: usize, w: usize, y: usize, yRow: usize, bias: usize, floor: f32): void {
  pixels(true, false, x, runs, w, y, yRow, bias, floor);
}

function fourByFour(x: usize, runs: usize, w: usize, y: usize, yRow: usize, bias: usize, floor: f32): void {
  pixels(false, true, x, runs, w, y, yRow, bias, floor);
}

function fourByTwo(x: usize, runs: usize, w: usize, y: usize, yRow: usize, bias: usize, floor: f32): void {
  pixels(false, false, x, runs, w, y, yRow, bias, floor);
}

/** Eight pixels, or four, of four filters, or two. */
// @ts-ignore: decorator
@inline
function pixels(
  eight: bool,
  four: bool,
  x: usize,
  runs: usize,
  w: usize,
  y: usize,
  yRow: usize,
  bias: usize,
  floor: f32,
): void {
  let s00 = zero4();
  let s01 = zero4();
  let s10 = zero4();
  let s11 = zero4();
  let s20 = zero4();
  let s21 = zero4();
  let s30 = zero4();
  let s31 = zero4();
  for (let t = load<i32>(runs, 4); t > 0; t = load<i32>(runs, 4)) {
    x += load<usize>(runs);
    runs += RUN;
    for (; t > 0; t--) {
      const v0 = load4(x);
      const v1 = eight ? load4(x + 16) : v0;
      let s = loadSplat(w);
      s00 = madd4(v0, s, s00);
      if (eight) s01 = madd4(v1, s, s01);
      s = loadSplat(w + 4);
      s10 = madd4(v0, s, s10);
      if (eight) s11 = madd4(v1, s, s11);
      if (four) {
        s = loadSplat(w + 8);
        s20 = madd4(v0, s, s20);
        if (eight) s21 = madd4(v1, s, s21);
        s = loadSplat(w + 12);
        s30 = madd4(v0, s, s30);
        if (eight) s31 = madd4(v1, s, s31);
      }
      x += 4;
      w += PANEL_ROW;
    }
  }
  const least = splat(floor);
  if (four) {
    const b = bias ? load4(bias) : splat(-0.0);
    storeFour(s00, s10, s20, s30, y, yRow, b, least);
    if (eight) storeFour(s01, s11, s21, s31, y + 4 * yRow, yRow, b, least);
  } else {
    const b = bias ? zipLow4(loadSplat(bias), loadSplat(bias + 4)) : splat(-0.0);
    storeTwo(s00, s10, y, yRow, b, least);
    if (eight) storeTwo(s01, s11, y + 4 * yRow, yRow, b, least);
  }
}

/** Four pixels of four filters, transposed to the filters of each pixel. */
// @ts-ignore: decorator
@inline
function storeFour(
  s0: v128,
  s1: v128,
  s2: v128,
  s3: v128,
  y: usize,
  yRow: usize,
  b: v128,
  least: v128,
): void {
  const low01 = zipLow4(s0, s1);
  const low23 = zipLow4(s2, s3);
  const high01 = zipHigh4(s0, s1);
  const high23 = zipHigh4(s2, s3);
  store4(y, atLeast4(add4(lowHalves4(low01, low23), b), least));
  store4(y + yRow, atLeast4(add4(highHalves4(low01, low23), b), least));
  store4(y + 2 * yRow, atLeast4(add4(lowHalves4(high01, high23), b), least));
  store4(y + 3 * yRow, atLeast4(add4(highHalves4(high01, high23), b), least));
}

/** Four pixels of two filters, likewise. */
// @ts-ignore: decorator
@inline
function storeTwo(s0: v128, s1: v128, y: usize, yRow: usize, b: v128, least: v128): void {
  const low = atLeast4(add4(zipLow4(s0, s1), b), least);
  const high = atLeast4(add4(zipHigh4(s0, s1), b), least);
  store2(y, low);
  store2(y + yRow, highHalves4(low, low));
  store2(y + 2 * yRow, high);
  store2(y + 3 * yRow, highHalves4(high, high));
}
