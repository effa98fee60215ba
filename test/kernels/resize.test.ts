import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { resizeTable } from "../../src/kernels/resizeTable.ts";
import { resize, resizeGradient, type Resize } from "../oracles/resize.ts";
import { numericalGradient } from "../support/differences.ts";
import { bitsOf, expectWithin, gamma, U } from "../support/float.ts";
import { random } from "../support/random.ts";
import { guarded, openKernels } from "../support/wasm.ts";

const bench = openKernels();
const { kernels } = bench;

const tables = ({ h, w, rows, columns }: Resize): [number, number] => [
  bench.put(resizeTable(h, rows.length, (i) => rows[i]!)),
  bench.put(resizeTable(w, columns.length, (i) => columns[i]!)),
];

function forward(given: Resize, x: Float32Array): Float32Array {
  bench.reset();
  const { n, h, w, c, rows, columns } = given;
  const y = guarded(bench, n * rows.length * columns.length * c);
  kernels.resizeForward(...tables(given), n, h, w, c, rows.length, columns.length, bench.put(x), y.ptr);
  y.check();
  return y.f32();
}

function backward(given: Resize, dy: Float32Array): Float32Array {
  bench.reset();
  const { n, h, w, c, rows, columns } = given;
  const dx = guarded(bench, n * h * w * c);
  kernels.resizeBackward(...tables(given), n, h, w, c, rows.length, columns.length, bench.put(dy), dx.ptr);
  dx.check();
  return dx.f32();
}

const outputs = ({ n, rows, columns, c }: Resize): number => n * rows.length * columns.length * c;

/**
 * Weights are rounded once, and are exact in float64 but for the last bit of the place: one rounding more each. So each
 * term has two factors of γ₂, two products and at most three sums.
 */
const FORWARD = gamma(4 + 2 + 3);

/** Places anywhere among the input's rows or columns, upon some of them too. */
const places = (size: number): fc.Arbitrary<number[]> =>
  fc.array(
    fc.integer({ min: 0, max: 60 * (size - 1) }).map((i) => i / 60),
    { minLength: 1, maxLength: 7 },
  );

const anyCase = fc
  .record({
    n: fc.integer({ min: 1, max: 3 }),
    h: fc.integer({ min: 1, max: 5 }),
    w: fc.integer({ min: 1, max: 5 }),
    c: fc.constantFrom(1, 2, 3, 4, 5, 7, 8, 9),
  })
  .chain((sizes) =>
    fc.record({
      sizes: fc.constant(sizes),
      rows: places(sizes.h),
      columns: places(sizes.w),
      seed: fc.integer(),
    }),
  )
  .map(({ sizes, rows, columns, seed }) => ({ given: { ...sizes, rows, columns }, seed }));

const runs = { numRuns: 300, seed: 20261124 };

describe("resizing", () => {
  it("matches the oracle for any places", () => {
    fc.assert(
      fc.property(anyCase, ({ given, seed }) => {
        const x = random(seed).uniform(given.n * given.h * given.w * given.c);
        // Σ weights = 1 and |x| ≤ 1.
        expectWithin(forward(given, x), resize(given, x), () => FORWARD);
      }),
      runs,
    );
  });

  it("has the oracle's gradient for any places", () => {
    fc.assert(
      fc.property(anyCase, ({ given, seed }) => {
        const dy = random(seed).uniform(outputs(given));
        const { dx, terms, absolute } = resizeGradient(given, dy);
        // Two roundings of each weight, two products, and a sum of as many terms.
        expectWithin(backward(given, dy), dx, (i) => gamma(4 + 2 + terms[i]!) * absolute[i]!);
      }),
      runs,
    );
  });

  it.each([1, 3, 4, 6])("has the gradient of finite differences with %i channels", (c) => {
    const given = { n: 1, h: 3, w: 2, c, rows: [0, 0.25, 0.75, 1.5, 2], columns: [0, 0.5, 0.875, 1] };
    const x = random(c).uniform(6 * c);
    const dy = random(c + 1).uniform(outputs(given));
    const total = (at: Float64Array): number => resize(given, at).reduce((sum, y, i) => sum + y * dy[i]!, 0);
    // At most 20 terms of |dy| ≤ 1, rounded as above.
    expectWithin(backward(given, dy), numericalGradient(total, x), () => 20 * gamma(26) + 1e-8);
  });

  it.each([1, 4, 5])(
    "copies pixels whose place is a whole number, NaN and infinities too, with %i channels",
    (c) => {
      const x = random(c).uniform(6 * c);
      x.set([NaN, Infinity, -Infinity, -0]);
      const given = { n: 1, h: 2, w: 3, c, rows: [0, 0, 1, 1], columns: [0, 1, 2, 2] };
      const from = [0, 1, 2, 2, 0, 1, 2, 2, 3, 4, 5, 5, 3, 4, 5, 5];
      const expected = from.flatMap((pixel) => [...x.subarray(pixel * c, (pixel + 1) * c)]);
      expect(bitsOf(forward(given, x))).toEqual(bitsOf(Float32Array.from(expected)));
    },
  );

  it.each([1, 2, 3])("gives a tail of %i channels the bits of the vector body", (count) => {
    const wide = { n: 2, h: 3, w: 4, c: 4, rows: [0.1, 1.3, 2], columns: [0, 0.7, 2.2, 3] };
    const narrow = { ...wide, c: count };
    const keep = (values: Float32Array): Float32Array => values.filter((_, i) => i % 4 < count);
    const [x, dy] = [random(1).uniform(96), random(2).uniform(outputs(wide))];
    expect(bitsOf(forward(narrow, keep(x)))).toEqual(bitsOf(keep(forward(wide, x))));
    expect(bitsOf(backward(narrow, keep(dy)))).toEqual(bitsOf(keep(backward(wide, dy))));
  });
});

describe("resizeTable", () => {
  const lines = (table: Int32Array): number[][] => {
    const weights = new Float32Array(table.buffer);
    return Array.from({ length: table.length / 4 }, (_, i) => [
      ...table.subarray(4 * i, 4 * i + 2),
      ...weights.subarray(4 * i + 2, 4 * i + 4),
    ]);
  };

  it("holds the neighbours of each place and their weights, and the last row beyond the ends", () => {
    const at = [-0.5, 0, 0.25, 1, 1.75, 2, 2.5];
    expect(lines(resizeTable(3, 7, (i) => at[i]!))).toEqual([
      [0, 0, 1, 0],
      [0, 0, 1, 0],
      [0, 1, 0.75, 0.25],
      [1, 1, 1, 0],
      [1, 2, 0.25, 0.75],
      [2, 2, 1, 0],
      [2, 2, 1, 0],
    ]);
  });

  it("has weights whose sum is 1 but for their rounding", () => {
    for (const [, , a, b] of lines(resizeTable(100, 1000, (i) => i / 11))) {
      expect(Math.abs(a! + b! - 1)).toBeLessThanOrEqual(2 * U);
    }
  });
});
