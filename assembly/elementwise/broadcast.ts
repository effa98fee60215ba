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

/** The kinds, as the ABI numbers them. */
export const ADD: i32 = 0;
export const SUB: i32 = 1;
export const MUL: i32 = 2;
const DIV: i32 = 3;
const MIN: i32 = 4;
export const MAX: i32 = 5;
const POW: i32 = 6;
/** `a` alone. */
const FIRST: i32 = 7;
/** The share of a maximum's gradient that is a's. */
const SHARE: i32 = 8;
/** `a` where the integer `b` is not 0, or is 0; elsewhere 0. */
const KEEP: i32 = 9;
const DROP: i32 = 10;
/** The bits of both. */
const JOIN: i32 = 11;
/** The slopes of a power by its base, and by its exponent. */
const BASE_SLOPE: i32 = 12;
const EXPONENT_SLOPE: i32 = 13;

/**
 * How the operands lie beside the result, whose elements follow one another. The axes count from the innermost; the last
 * one is that of the images, of which a call says how many there are.
 */
@unmanaged
class Broadcast {
  axes: i32;
  /** Elements of one image's result. */
  size: i32;
}

/** One of the axes, which follow the struct: its size and the operands' strides, in elements. */
@unmanaged
class Axis {
  size: i32;
  a: i32;
  b: i32;
}

// @ts-ignore: decorator
@inline
function axisOf(layout: usize, axis: i32): Axis {
  return changetype<Axis>(layout + offsetof<Broadcast>() + <usize>axis * offsetof<Axis>());
}

/**
 * Where the operands' elements for a row of results start, in elements: of `a` in the high half, of `b` in the low one. Rows
 * are counted over all axes but the first.
 */
function rowOffsets(layout: usize, row: i32): u64 {
  const last = changetype<Broadcast>(layout).axes - 1;
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
  if (kind == ADD) return add4(a, b);
  if (kind == SUB) return sub4(a, b);
  if (kind == MUL) return mul4(a, b);
  if (kind == DIV) return div4(a, b);
  if (kind == MIN) return min4(a, b);
  if (kind == MAX) return max4(a, b);
  if (kind == POW) {
    return lanes4(
      powf(lane0(a), lane0(b)),
      powf(lane1(a), lane1(b)),
      powf(lane2(a), lane2(b)),
      powf(lane3(a), lane3(b)),
    );
  }
  if (kind == SHARE) return andNot4(sub4(splat(1), and4(equal4(a, b), splat(0.5))), less4(a, b));
  if (kind == KEEP) return andNot4(a, zeroBits4(b));
  if (kind == DROP) return and4(a, zeroBits4(b));
  if (kind == JOIN) return or4(a, b);
  if (kind == BASE_SLOPE) {
    return lanes4(
      baseSlope(lane0(a), lane0(b)),
      baseSlope(lane1(a), lane1(b)),
      baseSlope(lane2(a), lane2(b)),
      baseSlope(lane3(a), lane3(b)),
    );
  }
  if (kind == EXPONENT_SLOPE) {
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
function runRow(kind: i32, axis: Axis, a: usize, b: usize, y: usize, n: i32): void {
  if (axis.b == 0) run(kind, a, 16, b, 0, y, n);
  else if (axis.a == 0) run(kind, a, 0, b, 16, y, n);
  else run(kind, a, 16, b, 16, y, n);
}

// @ts-ignore: decorator
@inline
function broadcast(kind: i32, layout: usize, n: i32, a: usize, b: usize, y: usize): void {
  const total = n * changetype<Broadcast>(layout).size;
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
 * `y = a ∘ b` for `n` images, with the operands repeated as `layout` says (see `Broadcast`); along the innermost axis a
 * stride is 1, or 0 for one of the operands. `y` may be an operand that is not repeated.
 *
 * | kind | y | error |
 * | --- | --- | --- |
 * | 0 to 3 | a + b, a − b, a·b, a / b | rounded once |
 * | 4, 5 | min(a, b), max(a, b); NaN when either is | exact |
 * | 6 | a^b | 0.501 ULP (see `powf`) |
 * | 7 | a | exact |
 * | 8 | a < b ? 0 : a = b ? ½ : 1 | exact |
 * | 9, 10, 11 | the bits of a where those of b are not 0 (9), or are (10), else 0; those of both (11) | exact |
 * | 12 | b·a^(b − 1), 0 where b = 0 | (1.01 + ½·\|(b − 1)·ln a\|)·2⁻²³·\|y\| |
 * | 13 | a^b·ln a, 0 where a = 0 ≤ b | 1.51·2⁻²³·\|y\| |
 */
export function broadcastForward(kind: i32, layout: usize, n: i32, a: usize, b: usize, y: usize): void {
  // Without an `else` at the end: see `unaryForward`.
  if (kind == ADD) broadcast(ADD, layout, n, a, b, y);
  else if (kind == SUB) broadcast(SUB, layout, n, a, b, y);
  else if (kind == MUL) broadcast(MUL, layout, n, a, b, y);
  else if (kind == DIV) broadcast(DIV, layout, n, a, b, y);
  else if (kind == MIN) broadcast(MIN, layout, n, a, b, y);
  else if (kind == MAX) broadcast(MAX, layout, n, a, b, y);
  else if (kind == POW) broadcast(POW, layout, n, a, b, y);
  else if (kind == FIRST) broadcast(FIRST, layout, n, a, b, y);
  else if (kind == SHARE) broadcast(SHARE, layout, n, a, b, y);
  else if (kind == KEEP) broadcast(KEEP, layout, n, a, b, y);
  else if (kind == DROP) broadcast(DROP, layout, n, a, b, y);
  else if (kind == JOIN) broadcast(JOIN, layout, n, a, b, y);
  else if (kind == BASE_SLOPE) broadcast(BASE_SLOPE, layout, n, a, b, y);
  else if (kind == EXPONENT_SLOPE) broadcast(EXPONENT_SLOPE, layout, n, a, b, y);
}
