/** Activations, element by element. */
import { Activation, activate4, gradient4 } from "../lib/activations";
import { LANES, load4, loadLanes, splat, store4, storeLanes } from "../lib/simd";
import { LINE, endShare, firstShare } from "../lib/share";

/**
 * Whether four vectors go through the loop together: V8 lets the next turn wait for the last, and the common kinds that take
 * an exponential wait long.
 */
// @ts-ignore: decorator
@inline
function byFours(kind: i32): bool {
  return kind == Activation.sigmoid || kind == Activation.tanh || kind == Activation.silu;
}

// @ts-ignore: decorator
@inline
function forwardLoop(kind: i32, alpha: f32, x: usize, y: usize, n: i32): void {
  const slope = splat(alpha);
  const rest = n & (LANES - 1);
  const end = x + ((<usize>(n - rest)) << 2);
  if (byFours(kind)) {
    for (; x + 48 < end; x += 64, y += 64) {
      const v0 = activate4(kind, slope, load4(x));
      const v1 = activate4(kind, slope, load4(x + 16));
      const v2 = activate4(kind, slope, load4(x + 32));
      const v3 = activate4(kind, slope, load4(x + 48));
      store4(y, v0);
      store4(y + 16, v1);
      store4(y + 32, v2);
      store4(y + 48, v3);
    }
  }
  for (; x < end; x += 16, y += 16) storeLanes(y, activate4(kind, slope, load4(x)), LANES);
  if (rest > 0) storeLanes(y, activate4(kind, slope, loadLanes(x, rest)), rest);
}

// @ts-ignore: decorator
@inline
function backwardLoop(kind: i32, alpha: f32, y: usize, dy: usize, dx: usize, n: i32): void {
  const slope = splat(alpha);
  const rest = n & (LANES - 1);
  const end = y + ((<usize>(n - rest)) << 2);
  for (; y < end; y += 16, dy += 16, dx += 16) {
    storeLanes(dx, gradient4(kind, slope, load4(y), load4(dy)), LANES);
  }
  if (rest > 0) storeLanes(dx, gradient4(kind, slope, loadLanes(y, rest), loadLanes(dy, rest)), rest);
}

/*
 * One function a kind: all loops in one body have so many locals that the optimizer's time, which grows faster than their
 * number, becomes most of the build's.
 */
function reluForward(alpha: f32, x: usize, y: usize, n: i32): void {
  forwardLoop(Activation.relu, alpha, x, y, n);
}

function leakyReluForward(alpha: f32, x: usize, y: usize, n: i32): void {
  forwardLoop(Activation.leakyRelu, alpha, x, y, n);
}

function sigmoidForward(alpha: f32, x: usize, y: usize, n: i32): void {
  forwardLoop(Activation.sigmoid, alpha, x, y, n);
}

function tanhForward(alpha: f32, x: usize, y: usize, n: i32): void {
  forwardLoop(Activation.tanh, alpha, x, y, n);
}

function relu6Forward(alpha: f32, x: usize, y: usize, n: i32): void {
  forwardLoop(Activation.relu6, alpha, x, y, n);
}

function eluForward(alpha: f32, x: usize, y: usize, n: i32): void {
  forwardLoop(Activation.elu, alpha, x, y, n);
}

function seluForward(alpha: f32, x: usize, y: usize, n: i32): void {
  forwardLoop(Activation.selu, alpha, x, y, n);
}

function hardSigmoidForward(alpha: f32, x: usize, y: usize, n: i32): void {
  forwardLoop(Activation.hardSigmoid, alpha, x, y, n);
}

function softplusForward(alpha: f32, x: usize, y: usize, n: i32): void {
  forwardLoop(Activation.softplus, alpha, x, y, n);
}

function siluForward(alpha: f32, x: usize, y: usize, n: i32): void {
  forwardLoop(Activation.silu, alpha, x, y, n);
}

function hardSwishForward(alpha: f32, x: usize, y: usize, n: i32): void {
  forwardLoop(Activation.hardSwish, alpha, x, y, n);
}

function geluForward(alpha: f32, x: usize, y: usize, n: i32): void {
  forwardLoop(Activation.gelu, alpha, x, y, n);
}

function geluTanhForward(alpha: f32, x: usize, y: usize, n: i32): void {
  forwardLoop(Activation.geluTanh, alpha, x, y, n);
}

function mishForward(alpha: f32, x: usize, y: usize, n: i32): void {
  forwardLoop(Activation.mish, alpha, x, y, n);
}

function reluBackward(alpha: f32, y: usize, dy: usize, dx: usize, n: i32): void {
  backwardLoop(Activation.relu, alpha, y, dy, dx, n);
}

function leakyReluBackward(alpha: f32, y: usize, dy: usize, dx: usize, n: i32): void {
  backwardLoop(Activation.leakyRelu, alpha, y, dy, dx, n);
}

function sigmoidBackward(alpha: f32, y: usize, dy: usize, dx: usize, n: i32): void {
  backwardLoop(Activation.sigmoid, alpha, y, dy, dx, n);
}

function tanhBackward(alpha: f32, y: usize, dy: usize, dx: usize, n: i32): void {
  backwardLoop(Activation.tanh, alpha, y, dy, dx, n);
}

function relu6Backward(alpha: f32, y: usize, dy: usize, dx: usize, n: i32): void {
  backwardLoop(Activation.relu6, alpha, y, dy, dx, n);
}

function eluBackward(alpha: f32, y: usize, dy: usize, dx: usize, n: i32): void {
  backwardLoop(Activation.elu, alpha, y, dy, dx, n);
}

function seluBackward(alpha: f32, y: usize, dy: usize, dx: usize, n: i32): void {
  backwardLoop(Activation.selu, alpha, y, dy, dx, n);
}

function hardSigmoidBackward(alpha: f32, y: usize, dy: usize, dx: usize, n: i32): void {
  backwardLoop(Activation.hardSigmoid, alpha, y, dy, dx, n);
}

function softplusBackward(alpha: f32, y: usize, dy: usize, dx: usize, n: i32): void {
  backwardLoop(Activation.softplus, alpha, y, dy, dx, n);
}

function siluBackward(alpha: f32, y: usize, dy: usize, dx: usize, n: i32): void {
  backwardLoop(Activation.silu, alpha, y, dy, dx, n);
}

function hardSwishBackward(alpha: f32, y: usize, dy: usize, dx: usize, n: i32): void {
  backwardLoop(Activation.hardSwish, alpha, y, dy, dx, n);
}

function geluBackward(alpha: f32, y: usize, dy: usize, dx: usize, n: i32): void {
  backwardLoop(Activation.gelu, alpha, y, dy, dx, n);
}

function geluTanhBackward(alpha: f32, y: usize, dy: usize, dx: usize, n: i32): void {
  backwardLoop(Activation.geluTanh, alpha, y, dy, dx, n);
}

function mishBackward(alpha: f32, y: usize, dy: usize, dx: usize, n: i32): void {
  backwardLoop(Activation.mish, alpha, y, dy, dx, n);
}

/**
 * `y[i] = f(x[i])` for `n` elements; `y` may be `x`. NaN stays NaN under each.
 *
 * | kind | f(x) | error |
 * | --- | --- | --- |
 * | linear | x | exact |
 * | relu | x < 0 ? 0 : x | exact |
 * | leaky relu | x < 0 ? alpha·x : x | u |
 * | sigmoid σ | 1 / (1 + e^−x) | 3 ULP |
 * | tanh | tanh x | 3 ULP |
 * | relu6 | min(max(x, 0), 6) | exact |
 * | elu | x > 0 ? x : alpha·(e^x − 1) | 5 ULP |
 * | selu | λ·elu(x), alpha = 1.6733 | 5 ULP |
 * | hard sigmoid | min(max(alpha·x + ½, 0), 1) | 2u·max(1, |alpha·x|) |
 * | softplus | ln(1 + e^x) | 5 ULP |
 * | silu | x·σ(x) | 3u·|x| |
 * | hard swish | x·relu6(x + 3) / 6 | 3 ULP |
 * | gelu | x·Φ(x), Φ the normal distribution | 5u·|x| |
 * | gelu, tanh | ½x·(1 + tanh(√(2/π)·(x + 0.044715·x³))) | 5u·|x| |
 * | mish | x·tanh(softplus(x)) | 7 ULP and 2⁻¹⁴⁷·|x| |
 *
 * The parts of |x| stand for subnormal factors; those of u do not count below 2⁻¹²⁶.
 *
 * @split activationCost(kind) * n
 */
export function activationForward(kind: i32, alpha: f32, x: usize, y: usize, n: i32): void {
  const first = firstShare(n, LINE);
  const at = (<usize>first) << 2;
  activate(kind, alpha, x + at, y + at, endShare(n, LINE) - first);
}

/** The same, all of it by the thread that calls: for kernels that share out their outputs themselves. */
export function activate(kind: i32, alpha: f32, x: usize, y: usize, n: i32): void {
  if (kind == Activation.relu) reluForward(alpha, x, y, n);
  else if (kind == Activation.leakyRelu) leakyReluForward(alpha, x, y, n);
  else if (kind == Activation.sigmoid) sigmoidForward(alpha, x, y, n);
  else if (kind == Activation.tanh) tanhForward(alpha, x, y, n);
  else if (kind == Activation.relu6) relu6Forward(alpha, x, y, n);
  else if (kind == Activation.elu) eluForward(alpha, x, y, n);
  else if (kind == Activation.selu) seluForward(alpha, x, y, n);
  else if (kind == Activation.hardSigmoid) hardSigmoidForward(alpha, x, y, n);
  else if (kind == Activation.softplus) softplusForward(alpha, x, y, n);
  else if (kind == Activation.silu) siluForward(alpha, x, y, n);
  else if (kind == Activation.hardSwish) hardSwishForward(alpha, x, y, n);
  else if (kind == Activation.gelu) geluForward(alpha, x, y, n);
  else if (kind == Activation.geluTanh) geluTanhForward(alpha, x, y, n);
  else if (kind == Activation.mish) mishForward(alpha, x, y, n);
  else if (x != y) memory.copy(y, x, (<usize>n) << 2);
}

/**
 * `dx[i] = f′·dy[i]` for `n` elements; `dx` may be `dy`. The derivative follows from the output `y` or, from softplus on,
 * from the input, which then stands in its place.
 *
 * At a kink it is that of the flat or negative side, of hard swish, which has two, that of the outer one. Where the function
 * is flat (relu, relu6, hard sigmoid, hard swish) `dx` is +0 whatever `dy` is, and NaN does not count as there: relu,
 * relu6 and hard sigmoid then pass `dy` on as in between, leaky relu as below 0; of the others it makes NaN.
 *
 * No f′ is above 1.76·max(1, alpha), selu's largest, or off by more than 12u·max(1, alpha), the errors of y as the forward
 * pass makes it included; where alpha says nothing it counts as 1.
 *
 * @split slopeCost(kind) * n
 */
export function activationBackward(kind: i32, alpha: f32, y: usize, dy: usize, dx: usize, n: i32): void {
  const first = firstShare(n, LINE);
  const at = (<usize>first) << 2;
  n = endShare(n, LINE) - first;
  y += at;
  dy += at;
  dx += at;
  if (kind == Activation.relu) reluBackward(alpha, y, dy, dx, n);
  else if (kind == Activation.leakyRelu) leakyReluBackward(alpha, y, dy, dx, n);
  else if (kind == Activation.sigmoid) sigmoidBackward(alpha, y, dy, dx, n);
  else if (kind == Activation.tanh) tanhBackward(alpha, y, dy, dx, n);
  else if (kind == Activation.relu6) relu6Backward(alpha, y, dy, dx, n);
  else if (kind == Activation.elu) eluBackward(alpha, y, dy, dx, n);
  else if (kind == Activation.selu) seluBackward(alpha, y, dy, dx, n);
  else if (kind == Activation.hardSigmoid) hardSigmoidBackward(alpha, y, dy, dx, n);
  else if (kind == Activation.softplus) softplusBackward(alpha, y, dy, dx, n);
  else if (kind == Activation.silu) siluBackward(alpha, y, dy, dx, n);
  else if (kind == Activation.hardSwish) hardSwishBackward(alpha, y, dy, dx, n);
  else if (kind == Activation.gelu) geluBackward(alpha, y, dy, dx, n);
  else if (kind == Activation.geluTanh) geluTanhBackward(alpha, y, dy, dx, n);
  else if (kind == Activation.mish) mishBackward(alpha, y, dy, dx, n);
  else if (dx != dy) memory.copy(dx, dy, (<usize>n) << 2);
}
