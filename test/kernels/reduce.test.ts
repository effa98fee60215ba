import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { REDUCE } from "../../src/kernels/kernels.ts";
import { reductionTable } from "../../src/kernels/layouts.ts";
import { reducedSets } from "../oracles/strided.ts";
import { expectWithin, SMALLEST, U } from "../support/float.ts";
import { random } from "../support/random.ts";
import { guarded, openKernels } from "../support/wasm.ts";

const bench = openKernels();
const { kernels } = bench;
const { sum: SUM, prod: PRODUCT, min: MINIMUM, max: MAXIMUM } = REDUCE;

const sizeOf = (shape: readonly number[]): number => shape.reduce((product, size) => product * size, 1);

function run(
  kind: number,
  n: number,
  shape: readonly number[],
  reduced: ReadonlySet<number>,
  x: Float32Array,
): Float32Array {
  bench.reset();
  const kept = shape.filter((_, axis) => !reduced.has(axis));
  const y = guarded(bench, n * sizeOf(kept));
  kernels.reduceForward(kind, bench.put(reductionTable(shape, reduced)), n, bench.put(x), y.ptr);
  y.check();
  return y.f32();
}

/** All kinds against float64; k terms lie within k·2⁻⁵³ of the oracle's, in whatever order, before they are rounded. */
function check(n: number, shape: readonly number[], reduced: ReadonlySet<number>): void {
  const x = random(sizeOf(shape)).uniform(n * sizeOf(shape), -1.5, 1.5);
  const sets = reducedSets(x, [n, ...shape], new Set([...reduced].map((axis) => axis + 1)));
  const sums = sets.map((set) => set.reduce((sum, value) => sum + value, 0));
  const sizes = sets.map((set) => set.reduce((sum, value) => sum + Math.abs(value), 0));
  const products = sets.map((set) => set.reduce((product, value) => product * value, 1));
  const slack = (i: number): number => 2 * sets[i]!.length * 2 ** -53;
  expectWithin(run(SUM, n, shape, reduced, x), sums, (i) => U * Math.abs(sums[i]!) + slack(i) * sizes[i]!);
  expectWithin(
    run(PRODUCT, n, shape, reduced, x),
    products,
    (i) => (U + slack(i)) * Math.abs(products[i]!) + SMALLEST,
  );
  expect([...run(MINIMUM, n, shape, reduced, x)]).toEqual(sets.map((set) => Math.min(...set)));
  expect([...run(MAXIMUM, n, shape, reduced, x)]).toEqual(sets.map((set) => Math.max(...set)));
}

describe("reduceForward", () => {
  it.each([
    ["the rows of a matrix", [7, 9], [0]],
    ["the columns of a matrix", [7, 9], [1]],
    ["pixels", [5, 6, 3], [0, 1]],
    ["a middle axis", [3, 5, 8], [1]],
    ["axes that are not beside each other", [2, 3, 4, 5], [0, 2]],
    ["the first and the last axis", [3, 4, 5], [0, 2]],
    ["everything", [4, 5], [0, 1]],
    ["nothing", [4, 5], []],
    ["axes of size 1 alone", [1, 6, 1], [0, 2]],
    ["a long axis", [1000], [0]],
    ["a single number", [], []],
  ])("reduces %s", (_, shape, reduced) => {
    check(1, shape, new Set(reduced));
    check(3, shape, new Set(reduced));
  });

  it.each([1, 3, 4, 5, 9])("reduces %i columns that stay", (columns) => check(2, [6, columns], new Set([0])));

  it("reduces any axes", () => {
    const axis = fc.record({ size: fc.integer({ min: 1, max: 5 }), goes: fc.boolean() });
    const cases = fc.record({
      axes: fc.array(axis, { minLength: 1, maxLength: 5 }),
      n: fc.integer({ min: 1, max: 3 }),
    });
    fc.assert(
      fc.property(cases, ({ axes, n }) => {
        const reduced = new Set(axes.flatMap(({ goes }, i) => (goes ? [i] : [])));
        check(
          n,
          axes.map(({ size }) => size),
          reduced,
        );
      }),
      { seed: 7, numRuns: 200 },
    );
  });

  it("adds in float64: what float32 would lose stays", () => {
    const x = Float32Array.of(2 ** 25, 1, 1, -(2 ** 25));
    expect([...run(SUM, 1, [4], new Set([0]), x)]).toEqual([2]);
  });

  it.each([SUM, PRODUCT, MINIMUM, MAXIMUM])("keeps NaN under kind %i", (kind) => {
    const x = Float32Array.of(1, NaN, 2, 3, 4, 5);
    expect([...run(kind, 1, [2, 3], new Set([1]), x)].map(Number.isNaN)).toEqual([true, false]);
    expect([...run(kind, 1, [3, 2], new Set([0]), x)].map(Number.isNaN)).toEqual([false, true]);
  });
});
