import { describe, expect, it } from "vitest";
import { UNARY } from "../../src/kernels/kernels.ts";
import { UNARIES, unary, unarySlope, type Unary } from "../oracles/unary.ts";
import { bitsOf, fromBits, SMALLEST, U, ulp } from "../support/float.ts";
import { random } from "../support/random.ts";
import { guarded, openKernels } from "../support/wasm.ts";

const bench = openKernels();
const { kernels } = bench;
const [ALPHA, BETA] = [-0.75, 1.25];
const SIZES = [0, 1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 33];

/** ULP that the kernel's docstring promises. */
const ULPS: Readonly<Record<Unary, number>> = {
  abs: 0,
  neg: 0,
  sqrt: 0.5,
  reciprocal: 0.5,
  exp: 1,
  log: 0.501,
  erf: 3,
  softsign: 2,
  threshold: 0,
  clip: 0,
  exponential: 5,
  floor: 0,
  ceil: 0,
  round: 0,
  sign: 0,
};

function forward(kind: Unary, x: Float32Array, alpha = ALPHA, beta = BETA): Float32Array {
  bench.reset();
  const y = guarded(bench, x.length);
  kernels.unaryForward(UNARY[kind], alpha, beta, bench.put(x), y.ptr, x.length);
  y.check();
  return y.f32();
}

function backward(kind: Unary, x: Float32Array, dy: Float32Array): Float32Array {
  bench.reset();
  const dx = guarded(bench, x.length);
  const code = UNARY[kind];
  kernels.unaryBackward(code, ALPHA, BETA, bench.put(x), bench.put(dy), dx.ptr, x.length);
  dx.check();
  return dx.f32();
}

/** Every so-many-th float32 below a magnitude, of both signs unless the function wants none. */
function sweep(kind: Unary, step: number): Float32Array {
  const highest = 0x7f800000;
  const count = Math.floor(highest / step);
  const positive = Array.from({ length: count }, (_, i) => fromBits(i * step));
  const signed = kind === "sqrt" || kind === "log" ? positive : positive.flatMap((x) => [x, -x]);
  return Float32Array.from(signed);
}

describe.each(UNARIES)("%s", (kind) => {
  it("keeps its bound over all magnitudes", () => {
    const x = sweep(kind, 40_009);
    const y = forward(kind, x);
    x.forEach((value, i) => {
      const exact = unary(kind, ALPHA, BETA, value);
      // The exponent of the kind beside its bound.
      const ulps = ULPS[kind] + (kind === "exponential" && value < 0 ? Math.abs(BETA * value) : 0);
      const same = Object.is(y[i], Math.fround(exact)) || y[i] === Math.fround(exact);
      if (!same) expect(Math.abs(y[i]! - exact)).toBeLessThanOrEqual(ulps * ulp(exact) + SMALLEST);
    });
  });

  it.each(SIZES)("gives %i elements the bits of single ones, also in place", (n) => {
    const x = random(n + 1).uniform(n, 0.1, 3);
    const y = forward(kind, x);
    const alone = Float32Array.from(x, (value) => forward(kind, Float32Array.of(value))[0]!);
    expect(bitsOf(y)).toEqual(bitsOf(alone));
    bench.reset();
    const p = bench.put(x);
    kernels.unaryForward(UNARY[kind], ALPHA, BETA, p, p, n);
    expect(bitsOf(bench.f32(p, n))).toEqual(bitsOf(y));
  });

  it.each(SIZES)("has the slope of its formula at %i elements", (n) => {
    const positive = kind === "sqrt" || kind === "log";
    const x = random(n + 2).uniform(n, positive ? 0.1 : -2.5, 2.5);
    const dy = random(n + 3).uniform(n);
    const dx = backward(kind, x, dy);
    x.forEach((value, i) => {
      const exact = unarySlope(kind, ALPHA, BETA, value) * dy[i]!;
      const exponent = { erf: 2 * value * value + 2, exponential: Math.abs(BETA * value) };
      const units = 8 + 2 + ((exponent as Partial<Record<Unary, number>>)[kind] ?? 0);
      expect(Math.abs(dx[i]! - exact)).toBeLessThanOrEqual(units * U * Math.abs(exact));
    });
  });

  it("keeps NaN, unless ONNX has 0 for it, and has the documented gradient there", () => {
    // ThresholdedRelu is x where x > alpha, and 0 otherwise.
    const atNaN = kind === "threshold" ? 0 : NaN;
    expect(forward(kind, Float32Array.of(1, NaN, 2))[1]).toBe(atNaN);
    const numbers = { neg: -2, threshold: 0, clip: 2, floor: 0, ceil: 0, round: 0, sign: 0 };
    const expected = (numbers as Partial<Record<Unary, number>>)[kind] ?? NaN;
    expect(backward(kind, Float32Array.of(NaN), Float32Array.of(2))[0]).toBe(expected);
  });
});

describe("limits", () => {
  const values = Float32Array.of(-Infinity, -0, 0, Infinity);
  it.each([
    ["abs", [Infinity, 0, 0, Infinity]],
    ["neg", [Infinity, 0, -0, -Infinity]],
    ["sqrt", [NaN, -0, 0, Infinity]],
    ["reciprocal", [-0, -Infinity, Infinity, 0]],
    ["exp", [0, 1, 1, Infinity]],
    ["log", [NaN, -Infinity, -Infinity, Infinity]],
    ["erf", [-1, -0, 0, 1]],
    ["threshold", [0, 0, 0, Infinity]],
    ["clip", [ALPHA, -0, 0, BETA]],
    ["exponential", [-1, -0, 0, Infinity]],
    ["sign", [-1, -0, 0, 1]],
  ] as const)("of %s", (kind, expected) => {
    const alpha = kind === "clip" ? ALPHA : kind === "threshold" ? 0 : 1;
    expect([...forward(kind, values, alpha)]).toEqual(expected);
  });

  it("round halves to even", () => {
    const x = Float32Array.of(-2.5, -1.5, -0.5, 0.5, 1.5, 2.5);
    expect([...forward("round", x)]).toEqual([-2, -2, -0, 0, 2, 2]);
  });

  it.each([
    ["threshold", [ALPHA, -Infinity]],
    ["clip", [-1, 2]],
    ["sign", [-1, 1]],
  ] as const)("takes every gradient to +0 where %s is flat", (kind, flat) => {
    const dys = Float32Array.of(1, -1, Infinity, -Infinity, NaN);
    for (const x of flat)
      expect([
        ...backward(
          kind,
          dys.map(() => x),
          dys,
        ),
      ]).toEqual([0, 0, 0, 0, 0]);
  });

  it("puts the bounds of a clip, and a kink, where PyTorch does", () => {
    const ones = new Float32Array(4).fill(1);
    expect([...backward("clip", Float32Array.of(ALPHA, BETA, -0.8, 1.3), ones)]).toEqual([1, 1, 0, 0]);
    expect([...backward("abs", Float32Array.of(0, -0, 2, -2), ones)]).toEqual([0, -0, 1, -1]);
    expect([...backward("threshold", Float32Array.of(ALPHA, -0.7, -1, 3), ones)]).toEqual([0, 1, 0, 1]);
  });
});
