import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { tapsOf } from "../../src/layers/take.ts";
import { taps, tapsGradient, type Taps } from "../oracles/taps.ts";
import { numericalGradient } from "../support/differences.ts";
import { bitsOf, expectWithin, gamma } from "../support/float.ts";
import { random } from "../support/random.ts";
import { guarded, openKernels } from "../support/wasm.ts";

const bench = openKernels();
const { kernels } = bench;

/** The matrix as a table: the weights that are not 0, in ascending order of indices. */
function tableOf({ from, matrix, fill }: Taps): Int32Array {
  const blends = matrix.map((weights) =>
    weights.flatMap((weight, index): [number, number][] => (weight === 0 ? [] : [[index, weight]])),
  );
  const indices = blends.map((blend) => (blend.length === 0 ? -1 : blend[0]![0]));
  return tapsOf({ from, indices, blends, fill }, true);
}

function forward(given: Taps, x: Float32Array | Int32Array, table = tableOf(given)): Float32Array {
  bench.reset();
  const { outer, from, inner, matrix } = given;
  const y = guarded(bench, outer * matrix.length * inner);
  kernels.tapsForward(bench.put(table), outer, from, matrix.length, inner, bench.put(x), y.ptr);
  y.check();
  return y.f32();
}

function backward(given: Taps, dy: Float32Array): Float32Array {
  bench.reset();
  const { outer, from, inner, matrix } = given;
  const dx = guarded(bench, outer * from * inner);
  kernels.tapsBackward(bench.put(tableOf(given)), outer, from, matrix.length, inner, bench.put(dy), dx.ptr);
  dx.check();
  return dx.f32();
}

const anyCase = fc
  .record({
    outer: fc.integer({ min: 1, max: 3 }),
    from: fc.integer({ min: 1, max: 6 }),
    to: fc.integer({ min: 1, max: 6 }),
    inner: fc.constantFrom(1, 2, 3, 4, 5, 7, 8, 9),
    seed: fc.integer(),
  })
  .map(({ to, seed, ...sizes }) => {
    const draw = random(seed);
    // Each weight is 0, 1 or another float32.
    const matrix = Array.from({ length: to }, () =>
      Array.from({ length: sizes.from }, () => {
        const kind = draw.integer(0, 3);
        return kind < 2 ? kind : kind === 2 ? 0 : draw.uniform(1)[0]!;
      }),
    );
    return { given: { ...sizes, matrix, fill: 0.5 }, draw };
  });

const runs = { numRuns: 300, seed: 20261128 };

describe("sums along an axis", () => {
  it("match the oracle for any weights", () => {
    fc.assert(
      fc.property(anyCase, ({ given, draw }) => {
        const x = draw.uniform(given.outer * given.from * given.inner);
        // At most `from` products of numbers of at most 1.
        expectWithin(forward(given, x), taps(given, x), () => gamma(given.from) * given.from);
      }),
      runs,
    );
  });

  it("have the oracle's gradient for any weights", () => {
    fc.assert(
      fc.property(anyCase, ({ given, draw }) => {
        const to = given.matrix.length;
        const dy = draw.uniform(given.outer * to * given.inner);
        expectWithin(backward(given, dy), tapsGradient(given, dy), () => gamma(to + 1) * to);
      }),
      runs,
    );
  });

  it.each([1, 4, 6])("have the gradient of finite differences with %i elements in a row", (inner) => {
    const matrix = [
      [-0.1, 0.8, 0.4, -0.1],
      [0, 1, 0, 0],
      [0, 0, 0, 0],
      [0.5, 0, 0, 0.5],
      [0, 1, 0, 0],
    ];
    const given = { outer: 2, from: 4, inner, matrix, fill: 3 };
    const [x, dy] = [random(inner).uniform(8 * inner), random(inner + 1).uniform(10 * inner)];
    const total = (at: Float64Array): number => taps(given, at).reduce((sum, y, i) => sum + y * dy[i]!, 0);
    // At most five terms of |weight·dy| ≤ 1.
    expectWithin(backward(given, dy), numericalGradient(total, x), () => 5 * gamma(6) + 1e-8);
  });

  it.each([1, 4, 5])("copy the bits of floats and of integers, %i in a row", (inner) => {
    const matrix = [
      [0, 1],
      [1, 0],
      [0, 1],
    ];
    const given = { outer: 2, from: 2, inner, matrix, fill: 0 };
    const x = Int32Array.from({ length: 4 * inner }, (_, i) => 0x7fa00000 + i);
    const rows = [1, 0, 1, 3, 2, 3].flatMap((row) => [...x.subarray(row * inner, (row + 1) * inner)]);
    expect([...new Int32Array(forward(given, x).buffer)]).toEqual(rows);
  });

  it("are filled with a float or an integer where they have no terms", () => {
    const given = { outer: 1, from: 1, inner: 3, matrix: [[0], [1]], fill: -Infinity };
    expect([...forward(given, Float32Array.of(1, 2, 3))]).toEqual([-Infinity, -Infinity, -Infinity, 1, 2, 3]);
    const integers = tapsOf({ from: 1, indices: [-1, 0], fill: -7 }, false);
    const y = forward(given, Int32Array.of(1, 2, 3), integers);
    expect([...new Int32Array(y.buffer)]).toEqual([-7, -7, -7, 1, 2, 3]);
  });

  it.each([1, 2, 3])("give a tail of %i elements the bits of the vector body", (count) => {
    const matrix = [
      [0.3, 0.7],
      [0.9, 0.1],
      [0, 1],
    ];
    const wide = { outer: 2, from: 2, inner: 4, matrix, fill: 0 };
    const keep = (values: Float32Array): Float32Array => values.filter((_, i) => i % 4 < count);
    const narrow = { ...wide, inner: count };
    const [x, dy] = [random(1).uniform(16), random(2).uniform(24)];
    expect(bitsOf(forward(narrow, keep(x)))).toEqual(bitsOf(keep(forward(wide, x))));
    expect(bitsOf(backward(narrow, keep(dy)))).toEqual(bitsOf(keep(backward(wide, dy))));
  });
});
