/** Output pixels of a depthwise convolution: all channels of one or of four of them. */
import { add4, atLeast4, atMost4, LANES, load4, madd4, splat, store4, zero4 } from "../../lib/simd";

/** Output columns that share the loads of the filters. */
export const COLUMNS: i32 = 4;

/** The taps of a row of output pixels. Strides are bytes. */
@unmanaged
export class Taps {
  /** Channels. */
  c: i32;
  /** Rows of taps that meet the image. */
  rows: i32;
  /** In the filters: the first of them, and from one tap and row of taps to the next; below zero when rotated. */
  w: usize;
  tap: usize;
  line: usize;
  /** In the image: the first row of taps, and from one output pixel, tap and row of taps to the next. */
  x: usize;
  step: usize;
  across: usize;
  down: usize;
  /** The bias, or 0, and the bounds of what follows. */
  b: usize;
  floor: f32;
  ceiling: f32;
}

/**
 * All channels of four output pixels under three columns of taps that are as far apart as the pixels are: a row of taps
 * meets six input pixels, each loaded once.
 */
export function joinedPixels3(taps: Taps, x: usize, w: usize, y: usize): void {
  const c = taps.c;
  const tap = taps.tap;
  const step = taps.step;
  const down = taps.down;
  const line = taps.line;
  const floor = splat(taps.floor);
  const ceiling = splat(taps.ceiling);
  for (let ch = 0; ch < c; ch += LANES) {
    const at = (<usize>min(ch, c - LANES)) << 2;
    let s0 = zero4();
    let s1 = zero4();
    let s2 = zero4();
    let s3 = zero4();
    let p = x + at;
    let q = w + at;
    for (let r = taps.rows; r > 0; r--) {
      const w0 = load4(q);
      const w1 = load4(q + tap);
      const w2 = load4(q + 2 * tap);
      let v = load4(p);
      s0 = madd4(v, w0, s0);
      v = load4(p + step);
      s0 = madd4(v, w1, s0);
      s1 = madd4(v, w0, s1);
      v = load4(p + 2 * step);
      s0 = madd4(v, w2, s0);
      s1 = madd4(v, w1, s1);
      s2 = madd4(v, w0, s2);
      v = load4(p + 3 * step);
      s1 = madd4(v, w2, s1);
      s2 = madd4(v, w1, s2);
      s3 = madd4(v, w0, s3);
      v = load4(p + 4 * step);
      s2 = madd4(v, w2, s2);
      s3 = madd4(v, w1, s3);
      s3 = madd4(load4(p + 5 * step), w2, s3);
      p += down;
      q += line;
    }
    const b = biasOf(taps, at);
    const to = y + at;
    const pixel = (<usize>c) << 2;
    finish(to, s0, b, floor, ceiling);
    finish(to + pixel, s1, b, floor, ceiling);
    finish(to + 2 * pixel, s2, b, floor, ceiling);
    finish(to + 3 * pixel, s3, b, floor, ceiling);
  }
}

/** The bias of the channels from byte `at` on. No bias is −0, which changes no sum. */
// @ts-ignore: decorator
@inline
function biasOf(taps: Taps, at: usize): v128 {
  return taps.b ? load4(taps.b + at) : splat(-0.0);
}

/** Stores `sum + bias` within the bounds; no activation has infinite ones. */
// @ts-ignore: decorator
@inline
function finish(y: usize, sum: v128, bias: v128, floor: v128, ceiling: v128): void {
  store4(y, atMost4(atLeast4(add4(sum, bias), floor), ceiling));
}

/** All channels of four output pixels, two vectors of them at a time. */
export function fourPixels(taps: Taps, columns: i32, x: usize, w: usize, y: usize): void {
  const c = taps.c;
  let ch = 0;
  for (; ch + 2 * LANES <= c; ch += 2 * LANES) {
    const at = (<usize>ch) << 2;
    pixelVectors(2, taps, columns, x + at, w + at, y + at, at);
  }
  for (; ch < c; ch += LANES) {
    const at = (<usize>min(ch, c - LANES)) << 2;
    pixelVectors(1, taps, columns, x + at, w + at, y + at, at);
  }
}

/**
 * `vectors` (1 or 2) vectors of channels of four output pixels.
 *
 * A tap is 10 loads, 8 multiplications, 8 additions and 13 other instructions. The products of a pixel stand behind a
 * branch that is always taken, for the reason that `gemm/dense.ts` gives.
 */
// @ts-ignore: decorator
@inline
function pixelVectors(vectors: i32, taps: Taps, columns: i32, x: usize, w: usize, y: usize, at: usize): void {
  let s00 = zero4();
  let s01 = zero4();
  let s10 = zero4();
  let s11 = zero4();
  let s20 = zero4();
  let s21 = zero4();
  let s30 = zero4();
  let s31 = zero4();
  const step = taps.step;
  const across = taps.across;
  const tap = taps.tap;
  const down = taps.down - <usize>columns * across;
  const line = taps.line - <usize>columns * tap;
  for (let r = taps.rows; r > 0; r--) {
    for (let k = columns; k > 0; k--) {
      const f0 = load4(w);
      const f1 = vectors == 2 ? load4(w + 16) : f0;
      s00 = madd4(load4(x), f0, s00);
      if (vectors == 2) s01 = madd4(load4(x + 16), f1, s01);
      if (w) {
        const p = x + step;
        s10 = madd4(load4(p), f0, s10);
        if (vectors == 2) s11 = madd4(load4(p + 16), f1, s11);
      }
      if (x) {
        const p = x + 2 * step;
        s20 = madd4(load4(p), f0, s20);
        if (vectors == 2) s21 = madd4(load4(p + 16), f1, s21);
      }
      if (step) {
        const p = x + 3 * step;
        s30 = madd4(load4(p), f0, s30);
        if (vectors == 2) s31 = madd4(load4(p + 16), f1, s31);
      }
      x += across;
      w += tap;
    }
    x += down;
    w += line;
  }
  const pixel = (<usize>taps.c) << 2;
  const floor = splat(taps.floor);
  const ceiling = splat(taps.ceiling);
  const b0 = biasOf(taps, at);
  finish(y, s00, b0, floor, ceiling);
  finish(y + pixel, s10, b0, floor, ceiling);
  finish(y + 2 * pixel, s20, b0, floor, ceiling);
  finish(y + 3 * pixel, s30, b0, floor, ceiling);
  if (vectors == 2) {
    const b1 = biasOf(taps, at + 16);
    finish(y + 16, s01, b1, floor, ceiling);
    finish(y + pixel + 16, s11, b1, floor, ceiling);
    finish(y + 2 * pixel + 16, s21, b1, floor, ceiling);
    finish(y + 3 * pixel + 16, s31, b1, floor, ceiling);
  }
}

/** All channels of one output pixel, four vectors of them at a time: a sum by itself would wait for each of its additions. */
export function onePixel(taps: Taps, columns: i32, x: usize, w: usize, y: usize): void {
  const c = taps.c;
  let ch = 0;
  for (; ch + 4 * LANES <= c; ch += 4 * LANES) {
    const at = (<usize>ch) << 2;
    channelVectors(4, taps, columns, x + at, w + at, y + at, at);
  }
  for (; ch < c; ch += LANES) {
    const at = (<usize>min(ch, c - LANES)) << 2;
    channelVectors(1, taps, columns, x + at, w + at, y + at, at);
  }
}

/** `vectors` (1 or 4) vectors of channels of one output pixel. */
// @ts-ignore: decorator
@inline
function channelVectors(
  vectors: i32,
  taps: Taps,
  columns: i32,
  x: usize,
  w: usize,
  y: usize,
  at: usize,
): void {
  let s0 = zero4();
  let s1 = zero4();
  let s2 = zero4();
  let s3 = zero4();
  for (let r = taps.rows; r > 0; r--) {
    let p = x;
    let q = w;
    for (let k = columns; k > 0; k--) {
      s0 = madd4(load4(p), load4(q), s0);
      if (vectors == 4) {
        s1 = madd4(load4(p + 16), load4(q + 16), s1);
        s2 = madd4(load4(p + 32), load4(q + 32), s2);
        s3 = madd4(load4(p + 48), load4(q + 48), s3);
      }
      p += taps.across;
      q += taps.tap;
    }
    x += taps.down;
    w += taps.line;
  }
  const floor = splat(taps.floor);
  const ceiling = splat(taps.ceiling);
  finish(y, s0, biasOf(taps, at), floor, ceiling);
  if (vectors == 4) {
    finish(y + 16, s1, biasOf(taps, at + 16), floor, ceiling);
    finish(y + 32, s2, biasOf(taps, at + 32), floor, ceiling);
    finish(y + 48, s3, biasOf(taps, at + 48), floor, ceiling);
  }
}

/** One output pixel of fewer than four channels. */
export function fewChannels(taps: Taps, columns: i32, x: usize, w: usize, y: usize): void {
  for (let ch = 0; ch < taps.c; ch++) {
    const at = (<usize>ch) << 2;
    let sum: f32 = 0;
    let line = x + at;
    let filters = w + at;
    for (let r = taps.rows; r > 0; r--) {
      let p = line;
      let q = filters;
      for (let k = columns; k > 0; k--) {
        sum += load<f32>(p) * load<f32>(q);
        p += taps.across;
        q += taps.tap;
      }
      line += taps.down;
      filters += taps.line;
    }
    if (taps.b) sum += load<f32>(taps.b + at);
    if (sum < taps.floor) sum = taps.floor;
    if (sum > taps.ceiling) sum = taps.ceiling;
    store<f32>(y + at, sum);
  }
}
