/**
 * The register tile of `micro.ts` for what most products read: steps of `A` that lie side by side, and `B` in packed
 * panels. Then addresses are constants beside five pointers, and four steps share what counts and compares.
 */
import { ZEROS, RUN } from "./micro";
import {
  add4,
  atLeast4,
  atMost4,
  load4,
  loadSplat,
  loadSplat1,
  loadSplat2,
  loadSplat3,
  madd4,
  splat,
  store4,
  zero4,
} from "../lib/simd";

/** Steps of a turn of the loop, and the bytes that a turn advances by in `A` and `B`. */
const STEPS: i32 = 4;
const A_TURN: usize = 16;
const B_TURN: usize = 128;
/** The alignment that loads from the operands may count on: that of a float, as rows begin anywhere. */
const ALIGNMENT: usize = 4;

/**
 * `count` tiles, one below the other, as `micro.ts` computes them, with steps of 4 bytes in `A` and of 32 in the
 * `panel` of `B`, in the same order; and their epilogue: `+ bias[8]`, then the bounds of the activation. Without
 * branches: no bias is −0, which changes no sum, and no activation has infinite bounds.
 *
 * A step is 7 loads, 10 multiplications, 10 additions and, as one of four, 5 other instructions, which is what
 * processors that start six instructions a cycle take five and a half cycles for; a tile adds some 130 around its
 * steps, about 25 cycles. The last turn of a run skips the steps that it does not have, and the pointers are set back
 * by as many. Each step stands behind a branch of its own, the first one's always taken, and goes through the rows from
 * the last to the first, because V8 (until Turboshaft) orders instructions within a basic block by their uses: this way
 * each load of `A` comes right before its products, and no accumulator is spilled, whatever stands behind the loop. The
 * mask on `b` changes nothing but that V8 then knows the upper half of the register to be zero, and does not clear it
 * at each step.
 */
// @ts-ignore: decorator
@inline
function tiles(
  rows: i32,
  count: i32,
  aRows: usize,
  runs: usize,
  panel: usize,
  c: usize,
  cRow: usize,
  fresh: bool,
  bias: usize,
  bounds: usize,
): void {
  do {
    const c0 = c;
    const c1 = c0 + cRow;
    const c2 = c1 + cRow;
    const c3 = c2 + cRow;
    const c4 = c3 + cRow;
    const from = fresh ? ZEROS : c;
    const fromRow = fresh ? 0 : cRow;
    let c00 = load4(from);
    let c01 = load4(from + 16);
    let c10 = rows > 1 ? load4(from + fromRow) : zero4();
    let c11 = rows > 1 ? load4(from + fromRow + 16) : zero4();
    let c20 = rows > 2 ? load4(from + 2 * fromRow) : zero4();
    let c21 = rows > 2 ? load4(from + 2 * fromRow + 16) : zero4();
    let c30 = rows > 3 ? load4(from + 3 * fromRow) : zero4();
    let c31 = rows > 3 ? load4(from + 3 * fromRow + 16) : zero4();
    let c40 = rows > 4 ? load4(from + 4 * fromRow) : zero4();
    let c41 = rows > 4 ? load4(from + 4 * fromRow + 16) : zero4();
    let a0 = load<usize>(aRows);
    let a1 = rows > 1 ? load<usize>(aRows, 4) : 0;
    let a2 = rows > 2 ? load<usize>(aRows, 8) : 0;
    let a3 = rows > 3 ? load<usize>(aRows, 12) : 0;
    let a4 = rows > 4 ? load<usize>(aRows, 16) : 0;
    let aRuns = runs;
    let b = panel & -ALIGNMENT;
    let t = 0;
    while (true) {
      if (t <= 0) {
        const over = <usize>t;
        t = load<i32>(aRuns, 4);
        if (t == 0) break;
        const jump = load<usize>(aRuns) + (over << 2);
        aRuns += RUN;
        b += over << 5;
        a0 += jump;
        if (rows > 1) a1 += jump;
        if (rows > 2) a2 += jump;
        if (rows > 3) a3 += jump;
        if (rows > 4) a4 += jump;
      }
      if (t > 0) {
        const b0 = load4(b);
        const b1 = load4(b + 16);
        let s: v128;
        if (rows > 4) {
          s = loadSplat(a4);
          c40 = madd4(s, b0, c40);
          c41 = madd4(s, b1, c41);
        }
        if (rows > 3) {
          s = loadSplat(a3);
          c30 = madd4(s, b0, c30);
          c31 = madd4(s, b1, c31);
        }
        if (rows > 2) {
          s = loadSplat(a2);
          c20 = madd4(s, b0, c20);
          c21 = madd4(s, b1, c21);
        }
        if (rows > 1) {
          s = loadSplat(a1);
          c10 = madd4(s, b0, c10);
          c11 = madd4(s, b1, c11);
        }
        s = loadSplat(a0);
        c00 = madd4(s, b0, c00);
        c01 = madd4(s, b1, c01);
      }
      if (t > 1) {
        const b0 = load4(b + 32);
        const b1 = load4(b + 48);
        let s: v128;
        if (rows > 4) {
          s = loadSplat1(a4);
          c40 = madd4(s, b0, c40);
          c41 = madd4(s, b1, c41);
        }
        if (rows > 3) {
          s = loadSplat1(a3);
          c30 = madd4(s, b0, c30);
          c31 = madd4(s, b1, c31);
        }
        if (rows > 2) {
          s = loadSplat1(a2);
          c20 = madd4(s, b0, c20);
          c21 = madd4(s, b1, c21);
        }
        if (rows > 1) {
          s = loadSplat1(a1);
          c10 = madd4(s, b0, c10);
          c11 = madd4(s, b1, c11);
        }
        s = loadSplat1(a0);
        c00 = madd4(s, b0, c00);
        c01 = madd4(s, b1, c01);
      }
      if (t > 2) {
        const b0 = load4(b + 64);
        const b1 = load4(b + 80);
        let s: v128;
        if (rows > 4) {
          s = loadSplat2(a4);
          c40 = madd4(s, b0, c40);
          c41 = madd4(s, b1, c41);
        }
        if (rows > 3) {
          s = loadSplat2(a3);
          c30 = madd4(s, b0, c30);
          c31 = madd4(s, b1, c31);
        }
        if (rows > 2) {
          s = loadSplat2(a2);
          c20 = madd4(s, b0, c20);
          c21 = madd4(s, b1, c21);
        }
        if (rows > 1) {
          s = loadSplat2(a1);
          c10 = madd4(s, b0, c10);
          c11 = madd4(s, b1, c11);
        }
        s = loadSplat2(a0);
        c00 = madd4(s, b0, c00);
        c01 = madd4(s, b1, c01);
      }
      if (t > 3) {
        const b0 = load4(b + 96);
        const b1 = load4(b + 112);
        let s: v128;
        if (rows > 4) {
          s = loadSplat3(a4);
          c40 = madd4(s, b0, c40);
          c41 = madd4(s, b1, c41);
        }
        if (rows > 3) {
          s = loadSplat3(a3);
          c30 = madd4(s, b0, c30);
          c31 = madd4(s, b1, c31);
        }
        if (rows > 2) {
          s = loadSplat3(a2);
          c20 = madd4(s, b0, c20);
          c21 = madd4(s, b1, c21);
        }
        if (rows > 1) {
          s = loadSplat3(a1);
          c10 = madd4(s, b0, c10);
          c11 = madd4(s, b1, c11);
        }
        s = loadSplat3(a0);
        c00 = madd4(s, b0, c00);
        c01 = madd4(s, b1, c01);
      }
      t -= STEPS;
      b += B_TURN;
      a0 += A_TURN;
      if (rows > 1) a1 += A_TURN;
      if (rows > 2) a2 += A_TURN;
      if (rows > 3) a3 += A_TURN;
      if (rows > 4) a4 += A_TURN;
    }
    const b0 = load4(bias);
    const b1 = load4(bias + 16);
    const low = load4(bounds);
    const high = load4(bounds + 16);
    store4(c0, finish(c00, b0, low, high));
    store4(c0 + 16, finish(c01, b1, low, high));
    if (rows > 1) {
      store4(c1, finish(c10, b0, low, high));
      store4(c1 + 16, finish(c11, b1, low, high));
    }
    if (rows > 2) {
      store4(c2, finish(c20, b0, low, high));
      store4(c2 + 16, finish(c21, b1, low, high));
    }
    if (rows > 3) {
      store4(c3, finish(c30, b0, low, high));
      store4(c3 + 16, finish(c31, b1, low, high));
    }
    if (rows > 4) {
      store4(c4, finish(c40, b0, low, high));
      store4(c4 + 16, finish(c41, b1, low, high));
    }
    aRows += (<usize>rows) << 2;
    c += <usize>rows * cRow;
  } while (--count > 0);
}

// @ts-ignore: decorator
@inline
function finish(sum: v128, bias: v128, low: v128, high: v128): v128 {
  return atMost4(atLeast4(add4(sum, bias), low), high);
}

export function gemm1x8Dense(
  count: i32,
  aRows: usize,
  runs: usize,
  panel: usize,
  c: usize,
  cRow: usize,
  fresh: bool,
  bias: usize,
  bounds: usize,
): void {
  tiles(1, count, aRows, runs, panel, c, cRow, fresh, bias, bounds);
}

export function gemm2x8Dense(
  count: i32,
  aRows: usize,
  runs: usize,
  panel: usize,
  c: usize,
  cRow: usize,
  fresh: bool,
  bias: usize,
  bounds: usize,
): void {
  tiles(2, count, aRows, runs, panel, c, cRow, fresh, bias, bounds);
}

export function gemm3x8Dense(
  count: i32,
  aRows: usize,
  runs: usize,
  panel: usize,
  c: usize,
  cRow: usize,
  fresh: bool,
  bias: usize,
  bounds: usize,
): void {
  tiles(3, count, aRows, runs, panel, c, cRow, fresh, bias, bounds);
}

export function gemm4x8Dense(
  count: i32,
  aRows: usize,
  runs: usize,
  panel: usize,
  c: usize,
  cRow: usize,
  fresh: bool,
  bias: usize,
  bounds: usize,
): void {
  tiles(4, count, aRows, runs, panel, c, cRow, fresh, bias, bounds);
}

export function gemm5x8Dense(
  count: i32,
  aRows: usize,
  runs: usize,
  panel: usize,
  c: usize,
  cRow: usize,
  fresh: bool,
  bias: usize,
  bounds: usize,
): void {
  tiles(5, count, aRows, runs, panel, c, cRow, fresh, bias, bounds);
}
