import { describe, expect, it } from "vitest";
import { guarded, openKernels } from "../support/wasm.ts";
import { random } from "../support/random.ts";
import { numericalGradient } from "../support/differences.ts";
import { bitsOf, expectWithin, sweep, U } from "../support/float.ts";
import {
  activation,
  ELEMENTWISE,
  ELU,
  HARD_SIGMOID,
  HARD_SWISH,
  LEAKY_RELU,
  LINEAR,
  RELU,
  RELU6,
  rowsOf,
  softmax,
} from "../oracles/activation.ts";

const bench = openKernels();
const { kernels } = bench;
const SIZES = [0, 1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 33];

function forward(kind: number, alpha: number, x: Float32Array): Float32Array {
  bench.reset();
  const y = guarded(bench, x.length);
  kernels.activationForward(kind, alpha, bench.put(x), y.ptr, x.length);
  y.check();
  return y.f32();
}

/** The gradient from the output, or from the input of those that need it. */
function backward(kind: number, alpha: number, read: Float32Array, dy: Float32Array): Float32Array {
  bench.reset();
  const dx = guarded(bench, dy.length);
  kernels.activationBackward(kind, alpha, bench.put(read), bench.put(dy), dx.ptr, dy.length);
  dx.check();
  return dx.f32();
}

describe.each(ELEMENTWISE)("$name", ({ code, alpha, fromInput, bound }) => {
  it.each(SIZES)("matches the oracle on %i elements", (n) => {
    const x = random(n + 1).uniform(n, -9, 9);
    const exact = Array.from(x, (value) => activation(code, alpha, value));
    expectWithin(forward(code, alpha, x), exact, (i) => bound(x[i]!, exact[i]!));
  });

  it.each([0, 1])("is within its bound over all float32 of sign %i", (sign) => {
    const x = sweep(sign, 19_937);
    const exact = Array.from(x, (value) => activation(code, alpha, value));
    const y = forward(code, alpha, x);
    const finite = [...y].map((value, i) => (Object.is(value, Math.fround(exact[i]!)) ? exact[i]! : value));
    expectWithin(finite, exact, (i) => bound(x[i]!, exact[i]!));
  });

  it.each(SIZES)("has the gradient of finite differences on %i elements", (n) => {
    // 1/32 away from the kinks at 0, ±2.5, ±3 and 6, where the difference quotient has no meaning.
    const x = random(n + 2)
      .uniform(n, -8, 8)
      .map((value) => Math.round(value * 16) / 16 + 1 / 32);
    const dy = random(n + 3).uniform(n);
    const total = (at: Float64Array): number =>
      at.reduce((sum, value, i) => sum + dy[i]! * activation(code, alpha, value), 0);
    const dx = backward(code, alpha, fromInput ? x : forward(code, alpha, x), dy);
    // f′ is off by 12u, and the product rounds |f′| ≤ 1.76 again; the quotient itself is good to h² and to rounding
    // errors of 2^-53·Σ|y| / h.
    expectWithin(dx, numericalGradient(total, x), (i) => 14 * U * Math.abs(dy[i]!) + 1e-8);
  });

  it("gives a tail the bits of the vector body, also in place", () => {
    const x = random(5).uniform(11, -7, 7);
    const dy = random(6).uniform(11, -3, 3);
    const y = forward(code, alpha, x);
    const alone = x.map((value) => forward(code, alpha, Float32Array.of(value, 0, 0, 0))[0]!);
    expect(bitsOf(y)).toEqual(bitsOf(alone));
    const dx = backward(code, alpha, y, dy);
    const dxAlone = y.map(
      (value, i) =>
        backward(code, alpha, Float32Array.of(value, 0, 0, 0), Float32Array.of(dy[i]!, 0, 0, 0))[0]!,
    );
    expect(bitsOf(dx)).toEqual(bitsOf(dxAlone));

    bench.reset();
    const p = bench.put(x);
    const q = bench.put(dy);
    kernels.activationForward(code, alpha, p, p, x.length);
    kernels.activationBackward(code, alpha, p, q, q, x.length);
    expect(bitsOf(bench.f32(p, x.length))).toEqual(bitsOf(y));
    expect(bitsOf(bench.f32(q, x.length))).toEqual(bitsOf(dx));
  });

  it("has a slope as far as numbers go", () => {
    const x = Float32Array.of(-3e38, -1e30, -1e19, -104, 104, 1e19, 1e30, 3e38);
    const slopes = backward(code, alpha, fromInput ? x : forward(code, alpha, x), x.map(Math.sign));
    expect([...slopes].every(Number.isFinite)).toBe(true);
  });

  if (fromInput)
    it("has slopes of 0 and 1 far out, and at infinity", () => {
      const x = Float32Array.of(-Infinity, -3e38, -1e19, -1e17, -200, 200, 1e17, 1e19, 3e38, Infinity);
      const slopes = backward(
        code,
        alpha,
        x,
        x.map(() => 1),
      );
      expectWithin(
        slopes,
        x.map((value) => +(value > 0)),
        () => 12 * U,
      );
    });

  it("keeps NaN", () => {
    const y = forward(code, alpha, Float32Array.of(NaN, 1, NaN, 2, NaN));
    expect([...y].map(Number.isNaN)).toEqual([true, false, true, false, true]);
  });
});

describe.each([
  ["leakyRelu", LEAKY_RELU, 3],
  ["elu", ELU, 5],
  ["elu", ELU, 100],
] as const)("%s of a parameter above 1", (_, code, alpha) => {
  it("has slopes within 12u of it", () => {
    const x = Float32Array.from({ length: 500 }, (__, i) => -i / 16 - 1 / 32);
    const slopes = backward(
      code,
      alpha,
      forward(code, alpha, x),
      x.map(() => 1),
    );
    const exact = Array.from(x, (value) => (code === ELU ? alpha * Math.exp(value) : alpha));
    expectWithin(slopes, exact, () => 12 * U * alpha);
  });
});

describe("the gradient at a kink", () => {
  const ones = (n: number): Float32Array => new Float32Array(n).fill(1);

  it("of hard swish is that of the outer side", () => {
    expect([...backward(HARD_SWISH, 0, Float32Array.of(-3, 3), ones(2))]).toEqual([0, 1]);
  });

  it("of relu6 and hard sigmoid is that of the flat side", () => {
    expect([...backward(RELU6, 0, Float32Array.of(0, 6), ones(2))]).toEqual([0, 0]);
    expect([...backward(HARD_SIGMOID, 0.25, Float32Array.of(0, 1), ones(2))]).toEqual([0, 0]);
  });
});

describe("a flat side", () => {
  it.each([
    ["relu", RELU, [0]],
    ["relu6", RELU6, [0, 6]],
    ["hardSigmoid", HARD_SIGMOID, [0, 1]],
    ["hardSwish", HARD_SWISH, [-Infinity, -4]],
  ] as const)("of %s takes every gradient to +0", (_, code, flat) => {
    const dys = Float32Array.of(1, -1, Infinity, -Infinity, NaN);
    for (const s of flat)
      expect([
        ...backward(
          code,
          0.25,
          dys.map(() => s),
          dys,
        ),
      ]).toEqual([0, 0, 0, 0, 0]);
  });
});

describe("the gradient at NaN", () => {
  const numbers: Readonly<Record<number, number>> = {
    [LINEAR]: 2,
    [RELU]: 2,
    [RELU6]: 2,
    [HARD_SIGMOID]: 0.5,
    [LEAKY_RELU]: 0.5,
  };

  it.each(ELEMENTWISE)("of $name is as documented", ({ code }) => {
    expect(backward(code, 0.25, Float32Array.of(NaN), Float32Array.of(2))[0]).toBe(numbers[code] ?? NaN);
  });
});

describe("the gradient at zero", () => {
  const zeros = Float32Array.of(0, -0, 0, -0, 0);
  const dy = Float32Array.of(2, 2, -2, 2, 2);

  it("is that of the negative side, as PyTorch has it", () => {
    expect([...backward(RELU, 0, zeros, dy)]).toEqual([0, 0, 0, 0, 0]);
    expect([...backward(LEAKY_RELU, 0.125, zeros, dy)]).toEqual([0.25, 0.25, -0.25, 0.25, 0.25]);
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
