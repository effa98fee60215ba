/** Sums, products and extremes over any axes of a tensor. */
import { LINE, endShare, firstShare } from "../lib/share";
import { LANES, loadLanes, storeLanes } from "../lib/simd";
import { add2d, max2d, min2d, mul2d, narrow4, splat2d, widenHigh, widenLow } from "../lib/simd64";

/** The kinds of reduction. @abi */
export enum Reduce {
  sum = 0,
  prod = 1,
  min = 2,
  max = 3,
}

/**
 * Which axes of `x` stay and which are reduced. Behind the struct come those that stay, then the reduced ones, each from
 * the innermost outwards. The last that stays is that of the images, of which a call says how many there are.
 *
 * @abi
 */
@unmanaged
class ReductionLayout {
  kept: i32;
  reduced: i32;
  /** Outputs of one image. */
  size: i32;
  /** Elements that become one. */
  count: i32;
}

/** One of the axes: its size, and its stride in `x`, in elements. @abi */
@unmanaged
class ReductionAxis {
  size: i32;
  stride: i32;
}

// @ts-ignore: decorator
@inline
function axisOf(layout: ReductionLayout, axis: i32): ReductionAxis {
  const axes = changetype<usize>(layout) + offsetof<ReductionLayout>();
  return changetype<ReductionAxis>(axes + <usize>axis * offsetof<ReductionAxis>());
}

/** The offset in `x`, in bytes, of the element with this number among all of the axes `from` to `to`. */
function offsetOf(layout: ReductionLayout, from: i32, to: i32, number: i32): usize {
  let offset: i32 = 0;
  for (let i = from; i < to; i++) {
    const axis = axisOf(layout, i);
    const index = i == to - 1 ? number : number % axis.size;
    offset += index * axis.stride;
    number /= axis.size;
  }
  return (<usize>offset) << 2;
}

/** `kind` is a constant wherever this is inlined. */
// @ts-ignore: decorator
@inline
function fold2(kind: i32, sum: v128, x: v128): v128 {
  if (kind == Reduce.sum) return add2d(sum, x);
  if (kind == Reduce.prod) return mul2d(sum, x);
  return kind == Reduce.min ? min2d(sum, x) : max2d(sum, x);
}

// @ts-ignore: decorator
@inline
function identity(kind: i32): f64 {
  if (kind == Reduce.sum) return 0;
  if (kind == Reduce.prod) return 1;
  return kind == Reduce.min ? Infinity : -Infinity;
}

/** `lanes` outputs that follow one another, as their elements in `x` do. */
// @ts-ignore: decorator
@inline
function reduceLanes(kind: i32, layout: ReductionLayout, x: usize, y: usize, lanes: i32): void {
  const kept = layout.kept;
  const inner = axisOf(layout, kept);
  const step = (<usize>inner.stride) << 2;
  let low = splat2d(identity(kind));
  let high = low;
  for (let row = 0, rows = layout.count / inner.size; row < rows; row++) {
    let at = x + offsetOf(layout, kept + 1, kept + layout.reduced, row);
    for (let i = inner.size; i > 0; i--, at += step) {
      const v = loadLanes(at, lanes);
      low = fold2(kind, low, widenLow(v));
      high = fold2(kind, high, widenHigh(v));
    }
  }
  storeLanes(y, narrow4(low, high), lanes);
}

// @ts-ignore: decorator
@inline
function reduce(kind: i32, layout: ReductionLayout, n: i32, x: usize, y: usize): void {
  const kept = layout.kept;
  const inner = axisOf(layout, 0);
  const total = n * layout.size;
  const end = endShare(total, LINE);
  const most = inner.stride == 1 ? LANES : 1;
  for (let at = firstShare(total, LINE); at < end;) {
    const from = x + offsetOf(layout, 0, kept, at);
    const to = y + ((<usize>at) << 2);
    const lanes = min(min(inner.size - (at % inner.size), end - at), most);
    if (lanes == LANES) reduceLanes(kind, layout, from, to, LANES);
    else reduceLanes(kind, layout, from, to, lanes);
    at += lanes;
  }
}

/**
 * For `n` images `y` = the sum, product, minimum or maximum (by `Reduce`) of `x` over the reduced axes of `layout` (see
 * `ReductionLayout`), of which there is one at least; sizes are 1 or more.
 *
 * All in float64, in ascending order of addresses, and rounded once: for k elements |error| ≤ u·|y| + k·2⁻⁵³·Σ |x| of a
 * sum, (u + k·2⁻⁵³)·|y| of a product as long as no product of the first so many elements leaves float64's normal numbers;
 * extremes are exact, and NaN when any element is.
 *
 * @split COPY * n * layout.size * layout.count
 */
export function reduceForward(kind: i32, layout: ReductionLayout, n: i32, x: usize, y: usize): void {
  // Without an `else` at the end: see `unaryForward`.
  if (kind == Reduce.sum) reduce(Reduce.sum, layout, n, x, y);
  else if (kind == Reduce.prod) reduce(Reduce.prod, layout, n, x, y);
  else if (kind == Reduce.min) reduce(Reduce.min, layout, n, x, y);
  else if (kind == Reduce.max) reduce(Reduce.max, layout, n, x, y);
}
