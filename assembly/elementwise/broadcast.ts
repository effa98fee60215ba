/** Two tensors together, element by element, each repeated along the axes that it lacks. */
import { logf } from "../lib/logarithm";
import { powf } from "../lib/pow";
import { LINE, endShare, firstShare } from "../lib/share";
import {
  LANES,
  add4,
  and4,
  andNot4,
  div4,
  equal4,
  lane0,
  lane1,
  lane2,
  lane3,
  lanes4,
  less4,
  loadLanes,
  max4,
  min4,
  mul4,
  or4,
  splat,
  storeLanes,
  sub4,
  zeroBits4,
} from "../lib/simd";

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

/** The slope of a^b by a; of a constant 1 it is 0 everywhere. */
function baseSlope(a: f32, b: f32): f32 {
  return b == 0 ? 0 : b * powf(a, b - 1);
}

/** The slope of a^b by b; of 0^b, b ≥ 0, it is 0. */
function exponentSlope(a: f32, b: f32): f32 {
  return a == 0 && b >= 0 ? 0 : powf(a, b) * <f32>logf(a);
}

/** One vector of results; `kind` is a constant wherever this is inlined. */
// @ts-ignore: decorator
@inline
function combine4(kind: i32, a: v128, b: v128): v128 {
  if (kind == Broadcast.add) return add4(a, b);
  if (kind == Broadcast.sub) return sub4(a, b);
  if (kind == Broadcast.mul) return mul4(a, b);
  if (kind == Broadcast.div) return div4(a, b);
  if (kind == Broadcast.min) return min4(a, b);
  if (kind == Broadcast.max) return max4(a, b);
  if (kind == Broadcast.pow) {
    return lanes4(
      powf(lane0(a), lane0(b)),
      powf(lane1(a), lane1(b)),
      powf(lane2(a), lane2(b)),
      powf(lane3(a), lane3(b)),
    );
  }
  if (kind == Broadcast.share) return andNot4(sub4(splat(1), and4(equal4(a, b), splat(0.5))), less4(a, b));
  if (kind == Broadcast.keep) return andNot4(a, zeroBits4(b));
  if (kind == Broadcast.drop) return and4(a, zeroBits4(b));
  if (kind == Broadcast.join) return or4(a, b);
  if (kind == Broadcast.baseSlope) {
    return lanes4(
      baseSlope(lane0(a), lane0(b)),
      baseSlope(lane1(a), lane1(b)),
      baseSlope(lane2(a), lane2(b)),
      baseSlope(lane3(a), lane3(b)),
    );
  }
  if (kind == Broadcast.exponentSlope) {
    return lanes4(
      exponentSlope(lane0(a), lane0(b)),
      exponentSlope(lane1(a), lane1(b)),
      exponentSlope(lane2(a), lane2(b)),
      exponentSlope(lane3(a), lane3(b)),
    );
  }
  return a;
}

/** `n` results, `kind` a constant, of operands that go on by a vector in `aStep` and `bStep` bytes, or by 0: then the one element counts. */
// @ts-ignore: decorator
@inline
export function run(kind: i32, a: usize, aStep: usize, b: usize, bStep: usize, y: usize, n: i32): void {
  const rest = n & (LANES - 1);
  const end = y + ((<usize>(n - rest)) << 2);
  for (; y < end; y += 16, a += aStep, b += bStep) {
    const left = loadLanes(a, aStep == 0 ? 1 : LANES);
    const right = loadLanes(b, bStep == 0 ? 1 : LANES);
    storeLanes(y, combine4(kind, left, right), LANES);
  }
  if (rest == 0) return;
  const left = loadLanes(a, aStep == 0 ? 1 : rest);
  const right = loadLanes(b, bStep == 0 ? 1 : rest);
  storeLanes(y, combine4(kind, left, right), rest);
}

/** A row of results, by the strides along it: 1 or 0 each. */
// @ts-ignore: decorator
@inline
function runRow(kind: i32, axis: BroadcastAxis, a: usize, b: usize, y: usize, n: i32): void {
  if (axis.b == 0) run(kind, a, 16, b, 0, y, n);
  else if (axis.a == 0) run(kind, a, 0, b, 16, y, n);
  else run(kind, a, 16, b, 16, y, n);
}

// @ts-ignore: decorator
@inline
function broadcast(kind: i32, layout: BroadcastLayout, n: i32, a: usize, b: usize, y: usize): void {
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
    runRow(kind, inner, from, beside, y + ((<usize>at) << 2), count);
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
  if (kind == Broadcast.add) broadcast(Broadcast.add, layout, n, a, b, y);
  else if (kind == Broadcast.sub) broadcast(Broadcast.sub, layout, n, a, b, y);
  else if (kind == Broadcast.mul) broadcast(Broadcast.mul, layout, n, a, b, y);
  else if (kind == Broadcast.div) broadcast(Broadcast.div, layout, n, a, b, y);
  else if (kind == Broadcast.min) broadcast(Broadcast.min, layout, n, a, b, y);
  else if (kind == Broadcast.max) broadcast(Broadcast.max, layout, n, a, b, y);
  else if (kind == Broadcast.pow) broadcast(Broadcast.pow, layout, n, a, b, y);
  else if (kind == Broadcast.first) broadcast(Broadcast.first, layout, n, a, b, y);
  else if (kind == Broadcast.share) broadcast(Broadcast.share, layout, n, a, b, y);
  else if (kind == Broadcast.keep) broadcast(Broadcast.keep, layout, n, a, b, y);
  else if (kind == Broadcast.drop) broadcast(Broadcast.drop, layout, n, a, b, y);
  else if (kind == Broadcast.join) broadcast(Broadcast.join, layout, n, a, b, y);
  else if (kind == Broadcast.baseSlope) broadcast(Broadcast.baseSlope, layout, n, a, b, y);
  else if (kind == Broadcast.exponentSlope) broadcast(Broadcast.exponentSlope, layout, n, a, b, y);
}
