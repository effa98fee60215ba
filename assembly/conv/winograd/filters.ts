/** Filters on their way into Winograd's products: transformed, and packed as the register tile reads them. */
import { NR } from "../../gemm/micro";
import { paddedColumns, PANEL_ROW } from "../../gemm/pack";
import { endShare, firstShare } from "../../lib/share";
import { openWorkspace, take, takeShared, workspaceFloats } from "../../lib/workspace";
import {
  highHalves4,
  load4,
  lowHalves4,
  mantissaBits,
  normal4,
  store4,
  zipHigh4,
  zipLow4,
} from "../../lib/simd";
import { normal } from "../../elementwise/subnormal";
import { POINTS, takeTransform, transformFilter } from "./transform";

const TAPS: i32 = 9;
/** Bytes of a vector, and of the taps of four filters. */
const VECTOR: usize = 16;
const FILTERS: usize = TAPS * VECTOR;

/** The packed filters, the taps of four filters over four channels, and the workspace of the transforms. */
let points: usize = 0;
let taps: usize = 0;
let transformAt: usize = 0;

function layOut(c: i32, f: i32): void {
  points = takeShared(<f64>POINTS * (<f64>c * <f64>paddedColumns(f) + 16));
  taps = take(4 * FILTERS);
  transformAt = takeTransform();
}

/** Bytes from one point of packed filters to the next: a cache line more than it has, so that points share no cache set. */
// @ts-ignore: decorator
@inline
export function packedPoint(c: i32, f: i32): usize {
  return (<usize>(c * paddedColumns(f) + 16)) << 2;
}

/** Floats of `f` packed filters over `c` channels, and of the workspace to pack them. @size */
export function winogradPackedFilters(c: i32, f: i32): f64 {
  openWorkspace(0);
  layOut(c, f);
  return workspaceFloats();
}

/**
 * Transforms `g[3, 3, c, f]` and packs it: at each of the 36 points panels of eight filters, `[c][8]` each.
 *
 * Each of the 36 values is a sum of up to nine terms, computed as `transform.ts` says; one thread packs some panels.
 * Subnormal filters, and transformed ones, count as zeros (see `subnormal.ts`).
 *
 * @split TRANSFORM * c * f
 */
export function winogradPackFilters(c: i32, f: i32, g: usize, packed: usize): void {
  pack(false, c, f, g, packed);
}

/**
 * The same for the input gradient: filters rotated by 180°, `g'[ky, kx, f, c] = g[2 − ky, 2 − kx, c, f]`.
 *
 * @split TRANSFORM * c * f
 */
export function winogradPackRotatedFilters(c: i32, f: i32, g: usize, packed: usize): void {
  pack(true, f, c, g, packed);
}

/** `f` filters over `c` channels as they are packed: with `rotated`, `g` is `[3, 3, f, c]`. */
// @ts-ignore: decorator
@inline
function pack(rotated: bool, c: i32, f: i32, g: usize, packed: usize): void {
  const columns = paddedColumns(f);
  const panel = <usize>c * PANEL_ROW;
  const point = packedPoint(c, f);
  openWorkspace(packed);
  layOut(c, f);
  for (let j = firstShare(columns, NR); j < endShare(columns, NR); j += 4) {
    const to = points + <usize>(j / NR) * panel + <usize>(j & 4) * 4;
    for (let ch = 0; ch < c; ch += 4) {
      const count = min(4, c - ch);
      if (rotated) gatherRotated(c, f, g, ch, j, taps);
      else gather(c, f, g, ch, j, taps);
      for (let i = 0; i < count; i++) {
        const at = to + <usize>(ch + i) * PANEL_ROW;
        transformFilter(taps + i * FILTERS, VECTOR, at, point, transformAt);
        flushPoints(at, point);
      }
    }
  }
}

/** Zeros for the subnormal numbers among the points of four filters. */
// @ts-ignore: decorator
@inline
function flushPoints(p: usize, point: usize): void {
  const mantissa = mantissaBits(false);
  for (let i = POINTS; i > 0; i--) {
    store4(p, normal4(load4(p), mantissa));
    p += point;
  }
}

/** The taps of filters `[j, j + 4)` over channels `[ch, ch + 4)`: a vector of filters for each channel and tap. */
function gather(c: i32, f: i32, g: usize, ch: i32, j: i32, to: usize): void {
  const whole = j + 4 <= f;
  const mantissa = mantissaBits(false);
  for (let i = 0; i < min(4, c - ch); i++) {
    for (let tap = 0; tap < TAPS; tap++) {
      const from = g + ((<usize>((tap * c + ch + i) * f + j)) << 2);
      const at = to + i * FILTERS + tap * VECTOR;
      if (whole) {
        store4(at, normal4(load4(from), mantissa));
      } else {
        for (let l = 0; l < 4; l++) {
          store<f32>(at + (l << 2), j + l < f ? normal(load<f32>(from + (l << 2))) : 0);
        }
      }
    }
  }
}

/** The same from `g[3, 3, f, c]`, the last tap first. */
function gatherRotated(c: i32, f: i32, g: usize, ch: i32, j: i32, to: usize): void {
  const row = (<usize>c) << 2;
  const whole = j + 4 <= f && ch + 4 <= c;
  for (let tap = 0; tap < TAPS; tap++) {
    const from = g + ((<usize>(((TAPS - 1 - tap) * f + j) * c + ch)) << 2);
    const at = to + tap * VECTOR;
    if (whole) {
      transpose(from, row, at);
      continue;
    }
    for (let i = 0; i < min(4, c - ch); i++) {
      for (let l = 0; l < 4; l++) {
        const value: f32 = j + l < f ? normal(load<f32>(from + l * row + (i << 2))) : 0;
        store<f32>(at + i * FILTERS + (l << 2), value);
      }
    }
  }
}

/** Four rows of four floats become columns, `FILTERS` bytes apart. */
// @ts-ignore: decorator
@inline
function transpose(from: usize, row: usize, to: usize): void {
  const mantissa = mantissaBits(false);
  const v0 = normal4(load4(from), mantissa);
  const v1 = normal4(load4(from + row), mantissa);
  const v2 = normal4(load4(from + 2 * row), mantissa);
  const v3 = normal4(load4(from + 3 * row), mantissa);
  const low01 = zipLow4(v0, v1);
  const low23 = zipLow4(v2, v3);
  const high01 = zipHigh4(v0, v1);
  const high23 = zipHigh4(v2, v3);
  store4(to, lowHalves4(low01, low23));
  store4(to + FILTERS, highHalves4(low01, low23));
  store4(to + 2 * FILTERS, lowHalves4(high01, high23));
  store4(to + 3 * FILTERS, highHalves4(high01, high23));
}
