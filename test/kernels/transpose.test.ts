import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { transposition } from "../../src/kernels/transposition.ts";
import { strided, transpose } from "../oracles/transpose.ts";
import { random } from "../support/random.ts";
import { guarded, openKernels } from "../support/wasm.ts";

const bench = openKernels();
const { kernels } = bench;

const sizeOf = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

/** `n` images, transposed by the kernel. */
function run(n: number, shape: readonly number[], perm: readonly number[], x: Float32Array): number[] {
  bench.reset();
  const { rank, table } = transposition(shape, perm);
  const y = guarded(bench, x.length);
  kernels.transpose(rank, bench.put(table), n, sizeOf(shape), bench.put(x), y.ptr);
  y.check();
  return [...y.f32()];
}

function expectTransposed(n: number, shape: readonly number[], perm: readonly number[]): void {
  const size = sizeOf(shape);
  const x = random(size).uniform(n * size);
  const images = Array.from({ length: n }, (_, i) => x.subarray(i * size, (i + 1) * size));
  expect(run(n, shape, perm, x)).toEqual(images.flatMap((image) => transpose(shape, perm, image)));
}

/** Around the tile of 4 and the strip of 16. */
const SIZES = [1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 33];

describe("transpose", () => {
  it.each(SIZES)("turns matrices with %i rows", (rows) => {
    for (const columns of SIZES) expectTransposed(2, [rows, columns], [1, 0]);
  });

  it.each(SIZES)("takes %i channels to the front and back", (c) => {
    expectTransposed(2, [5, 7, c], [2, 0, 1]);
    expectTransposed(2, [c, 5, 7], [1, 2, 0]);
  });

  it.each(SIZES)("copies rows of %i", (row) => expectTransposed(3, [4, 3, row], [1, 0, 2]));

  it("orders any number of axes in any way", () => {
    const anyCase = fc
      .array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 8 })
      .filter((shape) => sizeOf(shape) < 4000)
      .chain((shape) =>
        fc.record({
          shape: fc.constant(shape),
          perm: fc.shuffledSubarray(
            shape.map((_, axis) => axis),
            { minLength: shape.length },
          ),
          n: fc.integer({ min: 1, max: 3 }),
        }),
      );
    fc.assert(
      fc.property(anyCase, ({ n, shape, perm }) => expectTransposed(n, shape, perm)),
      { numRuns: 300, seed: 20261124 },
    );
  });

  it("keeps every bit", () => {
    const bits = Int32Array.of(-1, 0x7fc00001, 1, 0, 0x7f800001, -(2 ** 31), 5, 6);
    const { rank, table } = transposition([4, 2], [1, 0]);
    bench.reset();
    const y = guarded(bench, 8);
    kernels.transpose(rank, bench.put(table), 1, 8, bench.put(bits), y.ptr);
    expect([...y.i32()]).toEqual([0, 2, 4, 6, 1, 3, 5, 7].map((i) => bits[i]));
  });

  it.each([
    ["repeats along axes of stride 0", [3, 5, 2], [0, 1, 0], 0],
    ["reverses with negative strides", [4, 6], [-6, -1], 23],
    ["takes every second element of every third row", [3, 5], [30, 2], 0],
    ["takes every second image", [6], [1], 0],
  ] as const)("%s", (_, sizes, strides, start) => {
    bench.reset();
    const x = random(1).uniform(200);
    const size = sizeOf(sizes);
    const table = Int32Array.from(sizes.flatMap((length, axis) => [length, strides[axis]!]));
    const y = guarded(bench, 2 * size);
    kernels.transpose(sizes.length, bench.put(table), 2, 100, bench.put(x) + 4 * start, y.ptr);
    y.check();
    const images = [start, start + 100].map((first) => strided(sizes, strides, x, first));
    expect([...y.f32()]).toEqual(images.flat());
  });
});

describe("transposition", () => {
  it.each([
    [
      [2, 3, 4, 5],
      [0, 1, 2, 3],
      [120, 1],
    ],
    [
      [2, 3, 4, 5],
      [0, 3, 1, 2],
      [2, 60, 5, 1, 12, 5],
    ],
    [
      [2, 3, 4, 5],
      [2, 3, 0, 1],
      [20, 1, 6, 20],
    ],
    [
      [1, 3, 1, 5],
      [3, 2, 1, 0],
      [5, 1, 3, 5],
    ],
    [
      [1, 1],
      [1, 0],
      [1, 1],
    ],
  ] as const)("of %j by %j has no more axes than it must", (shape, perm, table) => {
    expect(transposition(shape, perm)).toEqual({ rank: table.length / 2, table: Int32Array.from(table) });
  });
});
