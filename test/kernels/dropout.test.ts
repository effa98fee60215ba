import { describe, expect, it } from "vitest";
import { guarded, openKernels } from "../support/wasm.ts";
import { random } from "../support/random.ts";
import { bitsOf } from "../support/float.ts";
import { hashes, type MaskKey } from "../oracles/dropout.ts";

const bench = openKernels();
const { kernels } = bench;
const HALF = 2 ** 31;

const KEY: MaskKey = { seedLow: 42, seedHigh: 3, step: 7, layer: 2 };

/** Dropout of images of `size` elements, the first of which is image `first` of its batch. */
function drop(
  x: Float32Array,
  size: number,
  keepBelow: number,
  scale: number,
  key = KEY,
  first = 0,
): Float32Array {
  bench.reset();
  const y = guarded(bench, x.length);
  const { seedLow, seedHigh, step, layer } = key;
  const n = x.length / size;
  const word = [seedLow, seedHigh, step, layer, first] as const;
  kernels.dropout(bench.put(x), y.ptr, n, 1, size, keepBelow, scale, -0, 0, ...word);
  y.check();
  return y.f32();
}

/** 1 where kept, 0 where dropped, in one image. */
const maskOf = (size: number, keepBelow: number, key: Partial<MaskKey> = {}, image = 0): number[] => [
  ...drop(new Float32Array(size).fill(1), size, keepBelow, 1, { ...KEY, ...key }, image),
];

const sum = (values: number[]): number => values.reduce((total, value) => total + value, 0);

describe("dropout", () => {
  it.each([1, 2, 3, 4, 5, 7, 8, 9, 31, 100])(
    "matches the oracle's masks on images of %i elements",
    (size) => {
      const images = 3;
      const x = random(size).uniform(images * size);
      for (const [key, first, keep] of [
        [{ seedLow: 0, seedHigh: 0, step: 0, layer: 0 }, 0, 0.5],
        [{ seedLow: 1, seedHigh: 2, step: 3, layer: 4 }, 5, 0.9],
        [{ seedLow: 0xdeadbeef, seedHigh: 0x1fffff, step: 0xffffffff, layer: 0x7fffffff }, 0xfffffffe, 0.3],
      ] as const) {
        const keepBelow = Math.floor(keep * 2 ** 32);
        const masks = Array.from({ length: images }, (_, i) => hashes(size, (first + i) % 2 ** 32, key));
        const mask = masks.flat().map((hash) => hash < keepBelow);
        const expected = x.map((value, i) => (mask[i] ? Math.fround(value * Math.fround(1.25)) : 0));
        expect(bitsOf(drop(x, size, keepBelow, 1.25, key, first))).toEqual(bitsOf(expected));
      }
    },
  );

  it("does nothing without images or elements", () => {
    for (const [n, size] of [
      [0, 5],
      [5, 0],
    ] as const) {
      bench.reset();
      const y = guarded(bench, 0);
      kernels.dropout(bench.put(Float32Array.of(1)), y.ptr, n, 1, size, HALF, 1, -0, 0, 0, 0, 0, 0, 0);
      y.check();
    }
  });

  it("drops to +0 whatever is dropped", () => {
    const x = Float32Array.of(-1, NaN, Infinity, -0, -Infinity);
    expect(bitsOf(drop(x, 5, 0, 2))).toEqual(new Int32Array(5));
  });

  it("drops elements of the same place in all rows alike, and moves what it keeps", () => {
    const [n, rows, size] = [3, 5, 6];
    const x = random(4).uniform(n * rows * size, 1, 2);
    bench.reset();
    const y = guarded(bench, x.length);
    const word = [KEY.seedLow, KEY.seedHigh, KEY.step, KEY.layer, 2] as const;
    kernels.dropout(bench.put(x), y.ptr, n, rows, size, HALF, 1.5, 0.25, -7, ...word);
    y.check();
    const masks = Array.from({ length: n }, (_, i) => hashes(size, 2 + i, KEY));
    const expected = x.map((value, i) => {
      const hash = masks[Math.floor(i / (rows * size))]![i % size]!;
      return hash < HALF ? Math.fround(value * 1.5) + 0.25 : -7;
    });
    expect(bitsOf(y.f32())).toEqual(bitsOf(expected));
  });

  it("works in place, the backward pass on the same mask", () => {
    const x = random(1).uniform(50, 1, 2);
    const y = drop(x, 25, HALF, 2);
    const p = bench.put(x);
    const word = [KEY.seedLow, KEY.seedHigh, KEY.step, KEY.layer, 0] as const;
    kernels.dropout(p, p, 2, 1, 25, HALF, 2, -0, 0, ...word);
    expect(bitsOf(bench.f32(p, 50))).toEqual(bitsOf(y));
    const dx = drop(new Float32Array(50).fill(1), 25, HALF, 2);
    expect([...dx].map((value) => value !== 0)).toEqual([...y].map((value) => value !== 0));
  });

  it.each([1, 3, 8])("draws the same for a batch in shards of %i images as for the whole", (shard) => {
    const [n, size] = [11, 13];
    const x = random(2).uniform(n * size, 1, 2);
    const parts: number[] = [];
    for (let first = 0; first < n; first += shard) {
      parts.push(...drop(x.slice(first * size, (first + shard) * size), size, HALF, 2, KEY, first));
    }
    expect(parts).toEqual([...drop(x, size, HALF, 2)]);
  });

  // The number of kept ones is binomial: 5 standard deviations of √(n·p·(1 − p)) fail by chance once in 2 million.
  const n = 200_000;
  it.each([0.1, 0.5, 0.75, 0.9, 0.99])("keeps a share of %f", (keep) => {
    const share = (mask: number[]): void =>
      expect(Math.abs(sum(mask) - n * keep)).toBeLessThan(5 * Math.sqrt(n * keep * (1 - keep)));
    for (const layer of [0, 1, 2, 3]) share(maskOf(n, keep * 2 ** 32, { layer }));
    // So do elements at one place of many images.
    for (const size of [1, 2]) share([...drop(new Float32Array(n).fill(1), size, keep * 2 ** 32, 1)]);
  });

  it("makes unrelated masks from keys that differ in one bit, and with shifted or permuted positions", () => {
    const base = maskOf(n, HALF);
    const agreeing = (other: number[], shift = 0, flip = 0): number =>
      sum(base.map((kept, i) => (kept === other[((i + shift) ^ flip) % n] ? 1 : 0)));
    const bound = 5 * Math.sqrt(n / 4);
    for (let bit = 0; bit < 32; bit += 3) {
      const changed = (["seedLow", "seedHigh", "step", "layer"] as const).map((name) =>
        maskOf(n, HALF, { [name]: KEY[name] ^ (1 << bit) }),
      );
      for (const other of [...changed, maskOf(n, HALF, {}, 1 << bit)]) {
        expect(Math.abs(agreeing(other) - n / 2)).toBeLessThan(bound);
        expect(Math.abs(agreeing(other, 1) - n / 2)).toBeLessThan(bound);
        expect(Math.abs(agreeing(other, 0, 1 << bit) - n / 2)).toBeLessThan(bound);
      }
    }
    expect(Math.abs(agreeing(base, 1) - n / 2)).toBeLessThan(bound);
    expect(Math.abs(agreeing(base, 64) - n / 2)).toBeLessThan(bound);
    expect(agreeing(maskOf(n, HALF))).toBe(n);
  });

  it("makes unrelated masks where seed and step change places, and from image to image", () => {
    const bound = 5 * Math.sqrt(n / 4);
    const agreeing = (a: number[], b: number[]): number =>
      a.reduce((total, kept, i) => total + (kept === b[i] ? 1 : 0), 0);
    const one = maskOf(n, HALF, { seedLow: 1, step: 2, layer: 3 }, 4);
    for (const [seedLow, step, layer, image] of [
      [2, 1, 3, 4],
      [1, 3, 2, 4],
      [1, 2, 4, 3],
      [1, 2, 3, 5],
    ] as const) {
      const other = maskOf(n, HALF, { seedLow, step, layer }, image);
      expect(Math.abs(agreeing(one, other) - n / 2)).toBeLessThan(bound);
    }
  });
});
