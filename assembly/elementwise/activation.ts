/** Activations, element by element. */
import {
  Elu,
  Gelu,
  GeluTanh,
  HardSigmoid,
  HardSwish,
  LeakyRelu,
  Mish,
  Relu,
  Relu6,
  Selu,
  Sigmoid,
  Silu,
  Softplus,
  Tanh,
} from "./activationFormulas";
import { Activation } from "../lib/activations";
import { LANES, load4, loadLanes, splat, store4, storeLanes } from "../lib/simd";
import { LINE, endShare, firstShare } from "../lib/share";

// @ts-ignore: decorator
@inline
function value4<A>(alpha: v128, x: v128): v128 {
  return changetype<A>(0).value4(alpha, x);
}

function forward<A>(alpha: f32, x: usize, y: usize, n: i32): void {
  const slope = splat(alpha);
  const rest = n & (LANES - 1);
  const end = x + ((<usize>(n - rest)) << 2);
  for (; x < end; x += 16, y += 16) store4(y, value4<A>(slope, load4(x)));
  if (rest > 0) storeLanes(y, value4<A>(slope, loadLanes(x, rest)), rest);
}

/**
 * The same with four vectors a turn: V8 lets the next turn wait for the last, and the common kinds that take an exponential
 * wait long.
 */
function forwardByFours<A>(alpha: f32, x: usize, y: usize, n: i32): void {
  const slope = splat(alpha);
  const fours = n & -(4 * LANES);
  const end = x + ((<usize>fours) << 2);
  for (; x < end; x += 64, y += 64) {
    const v0 = value4<A>(slope, load4(x));
    const v1 = value4<A>(slope, load4(x + 16));
    const v2 = value4<A>(slope, load4(x + 32));
    const v3 = value4<A>(slope, load4(x + 48));
    store4(y, v0);
    store4(y + 16, v1);
    store4(y + 32, v2);
    store4(y + 48, v3);
  }
  forward<A>(alpha, x, y, n - fours);
}

/** `s` is the output or, from softplus on, the input. */
function backward<A>(alpha: f32, s: usize, dy: usize, dx: usize, n: i32): void {
  const slope = splat(alpha);
  const rest = n & (LANES - 1);
  const end = s + ((<usize>(n - rest)) << 2);
  for (; s < end; s += 16, dy += 16, dx += 16) {
    store4(dx, changetype<A>(0).gradient4(slope, load4(s), load4(dy)));
  }
  if (rest == 0) return;
  storeLanes(dx, changetype<A>(0).gradient4(slope, loadLanes(s, rest), loadLanes(dy, rest)), rest);
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
  if (kind == Activation.relu) forward<Relu>(alpha, x, y, n);
  else if (kind == Activation.leakyRelu) forward<LeakyRelu>(alpha, x, y, n);
  else if (kind == Activation.sigmoid) forwardByFours<Sigmoid>(alpha, x, y, n);
  else if (kind == Activation.tanh) forwardByFours<Tanh>(alpha, x, y, n);
  else if (kind == Activation.relu6) forward<Relu6>(alpha, x, y, n);
  else if (kind == Activation.elu) forward<Elu>(alpha, x, y, n);
  else if (kind == Activation.selu) forward<Selu>(alpha, x, y, n);
  else if (kind == Activation.hardSigmoid) forward<HardSigmoid>(alpha, x, y, n);
  else if (kind == Activation.softplus) forward<Softplus>(alpha, x, y, n);
  else if (kind == Activation.silu) forwardByFours<Silu>(alpha, x, y, n);
  else if (kind == Activation.hardSwish) forward<HardSwish>(alpha, x, y, n);
  else if (kind == Activation.gelu) forward<Gelu>(alpha, x, y, n);
  else if (kind == Activation.geluTanh) forward<GeluTanh>(alpha, x, y, n);
  else if (kind == Activation.mish) forward<Mish>(alpha, x, y, n);
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
  if (kind == Activation.relu) backward<Relu>(alpha, y, dy, dx, n);
  else if (kind == Activation.leakyRelu) backward<LeakyRelu>(alpha, y, dy, dx, n);
  else if (kind == Activation.sigmoid) backward<Sigmoid>(alpha, y, dy, dx, n);
  else if (kind == Activation.tanh) backward<Tanh>(alpha, y, dy, dx, n);
  else if (kind == Activation.relu6) backward<Relu6>(alpha, y, dy, dx, n);
  else if (kind == Activation.elu) backward<Elu>(alpha, y, dy, dx, n);
  else if (kind == Activation.selu) backward<Selu>(alpha, y, dy, dx, n);
  else if (kind == Activation.hardSigmoid) backward<HardSigmoid>(alpha, y, dy, dx, n);
  else if (kind == Activation.softplus) backward<Softplus>(alpha, y, dy, dx, n);
  else if (kind == Activation.silu) backward<Silu>(alpha, y, dy, dx, n);
  else if (kind == Activation.hardSwish) backward<HardSwish>(alpha, y, dy, dx, n);
  else if (kind == Activation.gelu) backward<Gelu>(alpha, y, dy, dx, n);
  else if (kind == Activation.geluTanh) backward<GeluTanh>(alpha, y, dy, dx, n);
  else if (kind == Activation.mish) backward<Mish>(alpha, y, dy, dx, n);
  else if (dx != dy) memory.copy(dx, dy, (<usize>n) << 2);
}
