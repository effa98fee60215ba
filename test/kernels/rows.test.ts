import { describe, expect, it } from "vitest";
import { columnSums, combine, type Rows } from "../oracles/rows.ts";
import { numericalGradient } from "../support/differences.ts";
import { bitsOf, expectWithin, gamma, U } from "../support/float.ts";
import { random } from "../support/random.ts";
import { guarded, openKernels } from "../support/wasm.ts";

const bench = openKernels();
const { kernels } = bench;

/** Around the vector of 4 and the cache line of 16. */
const CHANNELS = [1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 33];
const SHAPES: Rows[] = CHANNELS.flatMap((c) =>
  [
    [1, 1],
    [3, 5],
    [2, 49],
  ].map(([images, rows]) => ({ images: images!, rows: rows!, c })),
);
const sizeOf = ({ images, rows, c }: Rows): number => images * rows * c;
const text = ({ images, rows, c }: Rows): string => `${images}×${rows}×${c}`;
const cases = SHAPES.map((given) => [text(given), given] as const);

/** Runs a kernel that writes `n` elements. */
function written(n: number, run: (y: number) => void): Float32Array {
  const y = guarded(bench, n);
  run(y.ptr);
  y.check();
  return y.f32();
}

describe.each([
  ["addRowsForward", (x: number, s: number) => x + s],
  ["multiplyRowsForward", (x: number, s: number) => x * s],
] as const)("%s", (name, combined) => {
  it.each(cases)("rounds each of %s elements once, and may write over the image", (_, given) => {
    const { images, rows, c } = given;
    const [x, s] = [random(c).uniform(sizeOf(given)), random(rows).uniform(images * c)];
    bench.reset();
    const [px, ps] = [bench.put(x), bench.put(s)];
    const y = written(x.length, (p) => kernels[name](images, rows, c, px, ps, p));
    const exact = Float32Array.from(combine(given, x, s, combined));
    expect(bitsOf(y)).toEqual(bitsOf(exact));
    kernels[name](images, rows, c, px, ps, px);
    expect(bitsOf(bench.f32(px, x.length))).toEqual(bitsOf(exact));
  });
});

describe("prelu", () => {
  const slope = (x: number, alpha: number): number => (x > 0 ? 1 : alpha);
  const flat = cases.map(
    ([name, { images, rows, c }]) => [name, { images: 1, rows: images * rows, c }] as const,
  );

  it.each(flat)("multiplies what is not positive by its slope: %s", (_, given) => {
    const { rows, c } = given;
    const [x, alpha, dy] = [
      random(c).uniform(rows * c),
      random(rows).uniform(c),
      random(9).uniform(rows * c),
    ];
    x[0] = 0;
    bench.reset();
    const [px, pa, pd] = [bench.put(x), bench.put(alpha), bench.put(dy)];
    const y = written(x.length, (p) => kernels.preluForward(rows, c, px, pa, p));
    expect(bitsOf(y)).toEqual(bitsOf(Float32Array.from(combine(given, x, alpha, (v, a) => v * slope(v, a)))));
    const dx = written(x.length, (p) => kernels.preluBackpropInput(rows, c, px, pa, pd, p));
    const slopes = combine(given, x, alpha, slope);
    expect(bitsOf(dx)).toEqual(bitsOf(dy.map((value, i) => value * slopes[i]!)));
    kernels.preluBackpropInput(rows, c, px, pa, pd, pd);
    expect(bitsOf(bench.f32(pd, x.length))).toEqual(bitsOf(dx));
    kernels.preluForward(rows, c, px, pa, px);
    expect(bitsOf(bench.f32(px, x.length))).toEqual(bitsOf(y));
  });

  it("keeps NaN and infinities", () => {
    bench.reset();
    const [px, pa] = [
      bench.put(Float32Array.of(NaN, Infinity, -Infinity, 2, -2)),
      bench.put(Float32Array.of(0.5)),
    ];
    expect([...written(5, (p) => kernels.preluForward(5, 1, px, pa, p))]).toEqual([
      NaN,
      Infinity,
      -Infinity,
      2,
      -1,
    ]);
  });
});

/** A sum of so many terms in float64, rounded to float32. */
const sumBound = (rows: number, sum: number, absolute: number): number =>
  U * Math.abs(sum) + (rows * 2 ** -53 * absolute) / (1 - rows * 2 ** -53);

describe.each(cases)("the gradient of the row, %s", (_, given) => {
  const { images, rows, c } = given;
  const [x, dy] = [random(c).uniform(sizeOf(given)), random(rows).uniform(sizeOf(given))];

  it.each([
    ["addRowsBackward", () => 1, (p: number, pd: number) => kernels.addRowsBackward(images, rows, c, pd, p)],
    [
      "multiplyRowsBackward",
      (i: number) => x[i]!,
      (p: number, pd: number, px: number) => kernels.multiplyRowsBackward(images, rows, c, pd, px, p),
    ],
  ] as const)("%s", (_name, factor, run) => {
    bench.reset();
    const [pd, px] = [bench.put(dy), bench.put(x)];
    const { sum, absolute } = columnSums(given, dy, factor);
    const ds = written(images * c, (p) => run(p, pd, px));
    expectWithin(ds, sum, (i) => sumBound(rows, sum[i]!, absolute[i]!));
  });

  it("preluBackpropAlpha", () => {
    const flat = { images: 1, rows: images * rows, c };
    bench.reset();
    const [pd, px] = [bench.put(dy), bench.put(x)];
    const { sum, absolute } = columnSums(flat, dy, (i) => Math.min(x[i]!, 0));
    const da = written(c, (p) => kernels.preluBackpropAlpha(images * rows, c, px, pd, p));
    expectWithin(da, sum, (i) => sumBound(images * rows, sum[i]!, absolute[i]!));
  });
});

it("the gradients of gates and slopes are those of finite differences", () => {
  const given = { images: 2, rows: 6, c: 5 };
  const [x, dy] = [random(1).uniform(60), random(2).uniform(60)];
  const total = (each: (x: number, s: number) => number, of: Rows) => (s: Float64Array) =>
    combine(of, x, s, each).reduce((sum, y, i) => sum + y * dy[i]!, 0);
  bench.reset();
  const [pd, px] = [bench.put(dy), bench.put(x)];
  const ds = written(10, (p) => kernels.multiplyRowsBackward(2, 6, 5, pd, px, p));
  const gate = numericalGradient(
    total((v, s) => v * s, given),
    random(3).uniform(10),
  );
  // At most 12 terms of at most 1, rounded once.
  expectWithin(ds, gate, () => 12 * gamma(1) + 1e-8);
  const da = written(5, (p) => kernels.preluBackpropAlpha(12, 5, px, pd, p));
  const flat = { images: 1, rows: 12, c: 5 };
  const slopes = numericalGradient(
    total((v, a) => (v > 0 ? v : a * v), flat),
    random(4).uniform(5),
  );
  expectWithin(da, slopes, () => 12 * gamma(1) + 1e-8);
});
