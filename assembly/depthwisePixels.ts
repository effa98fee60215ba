/** Output pixels of a depthwise convolution: all channels of one or of four of them. */
import { add4, atLeast4, atMost4, LANES, load4, madd4, splat, store4, zero4 } from "./simd";

/** Output columns that share the loads of the filters. */
export const COLUMNS: i32 = 4;

/** Where the taps of a row of output pixels lie. Strides are bytes. */
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
 * All channels of `count` (1 or 4) output pixels that meet `columns` columns of taps from `w` on. With `wide` (2 or 3)
 * they are so many, unrolled; with `apart` of 1 or 2 the output pixels are so many taps apart, and share input pixels.
 */
// @ts-ignore: decorator
@inline
function outputs(
  count: i32,
  wide: i32,
  apart: i32,
  taps: Taps,
  columns: i32,
  x: usize,
  w: usize,
  y: usize,
): void {
  const c = taps.c;
  const pixel = (<usize>c) << 2;
  const rows = taps.rows;
  const tap = taps.tap;
  const line = taps.line;
  const step = taps.step;
  const across = taps.across;
  const down = taps.down;
  const b = taps.b;
  // Without branches: no bias is −0, which changes no sum, and no activation has infinite bounds.
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
    for (let r = rows; r > 0; r--) {
      if (wide == 3 && count == 4 && apart == 1) {
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
      } else if (wide == 3 && count == 4 && apart == 2) {
        const w0 = load4(q);
        const w1 = load4(q + tap);
        const w2 = load4(q + 2 * tap);
        s0 = madd4(load4(p), w0, s0);
        s0 = madd4(load4(p + across), w1, s0);
        let v = load4(p + step);
        s0 = madd4(v, w2, s0);
        s1 = madd4(v, w0, s1);
        s1 = madd4(load4(p + step + across), w1, s1);
        v = load4(p + 2 * step);
        s1 = madd4(v, w2, s1);
        s2 = madd4(v, w0, s2);
        s2 = madd4(load4(p + 2 * step + across), w1, s2);
        v = load4(p + 3 * step);
        s2 = madd4(v, w2, s2);
        s3 = madd4(v, w0, s3);
        s3 = madd4(load4(p + 3 * step + across), w1, s3);
        s3 = madd4(load4(p + 4 * step), w2, s3);
      } else if (wide > 0) {
        let f = load4(q);
        s0 = madd4(load4(p), f, s0);
        if (count == 4) {
          s1 = madd4(load4(p + step), f, s1);
          s2 = madd4(load4(p + 2 * step), f, s2);
          s3 = madd4(load4(p + 3 * step), f, s3);
        }
        f = load4(q + tap);
        s0 = madd4(load4(p + across), f, s0);
        if (count == 4) {
          s1 = madd4(load4(p + across + step), f, s1);
          s2 = madd4(load4(p + across + 2 * step), f, s2);
          s3 = madd4(load4(p + across + 3 * step), f, s3);
        }
        if (wide == 3) {
          f = load4(q + 2 * tap);
          s0 = madd4(load4(p + 2 * across), f, s0);
          if (count == 4) {
            s1 = madd4(load4(p + 2 * across + step), f, s1);
            s2 = madd4(load4(p + 2 * across + 2 * step), f, s2);
            s3 = madd4(load4(p + 2 * across + 3 * step), f, s3);
          }
        }
      } else {
        let from = p;
        let filter = q;
        for (let k = columns; k > 0; k--) {
          const f = load4(filter);
          s0 = madd4(load4(from), f, s0);
          if (count == 4) {
            s1 = madd4(load4(from + step), f, s1);
            s2 = madd4(load4(from + 2 * step), f, s2);
            s3 = madd4(load4(from + 3 * step), f, s3);
          }
          from += across;
          filter += tap;
        }
      }
      p += down;
      q += line;
    }
    const to = y + at;
    const bias = b ? load4(b + at) : splat(-0.0);
    store4(to, atMost4(atLeast4(add4(s0, bias), floor), ceiling));
    if (count == 4) {
      store4(to + pixel, atMost4(atLeast4(add4(s1, bias), floor), ceiling));
      store4(to + 2 * pixel, atMost4(atLeast4(add4(s2, bias), floor), ceiling));
      store4(to + 3 * pixel, atMost4(atLeast4(add4(s3, bias), floor), ceiling));
    }
  }
}

export function four3Joined(taps: Taps, columns: i32, x: usize, w: usize, y: usize): void {
  outputs(4, 3, 1, taps, columns, x, w, y);
}

export function four3Overlapping(taps: Taps, columns: i32, x: usize, w: usize, y: usize): void {
  outputs(4, 3, 2, taps, columns, x, w, y);
}

export function four3(taps: Taps, columns: i32, x: usize, w: usize, y: usize): void {
  outputs(4, 3, 0, taps, columns, x, w, y);
}

export function four(taps: Taps, columns: i32, x: usize, w: usize, y: usize): void {
  outputs(4, 0, 0, taps, columns, x, w, y);
}

export function one3(taps: Taps, columns: i32, x: usize, w: usize, y: usize): void {
  outputs(1, 3, 0, taps, columns, x, w, y);
}

export function one2(taps: Taps, columns: i32, x: usize, w: usize, y: usize): void {
  outputs(1, 2, 0, taps, columns, x, w, y);
}

export function one(taps: Taps, columns: i32, x: usize, w: usize, y: usize): void {
  outputs(1, 0, 0, taps, columns, x, w, y);
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
