/**
 * A tensor made from another along one of its axes: each element of the new axis is a sum of elements of the old one, each
 * times its weight, or one number where there are none. What copies, repeats, drops or blends elements is a table of these.
 */
import { endShare, firstShare } from "../lib/share";
import { LANES, add4, loadLanes, madd4, mul4, splat, storeLanes } from "../lib/simd";

/** An element of the old axis and its weight. */
@unmanaged
class Tap {
  place: i32;
  weight: f32;
}

/** The first tap of element `i` of the new axis, counted through all. */
// @ts-ignore: decorator
@inline
function firstTap(table: usize, i: i32): i32 {
  return load<i32>(table + ((<usize>i) << 2), 4);
}

/** The address of the first tap in a table for `to` elements. */
// @ts-ignore: decorator
@inline
function tapsOf(table: usize, to: i32): usize {
  return table + ((<usize>to + 2) << 2);
}

// @ts-ignore: decorator
@inline
function tapAt(taps: usize, i: i32): Tap {
  return changetype<Tap>(taps + ((<usize>i) << 3));
}

/** `count` elements of the sum of the rows of `x` that the taps `first` to `end` name, of which there is one at least. */
// @ts-ignore: decorator
@inline
function sumLanes(count: i32, taps: usize, first: i32, end: i32, size: usize, x: usize): v128 {
  let tap = tapAt(taps, first);
  let sum = mul4(loadLanes(x + <usize>tap.place * size, count), splat(tap.weight));
  for (let i = first + 1; i < end; i++) {
    tap = tapAt(taps, i);
    sum = madd4(loadLanes(x + <usize>tap.place * size, count), splat(tap.weight), sum);
  }
  return sum;
}

/** A row of `inner` elements with the same bits in each, `fill`. */
function fillRow(fill: i32, inner: i32, y: usize): void {
  for (let i = 0; i < inner; i++, y += 4) store<i32>(y, fill);
}

/** A row as it is. */
function copyRow(inner: i32, x: usize, y: usize): void {
  let count = inner;
  for (; count >= LANES; count -= LANES, x += 16, y += 16) storeLanes(y, loadLanes(x, LANES), LANES);
  if (count > 0) storeLanes(y, loadLanes(x, count), count);
}

/** A row as the sum of others. */
function sumRow(taps: usize, first: i32, end: i32, inner: i32, x: usize, y: usize): void {
  const size = (<usize>inner) << 2;
  let count = inner;
  for (; count >= LANES; count -= LANES, x += 16, y += 16) {
    storeLanes(y, sumLanes(LANES, taps, first, end, size, x), LANES);
  }
  if (count > 0) storeLanes(y, sumLanes(count, taps, first, end, size, x), count);
}

/** `y += weight·x` for a row. */
function addRow(weight: f32, inner: i32, x: usize, y: usize): void {
  const factor = splat(weight);
  let count = inner;
  for (; count >= LANES; count -= LANES, x += 16, y += 16) {
    storeLanes(y, add4(loadLanes(y, LANES), mul4(loadLanes(x, LANES), factor)), LANES);
  }
  if (count > 0) storeLanes(y, add4(loadLanes(y, count), mul4(loadLanes(x, count), factor)), count);
}

/**
 * `y[outer, to, inner]` from `x[outer, from, inner]`: `y[o, j] = Σ weight·x[o, place]` over the taps of `j`. The table is the
 * bits of what stands where there are no taps; `to + 1` numbers, the first tap of each `j` and the end of the last; then the
 * taps, an int32 `place` and a float32 `weight` each.
 *
 * In the order of the taps. One tap of weight 1 copies 32 bits, whatever they are. Error of a sum of k taps: γ_k·Σ|weight·x|.
 *
 * @split COPY * max(to, intAt(table, 1 + to)) * outer * inner
 */
export function tapsForward(
  table: usize,
  outer: i32,
  from: i32,
  to: i32,
  inner: i32,
  x: usize,
  y: usize,
): void {
  const size = (<usize>inner) << 2;
  const taps = tapsOf(table, to);
  const fill = load<i32>(table);
  const firstRow = firstShare(outer * to);
  const end = endShare(outer * to);
  y += <usize>firstRow * size;
  for (let row = firstRow; row < end; row++, y += size) {
    const j = row % to;
    const block = x + <usize>(row / to) * <usize>from * size;
    const first = firstTap(table, j);
    const last = firstTap(table, j + 1);
    if (first == last) {
      fillRow(fill, inner, y);
      continue;
    }
    const tap = tapAt(taps, first);
    if (last - first == 1 && tap.weight == 1) copyRow(inner, block + <usize>tap.place * size, y);
    else sumRow(taps, first, last, inner, block, y);
  }
}

/**
 * The adjoint of `tapsForward`: zeroes `dx[outer, from, inner]`, then adds `weight·dy[o, j]` to the rows that each `j` was
 * made of, in ascending order of j and of its taps. A row in m sums has |error| ≤ γ_{m+1}·Σ|weight·dy|. Threads share `outer`.
 *
 * @split SCATTER * max(to, intAt(table, 1 + to)) * outer * inner
 */
export function tapsBackward(
  table: usize,
  outer: i32,
  from: i32,
  to: i32,
  inner: i32,
  dy: usize,
  dx: usize,
): void {
  const size = (<usize>inner) << 2;
  const block = <usize>from * size;
  const taps = tapsOf(table, to);
  const firstBlock = firstShare(outer);
  const own = endShare(outer) - firstBlock;
  dx += <usize>firstBlock * block;
  dy += <usize>firstBlock * <usize>to * size;
  memory.fill(dx, 0, <usize>own * block);
  for (let o = own; o > 0; o--, dx += block) {
    for (let j = 0; j < to; j++, dy += size) {
      for (let i = firstTap(table, j), last = firstTap(table, j + 1); i < last; i++) {
        const tap = tapAt(taps, i);
        addRow(tap.weight, inner, dy, dx + <usize>tap.place * size);
      }
    }
  }
}
