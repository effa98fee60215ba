import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { BROADCAST } from "../../src/kernels/kernels.ts";
import { broadcastTable } from "../../src/kernels/layouts.ts";
import { broadcast } from "../oracles/strided.ts";
import { bitsOf, fromBits, SMALLEST, ulpError } from "../support/float.ts";
import { random } from "../support/random.ts";
import { guarded, openKernels } from "../support/wasm.ts";

const bench = openKernels();
const { kernels } = bench;

/** Each float64 result rounds to what float32 arithmetic gives. */
const KINDS = new Map<number, (a: number, b: number) => number>([
  [BROADCAST.add, (a, b) => a + b],
  [BROADCAST.sub, (a, b) => a - b],
  [BROADCAST.mul, (a, b) => a * b],
  [BROADCAST.div, (a, b) => a / b],
  [BROADCAST.min, Math.min],
  [BROADCAST.max, Math.max],
  [BROADCAST.first, (a) => a],
]);
const POW = BROADCAST.pow;

const sizeOf = (shape: readonly number[]): number => shape.reduce((product, size) => product * size, 1);

interface Operand {
  readonly data: Float32Array;
  /** The shape of one image. */
  readonly shape: readonly number[];
  readonly perImage: boolean;
}

function operand(seed: number, n: number, shape: readonly number[], perImage: boolean): Operand {
  return { data: random(seed).uniform((perImage ? n : 1) * sizeOf(shape), 0.5, 2), shape, perImage };
}

function run(kind: number, n: number, shape: readonly number[], a: Operand, b: Operand): Float32Array {
  bench.reset();
  const table = broadcastTable(shape, [a.shape, b.shape], [a.perImage, b.perImage]);
  const y = guarded(bench, n * sizeOf(shape));
  kernels.broadcastForward(kind, bench.put(table), n, bench.put(a.data), bench.put(b.data), y.ptr);
  y.check();
  return y.f32();
}

function expected(kind: number, n: number, shape: readonly number[], a: Operand, b: Operand): number[] {
  const whole = ({ data, shape: own, perImage }: Operand): { data: Float32Array; shape: number[] } => ({
    data,
    shape: [perImage ? n : 1, ...own],
  });
  return broadcast([n, ...shape], whole(a), whole(b), KINDS.get(kind)!);
}

describe("broadcastForward", () => {
  it.each([
    ["both whole", [5, 7], [5, 7], [5, 7]],
    ["one number", [5, 9], [1, 1], [5, 9]],
    ["a row for all rows", [6, 17], [6, 17], [1, 17]],
    ["a number a row", [6, 17], [6, 1], [6, 17]],
    ["a column and a row", [3, 5], [3, 1], [1, 5]],
    ["six axes, every other repeated", [2, 3, 2, 3, 2, 5], [2, 1, 2, 1, 2, 1], [1, 3, 1, 3, 1, 5]],
    ["a single element", [1], [1], [1]],
    ["no axes", [], [], []],
  ])("combines %s", (_, shape, left, right) => {
    for (const perImage of [true, false]) {
      const [a, b] = [operand(1, 3, left, true), operand(2, 3, right, perImage)];
      for (const kind of KINDS.keys()) {
        const exact = Float32Array.from(expected(kind, 3, shape, a, b));
        expect(bitsOf(run(kind, 3, shape, a, b))).toEqual(bitsOf(exact));
      }
    }
  });

  it("combines any shapes that fit together", () => {
    const axis = fc.record({
      size: fc.integer({ min: 1, max: 6 }),
      repeats: fc.constantFrom("a", "b", "neither"),
    });
    const cases = fc.record({
      axes: fc.array(axis, { maxLength: 5 }),
      n: fc.integer({ min: 1, max: 3 }),
      kind: fc.constantFrom(...KINDS.keys()),
      perImage: fc.tuple(fc.boolean(), fc.boolean()),
    });
    fc.assert(
      fc.property(cases, ({ axes, n, kind, perImage }) => {
        const of = (name: string): number[] => axes.map(({ size, repeats }) => (repeats === name ? 1 : size));
        const shape = axes.map(({ size }) => size);
        const [a, b] = [operand(1, n, of("a"), perImage[0]), operand(2, n, of("b"), perImage[1])];
        const exact = Float32Array.from(expected(kind, n, shape, a, b));
        expect(bitsOf(run(kind, n, shape, a, b))).toEqual(bitsOf(exact));
      }),
      { seed: 5, numRuns: 300 },
    );
  });

  it("merges axes that go on evenly, and only those", () => {
    // Axes with the images', elements; then size and steps from the innermost outwards.
    expect([
      ...broadcastTable(
        [2, 3, 4, 5],
        [
          [2, 3, 4, 5],
          [1, 3, 1, 1],
        ],
      ),
    ]).toEqual([4, 120, 20, 1, 0, 3, 20, 1, 2, 60, 0, 1, 120, 3]);
  });

  it("keeps NaN in minima and maxima", () => {
    const [a, b] = [Float32Array.of(NaN, 1, 2), Float32Array.of(1, NaN, 3)];
    for (const kind of [BROADCAST.min, BROADCAST.max]) {
      const of = (data: Float32Array): Operand => ({ data, shape: [3], perImage: true });
      expect([...run(kind, 1, [3], of(a), of(b))]).toEqual([NaN, NaN, kind === BROADCAST.min ? 2 : 3]);
    }
  });
});

describe("what gradients are made of", () => {
  const { share: SHARE, keep: KEEP, drop: DROP, join: JOIN, baseSlope: BASE_SLOPE } = BROADCAST;
  const EXPONENT_SLOPE = BROADCAST.exponentSlope;
  const of = (kind: number, a: Float32Array, b: Float32Array): Float32Array => {
    const whole = (data: Float32Array): Operand => ({ data, shape: [data.length], perImage: true });
    return run(kind, 1, [a.length], whole(a), whole(b));
  };

  it("a maximum is all of the larger, and half of each of two that are equal", () => {
    const [a, b] = [
      [1, 2, 3, -0, Infinity, -Infinity, NaN],
      [2, 2, 2, 0, Infinity, 1, 1],
    ].map((values) => Float32Array.from(values)) as [Float32Array, Float32Array];
    expect([...of(SHARE, a, b)]).toEqual([0, 0.5, 1, 0.5, 0.5, 0, 1]);
    expect([...of(SHARE, b, a)]).toEqual([1, 0.5, 0, 0.5, 0.5, 1, 1]);
  });

  it("what is chosen keeps its bits, and the rest is 0", () => {
    const a = Float32Array.of(-0, NaN, Infinity, 1, -2, 3, 4);
    const b = new Float32Array(Int32Array.of(1, 0, 1, 0, -1, 1, 0).buffer);
    const kept = of(KEEP, a, b);
    expect(bitsOf(kept)).toEqual(bitsOf(Float32Array.of(-0, 0, Infinity, 0, -2, 3, 0)));
    const dropped = of(DROP, a, b);
    expect([...dropped]).toEqual([0, NaN, 0, 1, 0, 0, 4]);
    expect(bitsOf(of(JOIN, kept, dropped))).toEqual(bitsOf(a));
  });

  it("slopes of powers are the textbook's", () => {
    const { uniform } = random(8);
    const [x, y] = [uniform(4003, -2, 2).map(Math.exp), uniform(4003, -4, 4)];
    const [byBase, byExponent] = [of(BASE_SLOPE, x, y), of(EXPONENT_SLOPE, x, y)];
    for (let i = 0; i < x.length; i++) {
      const ln = Math.log(x[i]!);
      const [base, exponent] = [y[i]! * x[i]! ** (y[i]! - 1), x[i]! ** y[i]! * ln];
      const bound = (1.01 + Math.abs((y[i]! - 1) * ln) / 2) * 2 ** -23 * Math.abs(base);
      expect(Math.abs(byBase[i]! - base)).toBeLessThanOrEqual(bound);
      expect(Math.abs(byExponent[i]! - exponent)).toBeLessThanOrEqual(1.51 * 2 ** -23 * Math.abs(exponent));
    }
    // A power of 0 is 1 everywhere, and 0 to any power of 0 or more stays what it is near by.
    expect([...of(BASE_SLOPE, Float32Array.of(0, 2, 0, -3), Float32Array.of(0, 0, 2, 2))]).toEqual([
      0, 0, 0, -6,
    ]);
    expect([...of(EXPONENT_SLOPE, Float32Array.of(0, 0, 1), Float32Array.of(0, 2, 5))]).toEqual([0, 0, 0]);
  });
});

describe("powers", () => {
  const power = (x: Float32Array, y: Float32Array): Float32Array => {
    const of = (data: Float32Array): Operand => ({ data, shape: [data.length], perImage: true });
    return run(POW, 1, [x.length], of(x), of(y));
  };

  it("are within 0.501 ULP", () => {
    const { uniform } = random(3);
    const n = 40_000;
    const exponents = uniform(n, -20, 20);
    const [x, y] = [uniform(n, -3, 3).map(Math.exp), exponents];
    const actual = power(x, y);
    for (let i = 0; i < n; i++) {
      const exact = x[i]! ** y[i]!;
      // A subnormal result has the spacing of the smallest.
      const bound = Math.abs(exact) < 2 ** -126 ? SMALLEST : 0;
      expect(Math.abs(actual[i]! - exact) <= bound || ulpError(actual[i]!, exact) <= 0.501).toBe(true);
    }
  });

  it("of whole exponents are exact where float32 holds them, with their signs", () => {
    const bases = Float32Array.of(-3, -2, -1, 2, 3, 5, -5, 10);
    for (const exponent of [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]) {
      const y = power(bases, new Float32Array(bases.length).fill(exponent));
      expect([...y]).toEqual(Array.from(bases, (x) => x ** exponent));
    }
  });

  it("treat zeros, infinities and NaN as C does", () => {
    const values = [
      0,
      -0,
      1,
      -1,
      2,
      -2,
      0.5,
      -0.5,
      Infinity,
      -Infinity,
      NaN,
      3,
      -3,
      1.5,
      2 ** 24,
      fromBits(1),
    ];
    for (const exponent of values) {
      const y = power(Float32Array.from(values), new Float32Array(values.length).fill(exponent));
      values.forEach((x, i) => {
        // C has 1 where JavaScript has NaN.
        const one = x === 1 || (Math.abs(x) === 1 && Math.abs(exponent) === Infinity);
        expect([x, exponent, y[i]]).toEqual([x, exponent, one ? 1 : Math.fround(x ** exponent)]);
      });
    }
  });
});
