/** Two tensors together, element by element, each repeated along the axes that it lacks. */
import {
  Add,
  BaseSlope,
  Div,
  Drop,
  ExponentSlope,
  First,
  Join,
  Keep,
  Max,
  Min,
  Mul,
  Pow,
  Share,
  Sub,
} from "./broadcastFormulas";
import { LINE, endShare, firstShare } from "../lib/share";
import { LANES, loadLanes, store4, storeLanes } from "../lib/simd";

/** Functions of two elements by number; the formulas stand at `broadcastForward`. @abi */
export enum Broadcast {
  add = 0,
  sub = 1,
  mul = 2,
  div = 3,
  min = 4,
  max = 5,
  pow = 6,
  /** The first operand alone. */
  first = 7,
  /** The first operand's share of the gradient of a maximum. */
  share = 8,
  /** The first operand where the second, an integer, is not 0; elsewhere 0. */
  keep = 9,
  /** The first operand where the second, an integer, is 0; elsewhere 0. */
  drop = 10,
  /** The bits of both. */
  join = 11,
  /** The slope of a power by its base. */
  baseSlope = 12,
  /** The slope of a power by its exponent. */
  exponentSlope = 13,
}

/**
 * How the operands lie beside the result, whose elements follow one another. The axes count from the innermost; the last
 * one is that of the images, of which a call says how many there are.
 *
 * @abi
 */
@unmanaged
class BroadcastLayout {
  axes: i32;
  /** Elements of one image's result. */
  size: i32;
}

/** One of the axes, which follow the struct: its size and the operands' strides, in elements. @abi */
@unmanaged
class BroadcastAxis {
  size: i32;
  a: i32;
  b: i32;
}

// @ts-ignore: decorator
@inline
function axisOf(layout: BroadcastLayout, axis: i32): BroadcastAxis {
  const axes = changetype<usize>(layout) + offsetof<BroadcastLayout>();
  return changetype<BroadcastAxis>(axes + <usize>axis * offsetof<BroadcastAxis>());
}

/**
 * Where the operands' elements for a row of results start, in elements: of `a` in the high half, of `b` in the low one. Rows
 * are counted over all axes but the first.
 */
function rowOffsets(layout: BroadcastLayout, row: i32): u64 {
  const last = layout.axes - 1;
  let a: i32 = 0;
  let b: i32 = 0;
  for (let i = 1; i <= last; i++) {
    const axis = axisOf(layout, i);
    const index = i == last ? row : row % axis.size;
    a += index * axis.a;
    b += index * axis.b;
    row /= axis.size;
  }
  return ((<u64>a) << 32) | (<u64>(<u32>b));
}

/** `n` results of operands that go on by a vector in `aStep` and `bStep` bytes, or by 0: then the one element counts. */
// @ts-ignore: decorator
@inline
export function run<F>(a: usize, aStep: usize, b: usize, bStep: usize, y: usize, n: i32): void {
  const rest = n & (LANES - 1);
  const end = y + ((<usize>(n - rest)) << 2);
  for (; y < end; y += 16, a += aStep, b += bStep) {
    const left = loadLanes(a, aStep == 0 ? 1 : LANES);
    const right = loadLanes(b, bStep == 0 ? 1 : LANES);
    store4(y, changetype<F>(0).value4(left, right));
  }
  if (rest == 0) return;
  const left = loadLanes(a, aStep == 0 ? 1 : rest);
  const right = loadLanes(b, bStep == 0 ? 1 : rest);
  storeLanes(y, changetype<F>(0).value4(left, right), rest);
}

/** A row of results, by the strides along it: 1 or 0 each. */
// @ts-ignore: decorator
@inline
function runRow<F>(axis: BroadcastAxis, a: usize, b: usize, y: usize, n: i32): void {
  if (axis.b == 0) run<F>(a, 16, b, 0, y, n);
  else if (axis.a == 0) run<F>(a, 0, b, 16, y, n);
  else run<F>(a, 16, b, 16, y, n);
}

// @ts-ignore: decorator
@inline
function broadcast<F>(layout: BroadcastLayout, n: i32, a: usize, b: usize, y: usize): void {
  const total = n * layout.size;
  const inner = axisOf(layout, 0);
  const columns = inner.size;
  const end = endShare(total, LINE);
  for (let at = firstShare(total, LINE); at < end;) {
    const row = at / columns;
    const column = at - row * columns;
    const count = min(columns - column, end - at);
    const offsets = rowOffsets(layout, row);
    const from = a + ((<usize>(<i32>(offsets >> 32) + column * inner.a)) << 2);
    const beside = b + ((<usize>(<i32>offsets + column * inner.b)) << 2);
    runRow<F>(inner, from, beside, y + ((<usize>at) << 2), count);
    at += count;
  }
}

/**
 * `y = a ∘ b` for `n` images, with the operands repeated as `layout` says (see `BroadcastLayout`); along the innermost axis a
 * stride is 1, or 0 for one of the operands. `y` may be an operand that is not repeated.
 *
 * | kind | y | error |
 * | --- | --- | --- |
 * | add, sub, mul, div | a + b, a − b, a·b, a / b | rounded once |
 * | min, max | min(a, b), max(a, b); NaN when either is | exact |
 * | pow | a^b | 0.501 ULP (see `powf`) |
 * | first | a | exact |
 * | share | a < b ? 0 : a = b ? ½ : 1 | exact |
 * | keep, drop | the bits of a where those of b are not 0, or are 0; else 0 | exact |
 * | join | the bits of both | exact |
 * | baseSlope | b·a^(b − 1), 0 where b = 0 | (1.01 + ½·\|(b − 1)·ln a\|)·2⁻²³·\|y\| |
 * | exponentSlope | a^b·ln a, 0 where a = 0 ≤ b | 1.51·2⁻²³·\|y\| |
 *
 * @split (kind == Broadcast.pow ? POWER : COPY) * n * layout.size
 */
export function broadcastForward(
  kind: i32,
  layout: BroadcastLayout,
  n: i32,
  a: usize,
  b: usize,
  y: usize,
): void {
  // Without an `else` at the end: see `unaryForward`.
  if (kind == Broadcast.add) broadcast<Add>(layout, n, a, b, y);
  else if (kind == Broadcast.sub) broadcast<Sub>(layout, n, a, b, y);
  else if (kind == Broadcast.mul) broadcast<Mul>(layout, n, a, b, y);
  else if (kind == Broadcast.div) broadcast<Div>(layout, n, a, b, y);
  else if (kind == Broadcast.min) broadcast<Min>(layout, n, a, b, y);
  else if (kind == Broadcast.max) broadcast<Max>(layout, n, a, b, y);
  else if (kind == Broadcast.pow) broadcast<Pow>(layout, n, a, b, y);
  else if (kind == Broadcast.first) broadcast<First>(layout, n, a, b, y);
  else if (kind == Broadcast.share) broadcast<Share>(layout, n, a, b, y);
  else if (kind == Broadcast.keep) broadcast<Keep>(layout, n, a, b, y);
  else if (kind == Broadcast.drop) broadcast<Drop>(layout, n, a, b, y);
  else if (kind == Broadcast.join) broadcast<Join>(layout, n, a, b, y);
  else if (kind == Broadcast.baseSlope) broadcast<BaseSlope>(layout, n, a, b, y);
  else if (kind == Broadcast.exponentSlope) broadcast<ExponentSlope>(layout, n, a, b, y);
}
