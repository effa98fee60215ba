/** The matrix products of Winograd's algorithm: one for each of the 36 points of a strip of tiles. */
import { Activation } from "../../lib/activations";
import { gemmBlock, openProduct, rowTable, singleRun, takeProduct } from "../../gemm/block";
import { POINTS } from "./transform";

/** Steps of a sum in one block: a panel of `B` (16 KB) and five rows of `A` (10 KB) share L1. */
const BLOCK: i32 = 512;

/** One side of the products: where it lies, and the bytes to its next row, step, panel of eight columns and point. */
@unmanaged
export class Side {
  at: usize;
  row: usize;
  step: usize;
  panel: usize;
  point: usize;
}

/**
 * `C[m, n] (+)= A[m, k] · B[k, n]` at each point; `n` is a multiple of eight. Of `A` the bytes to the next row and step
 * count, of `B` those to the next row (of `k`) and panel, of `C` those to the next row. The workspace is what `takeProduct` took
 * last.
 */
export function products(m: i32, n: i32, k: i32, a: Side, b: Side, c: Side, fresh: bool): void {
  const product = openProduct();
  product.step = a.step;
  product.row = b.row;
  product.stride = b.panel;
  for (let point = 0; point < POINTS; point++) {
    const from = a.at + point * a.point;
    const panels = b.at + point * b.point;
    const to = c.at + point * c.point;
    for (let p = 0; p < k; p += BLOCK) {
      singleRun(product, min(BLOCK, k - p));
      rowTable(product.rows, m, from + p * a.step, a.row);
      product.first = panels + p * b.row;
      gemmBlock(m, n, product, to, c.row, fresh && p == 0, 0, Activation.linear, 0);
    }
  }
}
