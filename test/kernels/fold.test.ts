import { describe, it } from "vitest";
import { expectWithin, gamma as errorOf, U } from "../support/float.ts";
import { random } from "../support/random.ts";
import { guarded, openKernels } from "../support/wasm.ts";

const bench = openKernels();
const { kernels } = bench;
const EPSILON = 1e-3;

interface Given {
  readonly b: Float32Array | undefined;
  readonly gamma: Float32Array | undefined;
  readonly beta: Float32Array | undefined;
}

function check(rows: number, f: number, { b, gamma, beta }: Given): void {
  const source = random(rows * 100 + f);
  const [w, mean] = [source.uniform(rows * f), source.uniform(f)];
  const variance = source.uniform(f).map((value) => value + 1.5);
  const epsilon = Math.fround(EPSILON);
  const put = (data: Float32Array | undefined): number => (data ? bench.put(data) : 0);
  bench.reset();
  const [foldedW, foldedB] = [guarded(bench, rows * f), guarded(bench, f)];
  kernels.foldNormalization(
    rows,
    f,
    put(w),
    put(b),
    put(mean),
    put(variance),
    epsilon,
    put(gamma),
    put(beta),
    foldedW.ptr,
    foldedB.ptr,
  );
  foldedW.check();
  foldedB.check();
  const factors = Array.from(variance, (value, j) => (gamma?.[j] ?? 1) / Math.sqrt(value + epsilon));
  const kernel = Array.from(w, (value, i) => value * factors[i % f]!);
  const bias = factors.map((factor, j) => ((b?.[j] ?? 0) - mean[j]!) * factor + (beta?.[j] ?? 0));
  expectWithin(foldedW.f32(), kernel, (i) => errorOf(2) * Math.abs(kernel[i]!));
  // Rounded once, from a float64 that is off by a billionth of that.
  expectWithin(foldedB.f32(), bias, (j) => 1.000001 * U * Math.abs(bias[j]!) + 1e-15);
}

describe("foldNormalization", () => {
  it.each([1, 3, 4, 5, 8, 9])("is the normalized product's weights for %i outputs", (f) => {
    for (const rows of [1, 2, 7]) {
      const source = random(f);
      const [b, gamma, beta] = [source.uniform(f), source.uniform(f), source.uniform(f)];
      check(rows, f, { b, gamma, beta });
      check(rows, f, { b: undefined, gamma, beta });
      check(rows, f, { b, gamma: undefined, beta });
      check(rows, f, { b, gamma, beta: undefined });
    }
  });
});
