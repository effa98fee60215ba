import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { resample, type Resample } from "../oracles/images.ts";
import { guarded, openKernels, type KernelBench } from "../support/wasm.ts";

const bench = openKernels();
const { kernels } = bench;

/** Bytes from the start of a 4-byte element on, or from `shift` bytes behind it. */
function putBytes({ alloc, memory }: KernelBench, bytes: Uint8Array, shift = 0): number {
  const p = alloc(Math.ceil((bytes.length + shift) / 4)) + shift;
  new Uint8Array(memory.buffer).set(bytes, p);
  return p;
}

/** Runs the kernel into a buffer, of which no byte before or behind is changed. */
function run(given: Resample, x: Uint8Array, shift = 0): Uint8Array {
  bench.reset();
  const { outer, from, inner, lines } = given;
  const width = Math.max(...lines.map(([, weights]) => weights.length));
  const table = lines.flatMap(([first, weights]) => [
    first,
    weights.length,
    ...weights,
    ...Array.from({ length: width - weights.length }, () => 2 ** 30),
  ]);
  const size = outer * lines.length * inner;
  const y = guarded(bench, Math.ceil((size + shift) / 4));
  const all = new Uint8Array(bench.memory.buffer);
  const before = all.slice(y.ptr, y.ptr + Math.ceil((size + shift) / 4) * 4);
  const tablePtr = bench.put(Int32Array.from(table));
  const source = putBytes(bench, x, shift);
  kernels.resampleBytes(tablePtr, width, outer, from, lines.length, inner, source, y.ptr + shift);
  y.check();
  const result = all.slice(y.ptr + shift, y.ptr + shift + size);
  before.set(result, shift);
  expect(all.slice(y.ptr, y.ptr + before.length)).toEqual(before);
  return result;
}

const bytes = (count: number, seed: number): Uint8Array =>
  Uint8Array.from({ length: count }, (_, i) => ((i + seed) * 7919 + (i >> 2) * 31) % 256);

/** Weights that sum to about one, some of them below zero, as those of a cubic filter do. */
const weights = fc.array(fc.integer({ min: -60, max: 200 }), { minLength: 1, maxLength: 6 }).map((parts) => {
  const sum = parts.reduce((total, part) => total + Math.abs(part), 1);
  return parts.map((part) => Math.trunc((part / sum) * 1.9 * 2 ** 22));
});

const cases = fc
  .record({
    outer: fc.integer({ min: 1, max: 4 }),
    from: fc.integer({ min: 6, max: 9 }),
    // Around the vector of four bytes.
    inner: fc.constantFrom(1, 2, 3, 4, 5, 6, 7, 8, 9, 13),
    lines: fc.array(fc.tuple(fc.integer({ min: 0, max: 8 }), weights), { minLength: 1, maxLength: 5 }),
  })
  .map(({ lines, ...sizes }): Resample => ({
    ...sizes,
    lines: lines.map(([first, list]) => [Math.min(first, sizes.from - list.length), list] as const),
  }));

describe("resampleBytes", () => {
  it("is exact for any weights, below 0 and above 255 the nearer of them", () => {
    fc.assert(
      fc.property(cases, fc.nat(255), fc.nat(3), (given, seed, shift) => {
        const x = bytes(given.outer * given.from * given.inner, seed);
        expect(run(given, x, shift)).toEqual(resample(given, x));
      }),
      { numRuns: 300, seed: 20261128 },
    );
  });

  it("rounds halves up, and one whole copies", () => {
    const half = 2 ** 21;
    const given: Resample = {
      outer: 1,
      from: 2,
      inner: 1,
      lines: [
        [0, [half, half]],
        [1, [2 ** 22]],
      ],
    };
    expect([...run(given, Uint8Array.of(10, 11))]).toEqual([11, 11]);
    expect([...run(given, Uint8Array.of(0, 255))]).toEqual([128, 255]);
  });

  it("adds up the largest sum that weights may have", () => {
    // Σ|weight| · 255 just below 2³¹ − 2²¹.
    const weight = Math.floor((2 ** 31 - 2 ** 21) / 255) - 1;
    const lines: Resample["lines"] = [
      [0, [weight]],
      [0, [-weight]],
    ];
    expect([...run({ outer: 1, from: 1, inner: 5, lines }, new Uint8Array(5).fill(255))]).toEqual([
      ...Array.from({ length: 5 }, () => 255),
      ...Array.from({ length: 5 }, () => 0),
    ]);
  });
});

describe("lookUpBytes", () => {
  it.each([1, 3, 4, 5])("looks every byte up in the table of its channel, %i channels", (c) => {
    for (const planar of [false, true]) {
      bench.reset();
      const [n, pixels] = [3, 23];
      const x = bytes(n * pixels * c, c);
      const table = Float32Array.from({ length: 256 * c }, (_, i) => Math.fround(Math.sqrt(i) - 7));
      const y = guarded(bench, x.length);
      kernels.lookUpBytes(bench.put(table), planar, n, pixels, c, putBytes(bench, x, 1), y.ptr);
      y.check();
      const at = (i: number, p: number, channel: number): number =>
        planar ? (i * c + channel) * pixels + p : (i * pixels + p) * c + channel;
      const expected = new Float32Array(x.length);
      x.forEach((byte, index) => {
        const [channel, p, i] = [index % c, Math.floor(index / c) % pixels, Math.floor(index / c / pixels)];
        expected[at(i, p, channel)] = table[256 * channel + byte]!;
      });
      expect(y.f32()).toEqual(expected);
    }
  });
});
