import { describe, expect, it } from "vitest";
import { guarded, openKernels } from "../support/wasm.ts";
import { random } from "../support/random.ts";
import { numericalGradient } from "../support/differences.ts";
import { bitsOf, expectWithin, U, ulp } from "../support/float.ts";
import {
  activation,
  LEAKY_RELU,
  LINEAR,
  RELU,
  rowsOf,
  SIGMOID,
  softmax,
  TANH,
} from "../oracles/activation.ts";

const bench = openKernels();
const { kernels } = bench;
const ALPHA = 0.125;
const SIZES = [0, 1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 33];

const kinds = [
  { name: "linear", kind: LINEAR, ulps: 0 },
  { name: "relu", kind: RELU, ulps: 0 },
  { name: "leaky relu", kind: LEAKY_RELU, ulps: 0.5 },
  { name: "sigmoid", kind: SIGMOID, ulps: 3 },
  { name: "tanh", kind: TANH, ulps: 3 },
];

function forward(kind: number, x: Float32Array): Float32Array {
  bench.reset();
  const y = guarded(bench, x.length);
  kernels.activationForward(kind, ALPHA, bench.put(x), y.ptr, x.length);
  y.check();
  return y.f32();
}

function backward(kind: number, y: Float32Array, dy: Float32Array): Float32Array {
  bench.reset();
  const dx = guarded(bench, y.length);
  kernels.activationBackward(kind, ALPHA, bench.put(y), bench.put(dy), dx.ptr, y.length);
  dx.check();
  return dx.f32();
}

describe.each(kinds)("$name", ({ kind, ulps }) => {
  it.each(SIZES)("matches the oracle on %i elements", (n) => {
    const x = random(n + 1).uniform(n, -4, 4);
    const exact = Array.from(x, (value) => activation(kind, ALPHA, value));
    expectWithin(forward(kind, x), exact, (i) => ulps * ulp(exact[i] as number));
  });

  it.each(SIZES)("has the gradient of finite differences on %i elements", (n) => {
    // 0.01 away from the kink at 0, where the difference quotient has no meaning.
    const x = random(n + 2)
      .uniform(n, 0.01, 3)
      .map((value, i) => (i % 2 ? -value : value));
    const dy = random(n + 3).uniform(n);
    const total = (at: Float64Array): number =>
      at.reduce((sum, value, i) => sum + (dy[i] as number) * activation(kind, ALPHA, value), 0);
    // dx: y is off by 3 ULP, at most 6u for |y| ≤ 1, which f′(y) of slope ≤ 2 doubles; 4u of its own; the
    // quotient itself is good to h² and to rounding errors of 2^-53 / h.
    const bound = (i: number): number => 16 * U * Math.abs(dy[i] as number) + 1e-8;
    expectWithin(backward(kind, forward(kind, x), dy), numericalGradient(total, x), bound);
  });

  it("gives a tail the bits of the vector body, also in place", () => {
    const x = random(5).uniform(11, -3, 3);
    const dy = random(6).uniform(11, -3, 3);
    const y = forward(kind, x);
    const alone = x.map((value) => forward(kind, Float32Array.of(value, 0, 0, 0))[0] as number);
    expect(bitsOf(y)).toEqual(bitsOf(alone));
    const dx = backward(kind, y, dy);
    const dxAlone = y.map(
      (value, i) =>
        backward(
          kind,
          Float32Array.of(value, 0, 0, 0),
          Float32Array.of(dy[i] as number, 0, 0, 0),
        )[0] as number,
    );
    expect(bitsOf(dx)).toEqual(bitsOf(dxAlone));

    bench.reset();
    const p = bench.put(x);
    const q = bench.put(dy);
    kernels.activationForward(kind, ALPHA, p, p, x.length);
    kernels.activationBackward(kind, ALPHA, p, q, q, x.length);
    expect(bitsOf(bench.f32(p, x.length))).toEqual(bitsOf(y));
    expect(bitsOf(bench.f32(q, x.length))).toEqual(bitsOf(dx));
  });

  it("keeps NaN", () => {
    expect([...forward(kind, Float32Array.of(NaN, 1, NaN, 2, NaN))].map(Number.isNaN)).toEqual([
      true,
      false,
      true,
      false,
      true,
    ]);
  });
});

describe("the gradient at zero", () => {
  const zeros = Float32Array.of(0, -0, 0, -0, 0);
  const dy = Float32Array.of(2, 2, -2, 2, 2);

  it("is that of the negative side, as PyTorch has it", () => {
    expect([...backward(RELU, zeros, dy)]).toEqual([0, 0, 0, 0, 0]);
    expect([...backward(LEAKY_RELU, zeros, dy)]).toEqual([0.25, 0.25, -0.25, 0.25, 0.25]);
  });
});

describe("softmax", () => {
  const shapes = [1, 2, 3, 4, 5, 7, 8, 9, 10, 17, 64].map((cols, i) => ({ rows: 1 + (i % 3), cols }));

  function softmaxOf(x: Float32Array, rows: number, cols: number): Float32Array {
    bench.reset();
    const y = guarded(bench, x.length);
    kernels.softmaxForward(bench.put(x), y.ptr, rows, cols);
    y.check();
    return y.f32();
  }

  it.each(shapes)("matches the oracle on $rows × $cols", ({ rows, cols }) => {
    const x = random(cols).uniform(rows * cols, -8, 8);
    const exact = rowsOf(x, cols).flatMap(softmax);
    // The bound of the docstring, with |x − max| ≤ 16, against exact values that hide 2^-50.
    const relative = (16 + Math.ceil(cols / 4) + 6) * U;
    expectWithin(softmaxOf(x, rows, cols), exact, (i) => relative * (exact[i] as number));
  });

  it.each(shapes)("has the gradient of finite differences on $rows × $cols", ({ rows, cols }) => {
    const n = rows * cols;
    const x = random(cols + 1).uniform(n, -2, 2);
    const dy = random(cols + 2).uniform(n);
    const total = (at: Float64Array): number =>
      rowsOf(at, cols)
        .flatMap(softmax)
        .reduce((sum, y, i) => sum + y * (dy[i] as number), 0);
    const y = softmaxOf(x, rows, cols);
    bench.reset();
    const dx = guarded(bench, n);
    kernels.softmaxBackward(bench.put(y), bench.put(dy), dx.ptr, rows, cols);
    dx.check();
    // |dy| and Σ |dy·y| are at most 1: the backward pass's own (⌈cols/4⌉ + 5)·2u·y, and what the relative error of
    // y, (4 + ⌈cols/4⌉ + 6)·u, makes of the factor and of the sum. The quotient is good to 1e-8.
    const steps = Math.ceil(cols / 4);
    const relative = (2 * (steps + 5) + 3 * (steps + 10)) * U;
    expectWithin(dx.f32(), numericalGradient(total, x), (i) => relative * (y[i] as number) + 1e-8);
  });

  it("works in place", () => {
    const x = random(3).uniform(18, -8, 8);
    const y = softmaxOf(x, 2, 9);
    bench.reset();
    const p = bench.put(x);
    const q = bench.put(x);
    kernels.softmaxForward(p, p, 2, 9);
    expect(bitsOf(bench.f32(p, 18))).toEqual(bitsOf(y));
    const dx = bench.alloc(18);
    kernels.softmaxBackward(p, q, dx, 2, 9);
    kernels.softmaxBackward(p, q, q, 2, 9);
    expect(bitsOf(bench.f32(q, 18))).toEqual(bitsOf(bench.f32(dx, 18)));
  });

  it("neither overflows nor loses a row to its neighbour's NaN", () => {
    const x = Float32Array.of(3e38, -3e38, 3e38, -Infinity, 0, 0, NaN, 0, 0);
    expect([...softmaxOf(x, 3, 3)]).toEqual([0.5, 0, 0.5, 0, 0.5, 0.5, NaN, NaN, NaN]);
  });
});
