import { describe, expect, it } from "vitest";
import { guarded, openKernels } from "../support/wasm.ts";
import { random } from "../support/random.ts";
import { bitsOf } from "../support/float.ts";
import { hashes } from "../oracles/dropout.ts";

const bench = openKernels();
const { kernels } = bench;
const HALF = 2 ** 31;

function drop(x: Float32Array, keepBelow: number, scale: number, key0: number, key1: number): Float32Array {
  bench.reset();
  const y = guarded(bench, x.length);
  kernels.dropout(bench.put(x), y.ptr, x.length, keepBelow, scale, key0, key1);
  y.check();
  return y.f32();
}

/** 1 where kept, 0 where dropped. */
const maskOf = (n: number, keepBelow: number, key0: number, key1: number): number[] => [
  ...drop(new Float32Array(n).fill(1), keepBelow, 1, key0, key1),
];

const sum = (values: number[]): number => values.reduce((total, value) => total + value, 0);

describe("dropout", () => {
  it.each([0, 1, 2, 3, 4, 5, 7, 8, 9, 31, 100])("matches the oracle's mask on %i elements", (n) => {
    const x = random(n).uniform(n);
    for (const [key0, key1, keep] of [
      [0, 0, 0.5],
      [1, 2, 0.9],
      [0xdeadbeef, 0xffffffff, 0.3],
    ] as const) {
      const keepBelow = Math.floor(keep * 2 ** 32);
      const mask = hashes(n, key0, key1).map((hash) => hash < keepBelow);
      const expected = x.map((value, i) => (mask[i] ? Math.fround(value * Math.fround(1.25)) : 0));
      expect(bitsOf(drop(x, keepBelow, 1.25, key0, key1))).toEqual(bitsOf(expected));
    }
  });

  it("drops to +0 whatever is dropped", () => {
    const x = Float32Array.of(-1, NaN, Infinity, -0, -Infinity);
    expect(bitsOf(drop(x, 0, 2, 5, 6))).toEqual(new Int32Array(5));
  });

  it("works in place, the backward pass on the same mask", () => {
    const x = random(1).uniform(50, 1, 2);
    const y = drop(x, HALF, 2, 7, 8);
    const p = bench.put(x);
    kernels.dropout(p, p, 50, HALF, 2, 7, 8);
    expect(bitsOf(bench.f32(p, 50))).toEqual(bitsOf(y));
    const dx = drop(new Float32Array(50).fill(1), HALF, 2, 7, 8);
    expect([...dx].map((value) => value !== 0)).toEqual([...y].map((value) => value !== 0));
  });

  // The number of kept ones is binomial: 5 standard deviations of √(n·p·(1 − p)) fail by chance once in 2 million.
  const n = 200_000;
  it.each([0.1, 0.5, 0.75, 0.9, 0.99])("keeps a share of %f", (keep) => {
    for (const key1 of [0, 1, 2, 3]) {
      const kept = sum(maskOf(n, keep * 2 ** 32, 42, key1));
      expect(Math.abs(kept - n * keep)).toBeLessThan(5 * Math.sqrt(n * keep * (1 - keep)));
    }
  });

  it("makes unrelated masks from keys that differ in one bit, and with shifted or permuted positions", () => {
    const base = maskOf(n, HALF, 42, 7);
    const agreeing = (other: number[], shift = 0, flip = 0): number =>
      sum(base.map((kept, i) => (kept === other[((i + shift) ^ flip) % n] ? 1 : 0)));
    const bound = 5 * Math.sqrt(n / 4);
    for (let bit = 0; bit < 32; bit += 3) {
      const first = maskOf(n, HALF, 42 ^ (1 << bit), 7);
      const second = maskOf(n, HALF, 42, 7 ^ (1 << bit));
      for (const other of [first, second]) {
        expect(Math.abs(agreeing(other) - n / 2)).toBeLessThan(bound);
        expect(Math.abs(agreeing(other, 1) - n / 2)).toBeLessThan(bound);
        expect(Math.abs(agreeing(other, 0, 1 << bit) - n / 2)).toBeLessThan(bound);
      }
    }
    expect(Math.abs(agreeing(base, 1) - n / 2)).toBeLessThan(bound);
    expect(Math.abs(agreeing(base, 64) - n / 2)).toBeLessThan(bound);
    expect(agreeing(maskOf(n, HALF, 42, 7))).toBe(n);
  });
});
