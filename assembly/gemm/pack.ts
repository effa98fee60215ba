/**
 * Packing: `B` is laid out in panels of eight columns, each panel a run of rows `[k][8]`, the last one padded with
 * zeros. The register tile then reads `B` strictly forward, whatever the matrix's stride was.
 *
 * Subnormal numbers become zeros (see `subnormal.ts`), unless `B` is to be packed `asIs`.
 */
import {
  highHalves4,
  load4,
  lowHalves4,
  mantissaBits,
  normal4,
  store4,
  zero4,
  zipHigh4,
  zipLow4,
} from "../lib/simd";
import { normal } from "../elementwise/subnormal";
import { copyTail } from "../lib/copy";
import { NR } from "./micro";

/** Bytes of one packed row of a panel. */
export const PANEL_ROW: usize = 32;

/** Columns rounded up to whole panels. */
export function paddedColumns(n: i32): i32 {
  return (n + NR - 1) & -NR;
}

/**
 * Packs rows `[0, k)` of `B[k, n]`, element `(p, j)` at `b + p·bRow + 4j`, into panels `panelStride` bytes apart.
 */
export function packPanels(
  k: i32,
  n: i32,
  b: usize,
  bRow: usize,
  dst: usize,
  panelStride: usize,
  asIs: bool,
): void {
  const mantissa = mantissaBits(asIs);
  let j = 0;
  for (; j + NR <= n; j += NR) {
    let from = b + ((<usize>j) << 2);
    let to = dst;
    for (let p = k; p > 0; p--) {
      store4(to, normal4(load4(from), mantissa));
      store4(to + 16, normal4(load4(from + 16), mantissa));
      from += bRow;
      to += PANEL_ROW;
    }
    dst += panelStride;
  }
  if (j < n) packLastPanel(k, n - j, b + ((<usize>j) << 2), bRow, dst, asIs);
}

/** The last, narrow panel: `cols` of 1 to 7 columns and zeros. */
export function packLastPanel(k: i32, cols: i32, from: usize, bRow: usize, to: usize, asIs: bool): void {
  const panel = to;
  for (let p = k; p > 0; p--) {
    if (cols >= 4) {
      store4(to, load4(from));
      store4(to + 16, zero4());
      copyTail(to + 16, from + 16, cols - 4);
    } else {
      store4(to, zero4());
      store4(to + 16, zero4());
      copyTail(to, from, cols);
    }
    from += bRow;
    to += PANEL_ROW;
  }
  if (!asIs) clearSubnormals(panel, to);
}

/** A pass of its own, since a vector load waits for the narrow stores that made what it loads. */
function clearSubnormals(panel: usize, end: usize): void {
  const mantissa = mantissaBits(false);
  for (; panel < end; panel += 16) store4(panel, normal4(load4(panel), mantissa));
}

/**
 * Packs `B[k, n]` given by its transpose, element `(p, j)` at `b + j·bRow + 4p`, into panels `panelStride` bytes apart.
 */
export function packPanelsTransposed(
  k: i32,
  n: i32,
  b: usize,
  bRow: usize,
  dst: usize,
  panelStride: usize,
  asIs: bool,
): void {
  for (let j = 0; j < n; j += NR) {
    const cols = min(NR, n - j);
    let col = 0;
    for (; col + 4 <= cols; col += 4)
      transposeStrip(k, b + (j + col) * bRow, bRow, dst + ((<usize>col) << 2), asIs);
    for (; col < NR; col++) {
      const from = b + (j + col) * bRow;
      const to = dst + ((<usize>col) << 2);
      for (let p = 0; p < k; p++) {
        const value: f32 = col < cols ? load<f32>(from + ((<usize>p) << 2)) : 0;
        store<f32>(to + p * PANEL_ROW, asIs ? value : normal(value));
      }
    }
    dst += panelStride;
  }
}

/** Four source rows of `k` floats become four adjacent columns of a panel, by 4×4 transposes. */
function transposeStrip(k: i32, r0: usize, bRow: usize, to: usize, asIs: bool): void {
  const mantissa = mantissaBits(asIs);
  let r1 = r0 + bRow;
  let r2 = r1 + bRow;
  let r3 = r2 + bRow;
  let p = k;
  for (; p >= 4; p -= 4) {
    const v0 = normal4(load4(r0), mantissa);
    const v1 = normal4(load4(r1), mantissa);
    const v2 = normal4(load4(r2), mantissa);
    const v3 = normal4(load4(r3), mantissa);
    const low01 = zipLow4(v0, v1);
    const low23 = zipLow4(v2, v3);
    const high01 = zipHigh4(v0, v1);
    const high23 = zipHigh4(v2, v3);
    store4(to, lowHalves4(low01, low23));
    store4(to + PANEL_ROW, highHalves4(low01, low23));
    store4(to + 2 * PANEL_ROW, lowHalves4(high01, high23));
    store4(to + 3 * PANEL_ROW, highHalves4(high01, high23));
    r0 += 16;
    r1 += 16;
    r2 += 16;
    r3 += 16;
    to += 4 * PANEL_ROW;
  }
  for (; p > 0; p--) {
    store<f32>(to, load<f32>(r0));
    store<f32>(to, load<f32>(r1), 4);
    store<f32>(to, load<f32>(r2), 8);
    store<f32>(to, load<f32>(r3), 12);
    store4(to, normal4(load4(to), mantissa));
    r0 += 4;
    r1 += 4;
    r2 += 4;
    r3 += 4;
    to += PANEL_ROW;
  }
}
