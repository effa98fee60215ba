import { describe, expect, it } from "vitest";
import { guarded, openKernels } from "../support/wasm.ts";
import { random } from "../support/random.ts";
import { numericalGradient } from "../support/differences.ts";
import { bitsOf, expectWithin, U } from "../support/float.ts";
import { agreement, crossEntropy, meanSquaredError, oneHot, smoothed } from "../oracles/loss.ts";

const bench = openKernels();
const { kernels } = bench;

type Kernel = (x: number, targets: number, dx: number, rows: number, cols: number, result: number) => void;

interface Outcome {
  loss: number;
  correct: number;
  dx: Float32Array;
}

function run(kernel: Kernel, x: Float32Array, targets: Float32Array | Int32Array, cols: number): Outcome {
  bench.reset();
  const rows = x.length / cols;
  const result = guarded(bench, 3);
  const dx = guarded(bench, x.length);
  kernel(bench.put(x), bench.put(targets), dx.ptr, rows, cols, result.ptr);
  result.check();
  dx.check();
  return { loss: bench.f64(result.ptr), correct: result.i32()[2] as number, dx: dx.f32() };
}

const sparseOf =
  (smoothing: number): Kernel =>
  (x, labels, dx, rows, cols, result) =>
    kernels.softmaxCrossEntropySparse(x, labels, smoothing, dx, rows, cols, result);
const denseOf =
  (smoothing: number): Kernel =>
  (x, targets, dx, rows, cols, result) =>
    kernels.softmaxCrossEntropyDense(x, targets, smoothing, dx, rows, cols, result);
const [sparse, dense] = [sparseOf(0), denseOf(0)];
const squared: Kernel = kernels.meanSquaredError;
const shapes = [1, 2, 3, 4, 5, 7, 8, 9, 10, 33].map((cols, i) => ({ rows: 1 + (i % 4), cols }));

/** The docstring's bound for logits in ±`range` / 2. */
const bound = (range: number, cols: number): number => (range + Math.ceil(cols / 4) + 4) * U;

const smoothings = shapes.flatMap((shape) => [0, 0.1, 0.75].map((smoothing) => ({ ...shape, smoothing })));

describe.each(smoothings)("softmax cross-entropy of $rows × $cols, smoothing $smoothing", (given) => {
  const { rows, cols, smoothing } = given;
  const [byClass, byRow] = [sparseOf(smoothing), denseOf(smoothing)];
  const smooth = (targets: ArrayLike<number>): number[] => smoothed(targets, smoothing, cols);
  const data = random(100 * rows + cols);
  const logits = data.uniform(rows * cols, -5, 5);
  const labels = data.integers(rows, 0, cols - 1);
  const weights = data.uniform(rows * cols, 0, 1);

  it("matches the oracle with class numbers", () => {
    const targets = oneHot(labels, cols);
    const { loss, correct, dx } = run(byClass, logits, labels, cols);
    expect(Math.abs(loss - crossEntropy(logits, smooth(targets), cols))).toBeLessThanOrEqual(bound(10, cols));
    expect(correct).toBe(agreement(logits, targets, cols));
    const exact = numericalGradient((x) => crossEntropy(x, smooth(targets), cols), logits);
    // The difference quotient is good to 1e-8.
    expectWithin(dx, exact, () => bound(10, cols) / rows + 1e-8);
  });

  it("gives the same bits for one-hot rows", () => {
    const a = run(byClass, logits, labels, cols);
    const b = run(byRow, logits, oneHot(labels, cols), cols);
    expect([b.loss, b.correct, ...bitsOf(b.dx)]).toEqual([a.loss, a.correct, ...bitsOf(a.dx)]);
  });

  it("matches the oracle with weights that do not add up to one", () => {
    const { loss, correct, dx } = run(byRow, logits, weights, cols);
    const mass = cols;
    expect(Math.abs(loss - crossEntropy(logits, smooth(weights), cols))).toBeLessThanOrEqual(
      mass * bound(10, cols),
    );
    expect(correct).toBe(agreement(logits, weights, cols));
    const exact = numericalGradient((x) => crossEntropy(x, smooth(weights), cols), logits);
    expectWithin(dx, exact, () => (mass * bound(10, cols)) / rows + 1e-7);
  });

  it("leaves the gradient out on demand and writes it in place", () => {
    const { loss, dx } = run(byClass, logits, labels, cols);
    bench.reset();
    const x = bench.put(logits);
    const at = bench.put(labels);
    const hot = bench.put(oneHot(labels, cols));
    const result = bench.alloc(3);
    byClass(x, at, 0, rows, cols, result);
    expect(bench.f64(result)).toBe(loss);
    byRow(x, hot, 0, rows, cols, result);
    expect(bench.f64(result)).toBe(loss);
    const y = bench.put(logits);
    byClass(x, at, x, rows, cols, result);
    expect(bench.f64(result)).toBe(loss);
    expect(bitsOf(bench.f32(x, dx.length))).toEqual(bitsOf(dx));
    byRow(y, hot, y, rows, cols, result);
    expect(bench.f64(result)).toBe(loss);
    expect(bitsOf(bench.f32(y, dx.length))).toEqual(bitsOf(dx));
  });
});

describe("softmax cross-entropy at the limits", () => {
  it("is stable for huge logits", () => {
    const { loss, dx } = run(sparse, Float32Array.of(3e38, -3e38, 1000, 0), Int32Array.of(0, 1), 2);
    expect(loss).toBe(500);
    expect([...dx]).toEqual([0, 0, 0.5, -0.5]);
  });

  it("takes a masked class (-Infinity) whose target is 0", () => {
    const logits = Float32Array.of(-Infinity, 0, 0);
    const log2 = { loss: Math.fround(Math.log(2)), correct: 1 };
    for (const outcome of [run(sparse, logits, Int32Array.of(1), 3), run(dense, logits, oneHot([1], 3), 3)]) {
      expect(outcome.loss).toBeCloseTo(log2.loss, 7);
      expect(outcome.correct).toBe(log2.correct);
      expect([...outcome.dx]).toEqual([0, -0.5, 0.5]);
    }
  });

  it("knows of no masked class when labels are smoothed", () => {
    const logits = Float32Array.of(-Infinity, 0, 0);
    expect(run(sparseOf(0.1), logits, Int32Array.of(1), 3).loss).toBe(Infinity);
    expect(run(denseOf(0.1), logits, oneHot([1], 3), 3).loss).toBe(Infinity);
  });

  it.each([0, 1, 2, 3, 4])("is NaN with NaN in column %i", (column) => {
    const logits = Float32Array.from({ length: 5 }, (_, j) => (j === column ? NaN : j));
    expect(run(sparse, logits, Int32Array.of(2), 5).loss).toBeNaN();
    expect(run(dense, logits, oneHot([2], 5), 5).loss).toBeNaN();
    expect(run(dense, logits, new Float32Array(5), 5).loss).toBeNaN();
    expect(run(squared, logits, new Float32Array(5), 5).loss).toBeNaN();
  });

  it("counts the first winner of a tie", () => {
    const logits = Float32Array.of(1, 2, 2, 1, 2, 2);
    expect(run(sparse, logits, Int32Array.of(1, 2), 3).correct).toBe(1);
    expect(run(dense, logits, oneHot([1, 2], 3), 3).correct).toBe(1);
  });
});

describe.each(shapes)("mean squared error of $rows × $cols", ({ rows, cols }) => {
  const data = random(300 * rows + cols);
  const y = data.uniform(rows * cols, -3, 3);
  const targets = data.uniform(rows * cols, -3, 3);

  it("matches the oracle", () => {
    const { loss, correct, dx } = run(squared, y, targets, cols);
    const exact = meanSquaredError(y, targets);
    // Float64 throughout: n additions of 2^-53 each.
    expect(Math.abs(loss - exact)).toBeLessThanOrEqual(rows * cols * 2 ** -52 * exact);
    expect(correct).toBe(cols === 1 ? 0 : agreement(y, targets, cols));
    const gradient = Array.from(y, (value, i) => (2 * (value - (targets[i] as number))) / (rows * cols));
    expectWithin(dx, gradient, (i) => 3.01 * U * Math.abs(gradient[i] as number));
    expectWithin(
      numericalGradient((x) => meanSquaredError(x, targets), y),
      gradient,
      () => 1e-8,
    );
  });

  it("leaves the gradient out on demand and writes it in place", () => {
    const { loss, dx } = run(squared, y, targets, cols);
    bench.reset();
    const p = bench.put(y);
    const t = bench.put(targets);
    const result = bench.alloc(3);
    squared(p, t, 0, rows, cols, result);
    expect(bench.f64(result)).toBe(loss);
    expect(bitsOf(bench.f32(p, y.length))).toEqual(bitsOf(y));
    squared(p, t, p, rows, cols, result);
    expect(bitsOf(bench.f32(p, y.length))).toEqual(bitsOf(dx));
  });
});
