/** The matrix products of Winograd's algorithm: one for each of the 36 points of a strip of tiles. */
import { Activation } from "../../lib/activations";
import {
  EDGE_BYTES,
  gemmBlock,
  operandAt,
  OPERANDS_BYTES,
  panelsAt,
  rowTable,
  SINGLE_RUN_BYTES,
  singleRun,
} from "../../gemm/block";
import { POINTS } from "./transform";

/** Steps of a sum in one block: a panel of `B` (16 KB) and five rows of `A` (10 KB) share L1. */
const BLOCK: i32 = 512;

/** Bytes in front of the table of rows: the edge and the operands. */
const HEAD: usize = EDGE_BYTES + OPERANDS_BYTES + SINGLE_RUN_BYTES;

/** Floats of workspace for the products of matrices with `m` rows. */
export function productFloats(m: i32): i32 {
  return <i32>(HEAD >> 2) + m;
}

/** One side of the products: where it lies, and the bytes to its next row, step, panel of eight columns and point. */
@unmanaged
export class Side {
  at: usize;
  row: usize;
  step: usize;
  panel: usize;
  point: usize;
}

/** Bytes of the struct. */
export const SIDE_BYTES: usize = 20;

/**
 * `C[m, n] (+)= A[m, k] · B[k, n]` at each point; `n` is a multiple of eight. Of `A` the bytes to the next row and step
 * count, of `B` those to the next row (of `k`) and panel, of `C` those to the next row.
 */
export function products(
  m: i32,
  n: i32,
  k: i32,
  a: Side,
  b: Side,
  c: Side,
  fresh: bool,
  workspace: usize,
): void {
  const operand = operandAt(workspace + EDGE_BYTES);
  const columns = panelsAt(workspace + EDGE_BYTES);
  operand.runs = workspace + EDGE_BYTES + OPERANDS_BYTES;
  operand.rows = workspace + HEAD;
  operand.step = a.step;
  columns.row = b.row;
  columns.stride = b.panel;
  for (let point = 0; point < POINTS; point++) {
    const from = a.at + point * a.point;
    const panels = b.at + point * b.point;
    const to = c.at + point * c.point;
    for (let p = 0; p < k; p += BLOCK) {
      singleRun(operand.runs, min(BLOCK, k - p));
      rowTable(operand.rows, m, from + p * a.step, a.row);
      columns.first = panels + p * b.row;
      gemmBlock(m, n, operand, columns, to, c.row, fresh && p == 0, 0, Activation.linear, 0, workspace);
    }
  }
}
