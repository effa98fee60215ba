import { describe, expect, it } from "vitest";
import { hashes, type MaskKey } from "../oracles/dropout.ts";
import { random } from "../support/random.ts";
import { bitsOf } from "../support/float.ts";
import { guarded, openKernels } from "../support/wasm.ts";

const bench = openKernels();
const { kernels } = bench;
const KEY: MaskKey = { seedLow: 42, seedHigh: 3, step: 7, layer: 2 };

/** Noise on images of `size` elements, the first of which is image `first` of its batch. */
function noisy(
  x: Float32Array,
  size: number,
  deviation: number,
  multiplied = false,
  first = 0,
): Float32Array {
  bench.reset();
  const y = guarded(bench, x.length);
  const key = [KEY.seedLow, KEY.seedHigh, KEY.step, KEY.layer, first] as const;
  kernels.gaussianNoise(multiplied, deviation, bench.put(x), y.ptr, x.length / size, size, ...key);
  y.check();
  return y.f32();
}

const normals = (size: number): Float32Array => noisy(new Float32Array(size), size, 1);

/** P(Z > z) for the standard normal distribution: Simpson's rule for the density's integral from z to z + 12. */
function tail(z: number): number {
  const [steps, width] = [20_000, 12];
  const density = (x: number): number => Math.exp((-x * x) / 2) / Math.sqrt(2 * Math.PI);
  let sum = density(z) + density(z + width);
  for (let i = 1; i < steps; i++) sum += density(z + (i * width) / steps) * (i % 2 ? 4 : 2);
  return (sum * width) / steps / 3;
}

describe("gaussianNoise", () => {
  it.each([1, 2, 3, 4, 5, 7, 9])("adds to and multiplies images of %i elements, each rounded", (size) => {
    const x = random(size).uniform(3 * size, -2, 2);
    const z = noisy(new Float32Array(3 * size), size, 0.3);
    expect(bitsOf(noisy(x, size, 0.3))).toEqual(bitsOf(x.map((value, i) => value + z[i]!)));
    const products = x.map((value, i) => value * Math.fround(1 + z[i]!));
    expect(bitsOf(noisy(x, size, 0.3, true))).toEqual(bitsOf(products));
  });

  it("is the normal distribution's quantile of the hash, within 1e-6 of the value and the float32 of the share", () => {
    const size = 2000;
    const z = normals(size);
    hashes(size, 0, KEY).forEach((hash, i) => {
      // Twice the probability to be farther out on this side: an odd multiple of 2⁻³².
      const q = (((hash & 0x7fffffff) >>> 0) + 0.5) / 2 ** 31;
      expect(Math.sign(z[i]!)).toBe(hash >>> 31 ? -1 : 1);
      // The density is the slope by which an error of z becomes one of the probability.
      const out = Math.abs(z[i]!);
      const slope = Math.exp((-out * out) / 2) / Math.sqrt(2 * Math.PI);
      const bound = slope * 2e-6 * Math.max(out, 1e-3) + 2 ** -23;
      expect(Math.abs(2 * tail(out) - q)).toBeLessThan(2 * bound);
    });
  });

  it("has mean 0, variance 1, and tails as long as they should be", () => {
    const n = 400_000;
    const z = normals(n);
    const mean = z.reduce((sum, x) => sum + x, 0) / n;
    const variance = z.reduce((sum, x) => sum + x * x, 0) / n;
    // Five standard deviations of the mean, and of the mean of squares, whose variance is 2.
    expect(Math.abs(mean)).toBeLessThan(5 / Math.sqrt(n));
    expect(Math.abs(variance - 1)).toBeLessThan(5 * Math.sqrt(2 / n));
    for (const out of [1, 2, 3, 4]) {
      const p = 2 * tail(out);
      const found = z.filter((x) => Math.abs(x) > out).length;
      expect(Math.abs(found - n * p)).toBeLessThan(5 * Math.sqrt(n * p) + 1);
    }
    const neighbours = z.reduce((sum, x, i) => sum + x * z[(i + 1) % n]!, 0) / n;
    expect(Math.abs(neighbours)).toBeLessThan(5 / Math.sqrt(n));
  });

  it("draws the same for a batch in shards as for the whole", () => {
    const [n, size] = [7, 5];
    const x = random(2).uniform(n * size);
    const parts = [0, 3, 6].flatMap((first) => [
      ...noisy(x.slice(first * size, (first + 3) * size), size, 1, false, first),
    ]);
    expect(parts).toEqual([...noisy(x, size, 1)]);
  });
});
