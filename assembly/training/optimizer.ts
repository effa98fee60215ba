/**
 * Optimizer steps, element by element, in place.
 *
 * Each returns whether all new values (weights and state) are finite, and stores them only with `commit`: a dry run
 * over every weight first lets a caller refuse a diverging step before any weight has changed.
 */
import {
  LANES,
  abs4,
  add4,
  allTrue4,
  and4,
  div4,
  less4,
  loadLanes,
  madd4,
  mul4,
  splat,
  splatInt,
  sqrt4,
  storeLanes,
  sub4,
} from "../lib/simd";
import { LINE, endShare, firstShare } from "../lib/share";

/** The mask of the lanes that are neither infinite nor NaN. */
// @ts-ignore: decorator
@inline
export function finite4(x: v128): v128 {
  return less4(abs4(x), splat(Infinity));
}

/** Every lane set. */
// @ts-ignore: decorator
@inline
export function allLanes(): v128 {
  return splatInt(-1);
}

/** `count` elements of `sgdStep`; returns the mask of the finite ones. `stateful` and `commit` are constants. */
// @ts-ignore: decorator
@inline
function sgdVector(
  w: usize,
  g: usize,
  v: usize,
  count: i32,
  rate: v128,
  momentum: v128,
  decay: v128,
  nesterov: bool,
  stateful: bool,
  commit: bool,
): v128 {
  const weight = loadLanes(w, count);
  const gradient = madd4(decay, weight, loadLanes(g, count));
  let step = gradient;
  if (stateful) {
    const velocity = madd4(momentum, loadLanes(v, count), gradient);
    step = nesterov ? madd4(momentum, velocity, gradient) : velocity;
    if (commit) storeLanes(v, velocity, count);
  }
  const next = sub4(weight, mul4(rate, step));
  if (commit) storeLanes(w, next, count);
  // This covers the velocity: an infinite one makes the weight infinite, or NaN at a rate of 0.
  return finite4(next);
}

// @ts-ignore: decorator
@inline
function sgdLoop(
  w: usize,
  g: usize,
  v: usize,
  n: i32,
  learningRate: f32,
  momentum: f32,
  weightDecay: f32,
  nesterov: bool,
  stateful: bool,
  commit: bool,
): bool {
  const rate = splat(learningRate);
  const mu = splat(momentum);
  const decay = splat(weightDecay);
  const rest = n & (LANES - 1);
  const end = w + ((<usize>(n - rest)) << 2);
  let finite = allLanes();
  for (; w < end; w += 16, g += 16, v += 16) {
    finite = and4(finite, sgdVector(w, g, v, LANES, rate, mu, decay, nesterov, stateful, commit));
  }
  if (rest > 0) {
    finite = and4(finite, sgdVector(w, g, v, rest, rate, mu, decay, nesterov, stateful, commit));
  }
  return allTrue4(finite);
}

/**
 * One step of stochastic gradient descent on `n` weights, as PyTorch's SGD without dampening:
 *
 *   g′ = g + weightDecay·w,  v = momentum·v + g′,  w −= learningRate·(nesterov ? g′ + momentum·v : v)
 *
 * `v` starts at zero, which makes the first v equal to g′. With `v` = 0 there is no momentum and the step is g′.
 * Each line is evaluated left to right in float32, every operation rounded once. Returns whether all new values are
 * finite; stores nothing without `commit`. Each thread tells it of its share.
 *
 * @split COPY * n
 */
export function sgdStep(
  w: usize,
  g: usize,
  v: usize,
  n: i32,
  learningRate: f32,
  momentum: f32,
  weightDecay: f32,
  nesterov: bool,
  commit: bool,
): bool {
  const first = firstShare(n, LINE);
  const at = (<usize>first) << 2;
  n = endShare(n, LINE) - first;
  w += at;
  g += at;
  if (v == 0) {
    if (commit) return sgdLoop(w, g, 0, n, learningRate, 0, weightDecay, false, false, true);
    return sgdLoop(w, g, 0, n, learningRate, 0, weightDecay, false, false, false);
  }
  v += at;
  if (commit) return sgdLoop(w, g, v, n, learningRate, momentum, weightDecay, nesterov, true, true);
  return sgdLoop(w, g, v, n, learningRate, momentum, weightDecay, nesterov, true, false);
}

/** `count` elements of `adamStep`; returns the mask of the finite ones. */
// @ts-ignore: decorator
@inline
function adamVector(
  w: usize,
  g: usize,
  m: usize,
  v: usize,
  count: i32,
  rate: v128,
  beta1: v128,
  rest1: v128,
  beta2: v128,
  rest2: v128,
  epsilon: v128,
  penalty: v128,
  shrink: v128,
  correction1: v128,
  correction2: v128,
  commit: bool,
): v128 {
  const weight = loadLanes(w, count);
  const gradient = madd4(penalty, weight, loadLanes(g, count));
  const first = madd4(rest1, gradient, mul4(beta1, loadLanes(m, count)));
  const second = madd4(rest2, mul4(gradient, gradient), mul4(beta2, loadLanes(v, count)));
  const scale = add4(sqrt4(div4(second, correction2)), epsilon);
  const step = div4(mul4(rate, div4(first, correction1)), scale);
  const next = sub4(sub4(weight, mul4(shrink, weight)), step);
  if (commit) {
    storeLanes(m, first, count);
    storeLanes(v, second, count);
    storeLanes(w, next, count);
  }
  return and4(finite4(next), and4(finite4(first), finite4(second)));
}

/**
 * One step of Adam (Kingma & Ba 2015), or with `decoupled` of AdamW (Loshchilov & Hutter 2019), on `n` weights:
 *
 *   g′ = g + weightDecay·w (Adam), or w −= learningRate·weightDecay·w (AdamW)
 *   m = beta1·m + (1 − beta1)·g′,  v = beta2·v + (1 − beta2)·g′²
 *   w −= learningRate·(m / correction1) / (√(v / correction2) + epsilon)
 *
 * with `correction1 = 1 − beta1^t` and `correction2 = 1 − beta2^t` in step t from 1 on. `m` and `v` start at zero.
 * Everything is float32, rounded once an operation, but `1 − beta`, which float32 betas would spoil: it is taken in
 * float64 first. Returns whether all new values are finite, each thread of its share; stores nothing without `commit`.
 *
 * @split DIVIDE * n
 */
export function adamStep(
  w: usize,
  g: usize,
  m: usize,
  v: usize,
  n: i32,
  learningRate: f32,
  beta1: f64,
  beta2: f64,
  epsilon: f32,
  weightDecay: f32,
  decoupled: bool,
  correction1: f32,
  correction2: f32,
  commit: bool,
): bool {
  const rate = splat(learningRate);
  const b1 = splat(<f32>beta1);
  const r1 = splat(<f32>(1 - beta1));
  const b2 = splat(<f32>beta2);
  const r2 = splat(<f32>(1 - beta2));
  const eps = splat(epsilon);
  const l2 = splat(decoupled ? 0 : weightDecay);
  const away = splat(decoupled ? learningRate * weightDecay : 0);
  const c1 = splat(correction1);
  const c2 = splat(correction2);
  const first = firstShare(n, LINE);
  const share = endShare(n, LINE) - first;
  const at = (<usize>first) << 2;
  const rest = share & (LANES - 1);
  const end = w + at + ((<usize>(share - rest)) << 2);
  w += at;
  g += at;
  m += at;
  v += at;
  let finite = allLanes();
  for (; w < end; w += 16, g += 16, m += 16, v += 16) {
    const all = adamVector(w, g, m, v, LANES, rate, b1, r1, b2, r2, eps, l2, away, c1, c2, commit);
    finite = and4(finite, all);
  }
  if (rest > 0) {
    const some = adamVector(w, g, m, v, rest, rate, b1, r1, b2, r2, eps, l2, away, c1, c2, commit);
    finite = and4(finite, some);
  }
  return allTrue4(finite);
}
