/**
 * Steps of the optimizers that are chosen less often, element by element, in place. As in `optimizer.ts` each returns
 * whether all new values are finite, each thread of its share, and stores them only with `commit`.
 *
 * Every line of a formula is evaluated left to right in float32, every operation rounded once; `1 − beta` is taken in
 * float64 first, since a float32 beta would spoil it.
 */
import {
  LANES,
  add4,
  and4,
  allTrue4,
  atLeast4,
  clearLanes,
  div4,
  equal4,
  load4,
  loadLanes,
  madd4,
  andNot4,
  mul4,
  or4,
  splat,
  splatInt,
  sqrt4,
  store4,
  storeLanes,
  sub4,
  zero4,
} from "../lib/simd";
import { add2d, mul2d, sum2d, widenHigh, widenLow, zero2d } from "../lib/simd64";
import { LINE, endShare, firstShare } from "../lib/share";
import { allLanes, finite4 } from "./optimizer";

// Vectors of fewer than four elements end an array. They are functions of their own, so that their code stands here once and
// not at every load of each kernel. SGD and Adam, whose steps are taken most, have a loop for whole vectors instead.

function loadFew(p: usize, count: i32): v128 {
  return loadLanes(p, count);
}

function storeFew(p: usize, v: v128, count: i32): void {
  storeLanes(p, v, count);
}

/** `count` elements from `p`, as `loadLanes` does. */
// @ts-ignore: decorator
@inline
export function loadUpTo4(p: usize, count: i32): v128 {
  return count >= LANES ? load4(p) : loadFew(p, count);
}

/** Stores the first `count` elements. */
// @ts-ignore: decorator
@inline
export function storeUpTo4(p: usize, v: v128, count: i32): void {
  if (count >= LANES) store4(p, v);
  else storeFew(p, v, count);
}

/** 1, 0 or −1 with the sign of `x`. */
// @ts-ignore: decorator
@inline
export function sign4(x: v128): v128 {
  const signed = or4(and4(x, splatInt(i32.MIN_VALUE)), splat(1));
  return andNot4(signed, equal4(x, zero4()));
}

/**
 * One step of RMSprop (Tieleman & Hinton 2012) on `n` weights, as in PyTorch:
 *
 *   g′ = g + weightDecay·w,  s = rho·s + rest·g′²
 *   with `a`: a = rho·a + rest·g′ and d = max(s − a², 0), else d = s
 *   v = momentum·v + g′ / (√(initial + d) + epsilon),  w −= learningRate·v
 *
 * with `rest` = 1 − rho and `initial` = 0; with both `rho` and `rest` = 1 it is one of Adagrad (Duchi, Hazan & Singer 2011),
 * whose sum of squares starts at `initial`. `s`, `v` and `a` start at zero. With `v` = 0 there is no momentum. With `a` = 0
 * d is the mean square, and not the variance, which rounding could make negative.
 *
 * @split DIVIDE * n
 */
export function rmspropStep(
  w: usize,
  g: usize,
  s: usize,
  v: usize,
  a: usize,
  n: i32,
  learningRate: f32,
  rho: f32,
  rest: f32,
  initial: f32,
  epsilon: f32,
  momentum: f32,
  weightDecay: f32,
  commit: bool,
): bool {
  const end = endShare(n, LINE);
  let finite = allLanes();
  for (let i = firstShare(n, LINE); i < end; i += LANES) {
    const count = min(LANES, end - i);
    const at = (<usize>i) << 2;
    const weight = loadUpTo4(w + at, count);
    const gradient = madd4(splat(weightDecay), weight, loadUpTo4(g + at, count));
    const square = madd4(splat(rest), mul4(gradient, gradient), mul4(splat(rho), loadUpTo4(s + at, count)));
    let spread = square;
    if (a != 0) {
      const mean = madd4(splat(rest), gradient, mul4(splat(rho), loadUpTo4(a + at, count)));
      spread = atLeast4(sub4(square, mul4(mean, mean)), zero4());
      if (commit) storeUpTo4(a + at, mean, count);
    }
    let step = div4(gradient, add4(sqrt4(add4(splat(initial), spread)), splat(epsilon)));
    if (v != 0) {
      step = madd4(splat(momentum), loadUpTo4(v + at, count), step);
      if (commit) storeUpTo4(v + at, step, count);
    }
    const next = sub4(weight, mul4(splat(learningRate), step));
    // These cover the rest: an infinite mean comes with an infinite square, an infinite velocity with such a weight.
    finite = and4(finite, and4(finite4(next), finite4(square)));
    if (commit) {
      storeUpTo4(s + at, square, count);
      storeUpTo4(w + at, next, count);
    }
  }
  return allTrue4(finite);
}

/**
 * One step of Lion (Chen et al. 2023) on `n` weights:
 *
 *   u = sign(beta1·m + (1 − beta1)·g),  w −= learningRate·(u + weightDecay·w),  m = beta2·m + (1 − beta2)·g
 *
 * `m` starts at zero; the sign of 0 is 0.
 *
 * @split COPY * n
 */
export function lionStep(
  w: usize,
  g: usize,
  m: usize,
  n: i32,
  learningRate: f32,
  beta1: f64,
  beta2: f64,
  weightDecay: f32,
  commit: bool,
): bool {
  const b1 = splat(<f32>beta1);
  const r1 = splat(<f32>(1 - beta1));
  const b2 = splat(<f32>beta2);
  const r2 = splat(<f32>(1 - beta2));
  const end = endShare(n, LINE);
  let finite = allLanes();
  for (let i = firstShare(n, LINE); i < end; i += LANES) {
    const count = min(LANES, end - i);
    const at = (<usize>i) << 2;
    const weight = loadUpTo4(w + at, count);
    const gradient = loadUpTo4(g + at, count);
    const mean = loadUpTo4(m + at, count);
    const direction = sign4(madd4(r1, gradient, mul4(b1, mean)));
    const next = sub4(weight, mul4(splat(learningRate), madd4(splat(weightDecay), weight, direction)));
    const moved = madd4(r2, gradient, mul4(b2, mean));
    // The sign hides what is infinite or not a number; the gradient itself tells.
    finite = and4(finite, and4(finite4(next), and4(finite4(moved), finite4(gradient))));
    if (commit) {
      storeUpTo4(m + at, moved, count);
      storeUpTo4(w + at, next, count);
    }
  }
  return allTrue4(finite);
}

/** The new moments of LAMB. */
// @ts-ignore: decorator
@inline
function moment(beta: f64, old: v128, value: v128): v128 {
  return madd4(splat(<f32>(1 - beta)), value, mul4(splat(<f32>beta), old));
}

/** `u` of LAMB. */
// @ts-ignore: decorator
@inline
function lambDirection(
  weight: v128,
  first: v128,
  second: v128,
  epsilon: f32,
  weightDecay: f32,
  correction1: f32,
  correction2: f32,
): v128 {
  const scale = add4(sqrt4(div4(second, splat(correction2))), splat(epsilon));
  return madd4(splat(weightDecay), weight, div4(div4(first, splat(correction1)), scale));
}

/**
 * `Σ u[i]²` of the step that `lambStep` would take on `n` weights with the same arguments, in float64, on the calling thread
 * alone: four parts, of the elements of each residue modulo 4 in ascending order, are added as (0 + 2) + (1 + 3). A square
 * is exact in float64: the relative error of the sum is below (⌈n/4⌉ + 2)·2⁻⁵³.
 */
export function lambSquares(
  w: usize,
  g: usize,
  m: usize,
  v: usize,
  n: i32,
  beta1: f64,
  beta2: f64,
  epsilon: f32,
  weightDecay: f32,
  correction1: f32,
  correction2: f32,
): f64 {
  let low = zero2d();
  let high = zero2d();
  for (let i = 0; i < n; i += LANES) {
    const count = min(LANES, n - i);
    const at = (<usize>i) << 2;
    const gradient = loadUpTo4(g + at, count);
    const first = moment(beta1, loadUpTo4(m + at, count), gradient);
    const second = moment(beta2, loadUpTo4(v + at, count), mul4(gradient, gradient));
    const weight = loadUpTo4(w + at, count);
    const u = lambDirection(weight, first, second, epsilon, weightDecay, correction1, correction2);
    const counted = clearLanes(u, count);
    const a = widenLow(counted);
    const b = widenHigh(counted);
    low = add2d(low, mul2d(a, a));
    high = add2d(high, mul2d(b, b));
  }
  return sum2d(add2d(low, high));
}

/**
 * One step of LAMB (You et al. 2020) on `n` weights:
 *
 *   m = beta1·m + (1 − beta1)·g,  v = beta2·v + (1 − beta2)·g²
 *   u = (m / correction1) / (√(v / correction2) + epsilon) + weightDecay·w,  w −= rate·u
 *
 * with `correction1 = 1 − beta1^t` and `correction2 = 1 − beta2^t` in step t from 1 on, and the learning rate times ‖w‖ / ‖u‖ of
 * the whole weight as `rate`. `m` and `v` start at zero.
 *
 * @split DIVIDE * n
 */
export function lambStep(
  w: usize,
  g: usize,
  m: usize,
  v: usize,
  n: i32,
  rate: f32,
  beta1: f64,
  beta2: f64,
  epsilon: f32,
  weightDecay: f32,
  correction1: f32,
  correction2: f32,
  commit: bool,
): bool {
  const end = endShare(n, LINE);
  let finite = allLanes();
  for (let i = firstShare(n, LINE); i < end; i += LANES) {
    const count = min(LANES, end - i);
    const at = (<usize>i) << 2;
    const weight = loadUpTo4(w + at, count);
    const gradient = loadUpTo4(g + at, count);
    const first = moment(beta1, loadUpTo4(m + at, count), gradient);
    const second = moment(beta2, loadUpTo4(v + at, count), mul4(gradient, gradient));
    const u = lambDirection(weight, first, second, epsilon, weightDecay, correction1, correction2);
    const next = sub4(weight, mul4(splat(rate), u));
    finite = and4(finite, and4(finite4(next), and4(finite4(first), finite4(second))));
    if (commit) {
      storeUpTo4(m + at, first, count);
      storeUpTo4(v + at, second, count);
      storeUpTo4(w + at, next, count);
    }
  }
  return allTrue4(finite);
}
