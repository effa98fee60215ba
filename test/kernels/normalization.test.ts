import { describe, expect, it } from "vitest";
import { guarded, openKernels } from "../support/wasm.ts";
import type { Guarded } from "../support/wasm.ts";
import { random } from "../support/random.ts";
import { numericalGradient } from "../support/differences.ts";
import { bitsOf, expectWithin, U, ulp } from "../support/float.ts";
import { normalize, placeOf, setMeans, statistics } from "../oracles/normalization.ts";
import type { Affine, Cut, Statistics } from "../oracles/normalization.ts";

const bench = openKernels();
const { kernels } = bench;
/** Unit roundoff of float64. */
const U64 = 2 ** -53;

const cut = (images: number, rows: number, c: number, groups: number): Cut => ({ images, rows, c, groups });

/** By batch, by image, by group and by row; channels and groups straddle the four lanes. */
const CUTS: Cut[] = [
  ...[1, 3, 4, 5, 7, 8, 9, 17].map((c) => cut(1, 7, c, c)),
  ...[1, 3, 4, 5, 9].map((c) => cut(3, 4, c, c)),
  ...[1, 3, 4, 5, 9, 33].map((c) => cut(4, 1, c, 1)),
  cut(2, 5, 6, 2),
  cut(2, 3, 12, 4),
  cut(1, 6, 20, 4),
  cut(3, 2, 34, 2),
  cut(1, 1, 6, 6),
];

const name = ({ images, rows, c, groups }: Cut): string => `${images}×${rows}×${c} in ${groups} groups`;
const cases = CUTS.map((given): [string, Cut] => [name(given), given]);

const sizeOf = ({ images, rows, c }: Cut): number => images * rows * c;

function affineOf({ c }: Cut): Affine & { gamma: Float32Array; beta: Float32Array } {
  const data = random(c);
  return { epsilon: 0.125, gamma: data.uniform(c, 0.5, 2), beta: data.uniform(c) };
}

const workspace = (c: number): Guarded => guarded(bench, kernels.normalizeWorkspace(c));

function statisticsOf(given: Cut, x: Float32Array): { mean: Float32Array; variance: Float32Array } {
  const { images, rows, c, groups } = given;
  bench.reset();
  const [mean, variance] = [guarded(bench, images * groups), guarded(bench, images * groups)];
  const space = workspace(c);
  kernels.normalizeStatistics(images, rows, c, groups, bench.put(x), mean.ptr, variance.ptr, space.ptr);
  for (const place of [mean, variance, space]) place.check();
  return { mean: mean.f32(), variance: variance.f32() };
}

function forward(
  given: Cut,
  x: Float32Array,
  stats: { mean: Float32Array; variance: Float32Array },
  { epsilon, gamma, beta }: { epsilon: number; gamma?: Float32Array; beta?: Float32Array },
): Float32Array {
  const { images, rows, c, groups } = given;
  bench.reset();
  const [y, space] = [guarded(bench, x.length), workspace(c)];
  const [m, v] = [bench.put(stats.mean), bench.put(stats.variance)];
  const [g, b] = [gamma ? bench.put(gamma) : 0, beta ? bench.put(beta) : 0];
  kernels.normalizeForward(images, rows, c, groups, bench.put(x), m, v, epsilon, g, b, y.ptr, space.ptr);
  for (const place of [y, space]) place.check();
  return y.f32();
}

interface Gradients {
  dx: Float32Array;
  dgamma: Float32Array;
  dbeta: Float32Array;
}

function backward(
  given: Cut,
  x: Float32Array,
  dy: Float32Array,
  stats: { mean: Float32Array; variance: Float32Array },
  { epsilon, gamma }: { epsilon: number; gamma?: Float32Array },
  fixed: boolean,
  inPlace = false,
): Gradients {
  const { images, rows, c, groups } = given;
  bench.reset();
  const [dx, dgamma, dbeta, space] = [x.length, c, c].map((n) => guarded(bench, n)).concat(workspace(c)) as [
    Guarded,
    Guarded,
    Guarded,
    Guarded,
  ];
  const [m, v] = [bench.put(stats.mean), bench.put(stats.variance)];
  const [xs, dys, g] = [bench.put(x), bench.put(dy), gamma ? bench.put(gamma) : 0];
  const to = inPlace ? dys : dx.ptr;
  kernels.normalizeBackward(
    images,
    rows,
    c,
    groups,
    xs,
    dys,
    m,
    v,
    epsilon,
    g,
    fixed,
    to,
    dgamma.ptr,
    dbeta.ptr,
    space.ptr,
  );
  for (const place of [dx, dgamma, dbeta, space]) place.check();
  return { dx: inPlace ? bench.f32(dys, x.length) : dx.f32(), dgamma: dgamma.f32(), dbeta: dbeta.f32() };
}

describe.each([0, 1000])("mean and variance of numbers about %i", (centre) => {
  it.each(cases)("match the oracle: %s", (_, given) => {
    const x = random(sizeOf(given)).uniform(sizeOf(given), centre - 1, centre + 1);
    const { mean, variance } = statistics(given, x);
    const found = statisticsOf(given, x);
    // Half a unit in the last place, and what the docstring says of float64: k is the first element of the column.
    const roundings = (sizeOf(given) / (given.images * given.groups) + 6) * U64;
    const { rows, c } = given;
    const first = (i: number): number => x[Math.floor(i / (rows * c)) * rows * c + (i % c)]!;
    const sizes = setMeans(
      given,
      Array.from(x, (value, i) => Math.abs(first(i)) + Math.abs(value - first(i))),
    );
    const spans = setMeans(
      given,
      Array.from(x, (value, i) => {
        const distance = Math.abs(first(i) - mean[placeOf(given, i).set]!);
        return (Math.abs(value - first(i)) + distance) ** 2;
      }),
    );
    expectWithin(found.mean, mean, (i) => 0.5 * ulp(mean[i]!) + roundings * sizes[i]!);
    expectWithin(
      found.variance,
      variance,
      (i) => 0.5 * ulp(variance[i]!) + roundings * spans[i]! + (roundings * sizes[i]!) ** 2,
    );
  });
});

describe("normalization", () => {
  it.each(cases)("matches the oracle: %s", (_, given) => {
    const n = sizeOf(given);
    const x = random(n).uniform(n, -2, 3);
    const affine = affineOf(given);
    const stats = statisticsOf(given, x);
    const wide: Statistics = { mean: [...stats.mean], variance: [...stats.variance] };
    const expected = normalize(given, x, wide, affine);
    const y = forward(given, x, stats, affine);
    // |error| ≤ 4u·|y − beta| + u·|y|, with y and beta apart by the product.
    const scaled = (i: number): number => Math.abs(expected[i]! - affine.beta[placeOf(given, i).channel]!);
    expectWithin(y, expected, (i) => 4 * U * scaled(i) + U * Math.abs(expected[i]!));
    const ones = { ...affine, gamma: new Float32Array(given.c).fill(1), beta: new Float32Array(given.c) };
    const plain = forward(given, x, stats, { epsilon: affine.epsilon });
    expect(bitsOf(plain)).toEqual(bitsOf(forward(given, x, stats, ones)));
  });

  it.each(cases)("has the gradients of finite differences: %s", (_, given) => {
    const n = sizeOf(given);
    const data = random(n + 1);
    const [x, dy] = [data.uniform(n), data.uniform(n)];
    const affine = affineOf(given);
    const stats = statisticsOf(given, x);
    const exact = statistics(given, x);
    const weighted = (y: ArrayLike<number>): number =>
      Array.from(y).reduce((sum, value, i) => sum + value * dy[i]!, 0);
    const free = numericalGradient((at) => weighted(normalize(given, at, statistics(given, at), affine)), x);
    const fixed = numericalGradient((at) => weighted(normalize(given, at, exact, affine)), x);
    const dgamma = numericalGradient(
      (gamma) => weighted(normalize(given, x, exact, { ...affine, gamma })),
      affine.gamma,
    );
    const dbeta = numericalGradient(
      (beta) => weighted(normalize(given, x, exact, { ...affine, beta })),
      affine.beta,
    );

    // The sizes of what is added up for an element: gamma·dy, its mean and x̂ times the mean of their product, over σ.
    const deviation = exact.variance.map((variance) => Math.sqrt(variance + affine.epsilon));
    const normal = normalize(given, x, exact, {
      ...affine,
      gamma: affine.gamma.map(() => 1),
      beta: affine.beta.map(() => 0),
    });
    const direct = Array.from(dy, (d, i) => Math.abs(d * affine.gamma[placeOf(given, i).channel]!));
    const means = setMeans(given, direct);
    const products = setMeans(
      given,
      direct.map((value, i) => value * Math.abs(normal[i]!)),
    );
    const size = (i: number): number => {
      const { set } = placeOf(given, i);
      return (direct[i]! + means[set]! + Math.abs(normal[i]!) * products[set]!) / deviation[set]!;
    };
    // Mean and variance are rounded (|mean| ≤ 1, 1/σ ≤ 3: 3u of x̂, u of 1/σ), then each coefficient, offset, product
    // and sum: 12u of the sizes in all. The quotients are good to h²·f‴ and rounding errors of 2^-53·Σ|y·dy| / h: 1e-8.
    const bound = (i: number): number => 12 * U * size(i) + 1e-8;
    const found = backward(given, x, dy, stats, affine, false);
    expectWithin(found.dx, free, bound);
    expectWithin(backward(given, x, dy, stats, affine, true).dx, fixed, bound);
    const ofChannel = (channel: number, values: readonly number[]): number =>
      values.reduce((sum, value, i) => (placeOf(given, i).channel === channel ? sum + value : sum), 0);
    const steep = Array.from(dy, (d, i) => Math.abs(d) * (Math.abs(normal[i]!) + 1));
    expectWithin(found.dgamma, dgamma, (j) => 6 * U * ofChannel(j, steep) + 1e-8);
    expectWithin(found.dbeta, dbeta, (j) => U * ofChannel(j, [...dy].map(Math.abs)) + 1e-8);
  });

  it("does not read the input where fixed statistics make the gradient", () => {
    const given = cut(2, 3, 10, 5);
    const data = random(5);
    const [x, dy] = [data.uniform(60), data.uniform(60)];
    const [stats, affine] = [statisticsOf(given, x), affineOf(given)];
    const finite = backward(given, x, dy, stats, affine, true);
    const infinite = backward(
      given,
      x.map((value) => value / 0),
      dy,
      stats,
      affine,
      true,
    );
    expect(bitsOf(infinite.dx)).toEqual(bitsOf(finite.dx));
  });

  it("gives the same bits in place", () => {
    const given = cut(2, 3, 10, 5);
    const data = random(3);
    const [x, dy] = [data.uniform(60), data.uniform(60)];
    const [stats, affine] = [statisticsOf(given, x), affineOf(given)];
    const apart = backward(given, x, dy, stats, affine, false);
    const together = backward(given, x, dy, stats, affine, false, true);
    expect(bitsOf(together.dx)).toEqual(bitsOf(apart.dx));
    const y = forward(given, x, stats, affine);
    bench.reset();
    const [p, space] = [bench.put(x), workspace(10)];
    const [m, v] = [bench.put(stats.mean), bench.put(stats.variance)];
    const [g, b] = [bench.put(affine.gamma), bench.put(affine.beta)];
    kernels.normalizeForward(2, 3, 10, 5, p, m, v, affine.epsilon, g, b, p, space.ptr);
    expect(bitsOf(bench.f32(p, 60))).toEqual(bitsOf(y));
  });

  it("leaves out the gradients that nobody needs", () => {
    const given = cut(1, 4, 5, 5);
    const data = random(4);
    const [x, dy] = [data.uniform(20), data.uniform(20)];
    const [stats, { epsilon }] = [statisticsOf(given, x), affineOf(given)];
    const { dgamma } = backward(given, x, dy, stats, { epsilon }, false);
    bench.reset();
    const [only, space] = [guarded(bench, 5), workspace(5)];
    const [m, v] = [bench.put(stats.mean), bench.put(stats.variance)];
    const [xs, dys] = [bench.put(x), bench.put(dy)];
    kernels.normalizeBackward(1, 4, 5, 5, xs, dys, m, v, epsilon, 0, false, 0, only.ptr, 0, space.ptr);
    for (const place of [only, space]) place.check();
    expect(bitsOf(only.f32())).toEqual(bitsOf(dgamma));
    expect(bitsOf(bench.f32(dys, 20))).toEqual(bitsOf(dy));
  });
});

describe("the moving average", () => {
  const n = 9;
  const data = random(1);
  const [old, value] = [data.uniform(n), data.uniform(n)];

  it("is rounded once, and stored when it is to be", () => {
    bench.reset();
    const moving = guarded(bench, n);
    new Float32Array(bench.memory.buffer, moving.ptr, n).set(old);
    const batch = bench.put(value);
    expect(kernels.movingAverage(moving.ptr, batch, n, 0.9, 1.25, false)).toBe(1);
    expect(bitsOf(moving.f32())).toEqual(bitsOf(old));
    expect(kernels.movingAverage(moving.ptr, batch, n, 0.9, 1.25, true)).toBe(1);
    moving.check();
    const expected = old.map((before, i) => 0.9 * before + (1 - 0.9) * 1.25 * value[i]!);
    expect(bitsOf(moving.f32())).toEqual(bitsOf(expected));
  });

  it.each([NaN, Infinity, -Infinity, 3.4e38])("reports that %s makes it infinite or no number", (bad) => {
    bench.reset();
    const moving = bench.put(Float32Array.of(1, 1, 1));
    expect(kernels.movingAverage(moving, bench.put(Float32Array.of(1, bad, 1)), 3, 0, 2, false)).toBe(0);
  });
});
