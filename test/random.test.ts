import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { OptionError } from "../src/errors.ts";
import { ln, Random, xoshiro128StarStar } from "../src/random.ts";

const draw = (seed: number, count: number, ...stream: number[]): number[] => {
  const random = new Random(seed, ...stream);
  return Array.from({ length: count }, () => random.nextUint32());
};

describe("xoshiro128**", () => {
  it("gives the outputs of the reference C code", () => {
    const state = Uint32Array.of(1, 2, 3, 4);
    expect(Array.from({ length: 10 }, () => xoshiro128StarStar(state))).toEqual([
      11520, 0, 5927040, 70819200, 2031721883, 1637235492, 1287239034, 3734860849, 3729100597, 4258142804,
    ]);
    const dense = Uint32Array.of(0x964d4a0c, 0xd40ab895, 0xad7fdecb, 0x3006f0f0);
    expect(Array.from({ length: 4 }, () => xoshiro128StarStar(dense))).toEqual([
      0xf1391922, 0x6fe53806, 0xa5be2840, 0xf510ee70,
    ]);
  });
});

describe("Random", () => {
  it.each([
    [0, [1873347938, 1467895023, 2020782965, 3275325648], -0.7758064664577685],
    [1, [1414296897, 2667707381, 500716842, 1177182309], -1.5220842803703374],
    [2 ** 32, [638109632, 3730186372, 1461105806, 3641730313], -0.43133537692602725],
    [2 ** 53 - 1, [1641880834, 1222107534, 731932476, 3918323105], -0.8087288922537628],
  ])("keeps its numbers for seed %d", (seed, words, normal) => {
    expect(draw(seed, 4)).toEqual(words);
    expect(new Random(seed).normal()).toBe(normal);
  });

  // By the definition, in integers of Python.
  it.each([
    [0, [0], [2400017361, 466950456, 1257678389, 1106569850]],
    [0, [1], [431148828, 3216487601, 2019543512, 1300046079]],
    [5, [3], [2920630989, 102842714, 3013252249, 3547616461]],
    [5, [2 ** 32 + 3], [3221183395, 1628269148, 3775976712, 2670956790]],
    [2 ** 53 - 1, [2 ** 53 - 1], [4071078303, 2979092247, 3126228651, 3716676102]],
    [1, [2, 3], [334975514, 1275914833, 508871102, 884180714]],
  ])("keeps its numbers for seed %d and stream %j", (seed, stream, words) => {
    expect(draw(seed, 4, ...stream)).toEqual(words);
  });

  it("has streams that differ in any of their numbers", () => {
    const number = fc.maxSafeNat();
    fc.assert(
      fc.property(number, number, number, (seed, a, b) => {
        fc.pre(a !== b);
        expect(draw(seed, 4, a)).not.toEqual(draw(seed, 4, b));
        expect(draw(a, 4, seed)).not.toEqual(draw(b, 4, seed));
        expect(draw(seed, 4, a, b)).not.toEqual(draw(seed, 4, b, a));
      }),
      { seed: 1 },
    );
    expect(draw(7, 4)).not.toEqual(draw(7, 4, 0));
  });

  it("uses both halves of the seed", () => {
    const seeds = fc.maxSafeNat();
    fc.assert(
      fc.property(seeds, seeds, (a, b) => {
        fc.pre(a !== b);
        expect(draw(a, 4)).not.toEqual(draw(b, 4));
      }),
      { seed: 1 },
    );
    expect(draw(5, 1)).not.toEqual(draw(5 + 2 ** 32, 1));
  });

  it.each([-1, 0.5, 2 ** 53, Number.NaN, Number.POSITIVE_INFINITY])("refuses the seed %d", (seed) => {
    expect(() => new Random(seed)).toThrow(
      new OptionError(`Random: seed: expected an integer from 0 to 2^53 - 1, got ${seed}`),
    );
  });

  it.each([-1, 0.5, 2 ** 53, Number.NaN])("refuses the number %d of a stream", (number) => {
    expect(() => new Random(1, 2, number)).toThrow(
      new OptionError(`Random: stream[1]: expected an integer from 0 to 2^53 - 1, got ${number}`),
    );
  });

  it("spreads uniform() evenly over [0, 1)", () => {
    const random = new Random(2);
    const bins = new Uint32Array(64);
    const count = 640_000;
    for (let i = 0; i < count; i++) {
      const value = random.uniform();
      if (value < 0 || value >= 1 || Math.fround(value) !== value) expect.fail(`uniform() gave ${value}`);
      bins[Math.floor(value * 64)]! += 1;
    }
    // Chi-squared with 63 degrees of freedom exceeds 103.4 once in a thousand seeds.
    const expected = count / 64;
    const chiSquared = bins.reduce((sum, bin) => sum + (bin - expected) ** 2 / expected, 0);
    expect(chiSquared).toBeLessThan(103.4);
  });

  it("draws integers without bias, up to the whole range", () => {
    const random = new Random(3);
    // About two thirds of 2^32: without rejection the lower half of the values would be twice as likely.
    const n = 2 ** 31 + 2 ** 29 + 2 ** 27;
    let low = 0;
    for (let i = 0; i < 100_000; i++) {
      const value = random.integer(n);
      if (!Number.isInteger(value) || value < 0 || value >= n) expect.fail(`integer() gave ${value}`);
      if (value < n / 2) low += 1;
    }
    expect(Math.abs(low - 50_000)).toBeLessThan(4 * Math.sqrt(25_000));
    expect(random.integer(1)).toBe(0);
    expect(random.integer(2 ** 32)).toBeLessThan(2 ** 32);
    for (const bad of [0, -1, 1.5, 2 ** 32 + 1, Number.NaN])
      expect(() => random.integer(bad)).toThrow(OptionError);
  });

  it("shuffles into a permutation, every element everywhere equally often", () => {
    const random = new Random(4);
    const places = new Uint32Array(25);
    for (let round = 0; round < 20_000; round++) {
      const indices = Int32Array.of(0, 1, 2, 3, 4);
      random.shuffle(indices);
      expect([...indices].sort()).toEqual([0, 1, 2, 3, 4]);
      indices.forEach((value, place) => {
        places[5 * value + place]! += 1;
      });
    }
    // Binomial(20000, 1/5) has a standard deviation of 57.
    for (const count of places) expect(Math.abs(count - 4000)).toBeLessThan(4 * 57);
    random.shuffle(new Uint32Array(0));
  });

  it("has the moments of the standard normal distribution", () => {
    const random = new Random(5);
    const count = 400_000;
    const moments = [0, 0, 0, 0];
    for (let i = 0; i < count; i++) {
      const value = random.normal();
      for (let k = 0, power = value; k < 4; k++, power *= value) moments[k]! += power / count;
    }
    // Standard errors of the k-th moments: √1, √2, √15, √96 over √count; four of them are allowed.
    [0, 1, 0, 3].forEach((expected, k) => {
      const error = Math.sqrt([1, 2, 15, 96][k]! / count);
      expect(Math.abs(moments[k]! - expected)).toBeLessThan(4 * error);
    });
  });
});

describe("ln", () => {
  it("stays within 2.5 ULP, here against the host's logarithm and its own half ULP", () => {
    fc.assert(
      fc.property(fc.double({ min: 2 ** -64, max: 2 ** 64, noNaN: true }), (x) => {
        const expected = Math.log(x);
        expect(Math.abs(ln(x) - expected)).toBeLessThanOrEqual(3.5 * Number.EPSILON * Math.abs(expected));
      }),
      { seed: 6, numRuns: 20_000 },
    );
    expect(ln(1)).toBe(0);
    expect(ln(2)).toBe(Math.LN2);
    expect(ln(0.5)).toBe(-Math.LN2);
  });
});
