/** Sums, products and extremes over any axes of a tensor. */
import { LINE, endShare, firstShare } from "../lib/share";
import { LANES, loadLanes, storeLanes } from "../lib/simd";
import { add2d, max2d, min2d, mul2d, narrow4, splat2d, widenHigh, widenLow } from "../lib/simd64";

/** The kinds, as the ABI numbers them. */
const SUM: i32 = 0;
const PRODUCT: i32 = 1;
const MINIMUM: i32 = 2;
const MAXIMUM: i32 = 3;

/**
 * Which axes of `x` stay and which are reduced. Behind the struct come those that stay, then the reduced ones, each from
 * the innermost outwards. The last that stays is that of the images, of which a call says how many there are.
 */
@unmanaged
class Reduction {
  kept: i32;
  reduced: i32;
  /** Outputs of one image. */
  size: i32;
  /** Elements that become one. */
  count: i32;
}

/** One of the axes: its size, and its stride in `x`, in elements. */
@unmanaged
class Axis {
  size: i32;
  stride: i32;
}

// @ts-ignore: decorator
@inline
function axisOf(layout: usize, axis: i32): Axis {
  return changetype<Axis>(layout + offsetof<Reduction>() + <usize>axis * offsetof<Axis>());
}

/** Where the element with this number among all of the axes `from` to `to` lies in `x`, in bytes. */
function offsetOf(layout: usize, from: i32, to: i32, number: i32): usize {
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
  if (kind == SUM) return add2d(sum, x);
  if (kind == PRODUCT) return mul2d(sum, x);
  return kind == MINIMUM ? min2d(sum, x) : max2d(sum, x);
}

// @ts-ignore: decorator
@inline
function identity(kind: i32): f64 {
  if (kind == SUM) return 0;
  if (kind == PRODUCT) return 1;
  return kind == MINIMUM ? Infinity : -Infinity;
}

/** `lanes` outputs that follow one another, as their elements in `x` do. */
// @ts-ignore: decorator
@inline
function reduceLanes(kind: i32, layout: usize, x: usize, y: usize, lanes: i32): void {
  const reduction = changetype<Reduction>(layout);
  const kept = reduction.kept;
  const inner = axisOf(layout, kept);
  const step = (<usize>inner.stride) << 2;
  let low = splat2d(identity(kind));
  let high = low;
  for (let row = 0, rows = reduction.count / inner.size; row < rows; row++) {
    let at = x + offsetOf(layout, kept + 1, kept + reduction.reduced, row);
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
function reduce(kind: i32, layout: usize, n: i32, x: usize, y: usize): void {
  const kept = changetype<Reduction>(layout).kept;
  const inner = axisOf(layout, 0);
  const total = n * changetype<Reduction>(layout).size;
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
 * For `n` images `y` = the sum, product, minimum or maximum (kinds 0 to 3) of `x` over the reduced axes of `layout` (see
 * `Reduction`), of which there is one at least; sizes are 1 or more.
 *
 * All in float64, in ascending order of addresses, and rounded once: for k elements |error| ≤ u·|y| + k·2⁻⁵³·Σ |x| of a
 * sum, (u + k·2⁻⁵³)·|y| of a product as long as no product of the first so many elements leaves float64's normal numbers;
 * extremes are exact, and NaN when any element is.
 */
export function reduceForward(kind: i32, layout: usize, n: i32, x: usize, y: usize): void {
  // Without an `else` at the end: see `unaryForward`.
  if (kind == SUM) reduce(SUM, layout, n, x, y);
  else if (kind == PRODUCT) reduce(PRODUCT, layout, n, x, y);
  else if (kind == MINIMUM) reduce(MINIMUM, layout, n, x, y);
  else if (kind == MAXIMUM) reduce(MAXIMUM, layout, n, x, y);
}
