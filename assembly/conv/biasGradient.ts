/** The gradient of a bias. */
import { LINE, endShare, firstShare } from "../lib/share";
import { add4, load4, store4, zero4 } from "../lib/simd";

/** Sums of the first 16 columns, or of the first 4; `wide` is a constant at each call, so that the branches fold. */
// @ts-ignore: decorator
@inline
function sumColumns(wide: bool, rows: i32, row: usize, dy: usize, db: usize): void {
  let s0 = zero4();
  let s1 = zero4();
  let s2 = zero4();
  let s3 = zero4();
  for (let r = rows; r > 0; r--) {
    s0 = add4(s0, load4(dy));
    if (wide) {
      s1 = add4(s1, load4(dy + 16));
      s2 = add4(s2, load4(dy + 32));
      s3 = add4(s3, load4(dy + 48));
    }
    dy += row;
  }
  store4(db, s0);
  if (wide) {
    store4(db + 16, s1);
    store4(db + 32, s2);
    store4(db + 48, s3);
  }
}

/**
 * `db[f] = Σ dy[rows, f]` over the rows.
 *
 * Order: one running float32 sum a column, rows ascending. Error: γ_rows·Σ|dy|.
 *
 * @split COPY * rows * f
 */
export function biasGradient(rows: i32, f: i32, dy: usize, db: usize): void {
  const row = (<usize>f) << 2;
  const first = (<usize>firstShare(f, LINE)) << 2;
  const end = (<usize>endShare(f, LINE)) << 2;
  let j = first;
  for (; j + 64 <= end; j += 64) sumColumns(true, rows, row, dy + j, db + j);
  for (; j + 16 <= end; j += 16) sumColumns(false, rows, row, dy + j, db + j);
  if (j == end) return;
  if (end - first >= 16) {
    // The last columns once more with some of those before them: the same sums, stored twice.
    sumColumns(false, rows, row, dy + end - 16, db + end - 16);
    return;
  }
  for (; j < end; j += 4) {
    let sum: f32 = 0;
    let p = dy + j;
    for (let r = rows; r > 0; r--) {
      sum += load<f32>(p);
      p += row;
    }
    store<f32>(db + j, sum);
  }
}
