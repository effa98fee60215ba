import { describe, expect, it } from "vitest";
import { guarded, openKernels } from "../support/wasm.ts";
import { bitsOf, fromBits, SMALLEST, sweep, ulpError } from "../support/float.ts";
import { SIGMOID, sigmoid, TANH } from "../oracles/activation.ts";
import { UNARIES } from "../oracles/unary.ts";

const SILU = 11;
const bench = openKernels();
const { kernels } = bench;

type Kernel = (x: number, y: number, n: number) => void;

interface Case {
  name: string;
  run: Kernel;
  exact: (x: number) => number;
  /** ULP that the kernel's docstring promises. */
  bound: number;
  /** The values at −∞, −0, +0, +∞. */
  limits: [number, number, number, number];
  signs: number[];
}

const [EXP, LOG] = [UNARIES.indexOf("exp"), UNARIES.indexOf("log")];
const exp: Kernel = (x, y, n) => kernels.unaryForward(EXP, 0, 0, x, y, n);
const log: Kernel = (x, y, n) => kernels.unaryForward(LOG, 0, 0, x, y, n);

const cases: Case[] = [
  {
    name: "exp",
    run: exp,
    exact: Math.exp,
    bound: 1,
    limits: [0, 1, 1, Infinity],
    signs: [0, 1],
  },
  {
    name: "log",
    run: log,
    exact: Math.log,
    bound: 0.501,
    limits: [NaN, -Infinity, -Infinity, Infinity],
    signs: [0],
  },
  {
    name: "sigmoid",
    run: (x, y, n) => kernels.activationForward(SIGMOID, 0, x, y, n),
    exact: sigmoid,
    bound: 3,
    limits: [0, 0.5, 0.5, 1],
    signs: [0, 1],
  },
  {
    name: "tanh",
    run: (x, y, n) => kernels.activationForward(TANH, 0, x, y, n),
    exact: Math.tanh,
    bound: 3,
    limits: [-1, -0, 0, 1],
    signs: [0, 1],
  },
];

function apply(run: Kernel, x: Float32Array): Float32Array {
  bench.reset();
  const y = guarded(bench, x.length);
  run(bench.put(x), y.ptr, x.length);
  y.check();
  return y.f32();
}

function worstError(actual: Float32Array, x: Float32Array, exact: Case["exact"]): number {
  let worst = 0;
  for (let i = 0; i < x.length; i++) {
    const error = ulpError(actual[i] as number, exact(x[i] as number));
    if (!(error <= worst)) worst = error;
  }
  return worst;
}

describe.each(cases)("$name", ({ name, run, exact, bound, limits, signs }) => {
  it(`is within ${bound} ULP over all of float32`, () => {
    const errors = signs.map((sign) => {
      const x = sweep(sign, 2137);
      return worstError(apply(run, x), x, exact);
    });
    console.log(`${name}: ${Math.max(...errors).toFixed(3)} ULP`);
    expect(Math.max(...errors)).toBeLessThanOrEqual(bound);
  });

  it(`is within ${bound} ULP in [-20, 20]`, () => {
    const x = Float32Array.from({ length: 200_001 }, (_, i) => (i - 100_000) / 5000).filter(
      (value) => value > 0 || signs.length === 2,
    );
    expect(worstError(apply(run, x), x, exact)).toBeLessThanOrEqual(bound);
  });

  it("has the right limits and keeps NaN", () => {
    const y = apply(run, Float32Array.of(-Infinity, -0, 0, Infinity, NaN));
    expect([...y]).toEqual([...limits, NaN]);
  });

  it.each([1, 2, 3, 4, 5, 7, 8, 9, 17])("gives an element the same bits in any of %i places", (n) => {
    const x = Float32Array.from({ length: n }, (_, i) => 0.37 + i * 1.3);
    const alone = x.map((value) => apply(run, Float32Array.of(value, 0, 0, 0))[0] as number);
    expect(bitsOf(apply(run, x))).toEqual(bitsOf(alone));
  });
});

describe("exp at the ends of its range", () => {
  const at = (x: number): number => apply(exp, Float32Array.of(x))[0] as number;

  it("overflows to infinity where float32 does", () => {
    expect(at(88.72283)).toBeLessThan(Infinity);
    expect(at(88.7229)).toBe(Infinity);
    expect(at(3e38)).toBe(Infinity);
  });

  it("underflows gradually to zero", () => {
    expect(at(-103.9)).toBe(SMALLEST);
    expect(at(-103.98)).toBe(0);
    expect(at(-1e30)).toBe(0);
  });
});

describe("log of special values", () => {
  it("is NaN below zero and right for the smallest subnormal", () => {
    const y = apply(log, Float32Array.of(-1, -1e-40, fromBits(1), 1));
    expect([...y]).toEqual([NaN, NaN, Math.fround(Math.log(SMALLEST)), 0]);
  });
});

describe("silu", () => {
  const silu: Kernel = (x, y, n) => kernels.activationForward(SILU, 0, x, y, n);
  const exact = (x: number): number => x * sigmoid(x);
  /** Below, silu stays what it is there. */
  const LOWEST = -88.3;

  it("is within (4 − 1.5·min(x, 0)) ULP over all of float32 from there on", () => {
    const steps = Float32Array.from({ length: 200_001 }, (_, i) => (i - 176_000) / 2000);
    for (const x of [sweep(0, 2137), sweep(1, 2137), steps]) {
      const y = apply(silu, x);
      const beyond = x.filter(
        (value, i) => value > LOWEST && !(ulpError(y[i]!, exact(value)) <= 4 - 1.5 * Math.min(value, 0)),
      );
      expect([...beyond]).toEqual([]);
    }
  });

  it("is as good as zero below, and itself far above", () => {
    const x = sweep(1, 2137).filter((value) => value <= LOWEST);
    expect(apply(silu, x).every((y) => Math.abs(y) <= 4e-37)).toBe(true);
    const last = apply(silu, Float32Array.of(LOWEST))[0]!;
    expect([...apply(silu, Float32Array.of(-Infinity, -100, -0, 0, 3e38, Infinity, NaN))]).toEqual([
      last,
      last,
      -0,
      0,
      Math.fround(3e38),
      Infinity,
      NaN,
    ]);
  });

  it.each([1, 3, 4, 5, 15, 16, 17, 33])("gives an element the same bits in any of %i places", (n) => {
    const x = Float32Array.from({ length: n }, (_, i) => 0.37 + i * 1.3);
    const alone = x.map((value) => apply(silu, Float32Array.of(value, 0, 0, 0))[0] as number);
    expect(bitsOf(apply(silu, x))).toEqual(bitsOf(alone));
  });
});
