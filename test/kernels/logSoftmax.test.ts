import { describe, expect, it } from "vitest";
import { rowsOf } from "../oracles/activation.ts";
import { logSoftmax } from "../oracles/unary.ts";
import { numericalGradient } from "../support/differences.ts";
import { bitsOf, expectWithin, U } from "../support/float.ts";
import { random } from "../support/random.ts";
import { guarded, openKernels } from "../support/wasm.ts";

const bench = openKernels();
const { kernels } = bench;
const COLUMNS = [1, 2, 3, 4, 5, 7, 8, 9, 17, 100];

function forward(x: Float32Array, cols: number): Float32Array {
  bench.reset();
  const y = guarded(bench, x.length);
  kernels.logSoftmaxForward(bench.put(x), y.ptr, x.length / cols, cols);
  y.check();
  return y.f32();
}

function backward(y: Float32Array, dy: Float32Array, cols: number): Float32Array {
  bench.reset();
  const dx = guarded(bench, y.length);
  kernels.logSoftmaxBackward(bench.put(y), bench.put(dy), dx.ptr, y.length / cols, cols);
  dx.check();
  return dx.f32();
}

describe("log-softmax", () => {
  it.each(COLUMNS)("matches the oracle on rows of %i", (cols) => {
    const x = random(cols).uniform(3 * cols, -8, 8);
    const exact = rowsOf(x, cols).flatMap(logSoftmax);
    const largest = rowsOf(x, cols).map((row) => Math.max(...row));
    expectWithin(forward(x, cols), exact, (i) => {
      const shifted = Math.abs(x[i]! - largest[Math.floor(i / cols)]!);
      return (2 * Math.abs(exact[i]!) + 2 * shifted + Math.ceil(cols / 4) + 4) * U;
    });
  });

  it.each(COLUMNS)("has the gradient of its formula on rows of %i", (cols) => {
    const [x, dy] = [random(cols).uniform(2 * cols, -3, 3), random(cols + 1).uniform(2 * cols)];
    const y = forward(x, cols);
    const rows = rowsOf(dy, cols);
    const [sums, sizes] = [
      rows.map((row) => row.reduce((sum, value) => sum + value, 0)),
      rows.map((row) => row.reduce((sum, value) => sum + Math.abs(value), 0)),
    ];
    const exact = Array.from(dy, (value, i) => value - Math.exp(y[i]!) * sums[Math.floor(i / cols)]!);
    expectWithin(
      backward(y, dy, cols),
      exact,
      (i) =>
        U * Math.abs(exact[i]!) +
        (Math.ceil(cols / 4) + 6) * U * Math.exp(y[i]!) * sizes[Math.floor(i / cols)]!,
    );
  });

  it("has the gradient of finite differences", () => {
    const [cols, n] = [5, 10];
    const [x, dy] = [random(1).uniform(n, -2, 2), random(2).uniform(n)];
    const total = (at: Float64Array): number =>
      rowsOf(at, cols)
        .flatMap(logSoftmax)
        .reduce((sum, value, i) => sum + value * dy[i]!, 0);
    // y ≤ 6 is off by (4·6 + 6)u, and so is e^y ≤ 1, times Σ |dy| ≤ 5; the quotient is good to 1e-8.
    const gradient = backward(forward(x, cols), dy, cols);
    expectWithin(gradient, numericalGradient(total, x), () => 5 * 40 * U + 1e-8);
  });

  it("stays finite where e^x does not, and knows the limits", () => {
    expect([...forward(Float32Array.of(1000, 0, -1000), 3)]).toEqual([0, -1000, -2000]);
    expect([...forward(Float32Array.of(0, -Infinity), 2)]).toEqual([0, -Infinity]);
    expect([...forward(Float32Array.of(1, NaN), 2)]).toEqual([NaN, NaN]);
    expect([...forward(Float32Array.of(-Infinity, -Infinity), 2)]).toEqual([NaN, NaN]);
  });

  it("may overwrite its operand", () => {
    const [x, dy] = [random(4).uniform(14), random(5).uniform(14)];
    const y = forward(x, 7);
    const dx = backward(y, dy, 7);
    bench.reset();
    const [p, q] = [bench.put(x), bench.put(dy)];
    kernels.logSoftmaxForward(p, p, 2, 7);
    kernels.logSoftmaxBackward(p, q, q, 2, 7);
    expect(bitsOf(bench.f32(p, 14))).toEqual(bitsOf(y));
    expect(bitsOf(bench.f32(q, 14))).toEqual(bitsOf(dx));
  });
});
