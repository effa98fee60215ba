import { describe, expect, it } from "vitest";
import { POINTWISE_LOSS } from "../../src/kernels/kernels.ts";
import { guarded, openKernels } from "../support/wasm.ts";
import { random } from "../support/random.ts";
import { numericalGradient } from "../support/differences.ts";
import { bitsOf, expectWithin, U } from "../support/float.ts";
import { rowsOf } from "../oracles/activation.ts";
import { agreement, crossEntropy, oneHot, POINTWISE, pointwise, smoothed } from "../oracles/loss.ts";

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
const pointwiseOf =
  (kind: number, delta = 0): Kernel =>
  (x, targets, dx, rows, cols, result) =>
    kernels.pointwiseLoss(kind, delta, x, targets, dx, rows, cols, result);
const squared = pointwiseOf(0);
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

it("every loss of single elements has an oracle", () => {
  expect(Object.keys(POINTWISE)).toEqual(Object.keys(POINTWISE_LOSS));
});

describe.each(Object.entries(POINTWISE))("%s", (name, oracle) => {
  const { delta = 0, logits = false } = oracle;
  const kernel = pointwiseOf(POINTWISE_LOSS[name as keyof typeof POINTWISE_LOSS], delta);

  it.each(shapes)("matches the oracle on $rows × $cols", ({ rows, cols }) => {
    const n = rows * cols;
    const data = random(300 * rows + cols);
    const y = data.uniform(n, -3, 3);
    // 1e-4 away from the kinks at differences of 0 and ±delta, where the difference quotient has no meaning.
    const targets = data.uniform(n, logits ? 0 : -3, logits ? 1 : 3).map((target, i) => {
      const size = Math.abs(y[i]! - target);
      return Math.min(size, Math.abs(size - delta)) < 1e-4 ? target + 1e-3 : target;
    });
    const { loss, correct, dx } = run(kernel, y, targets, cols);
    const exact = pointwise(oracle, y, targets);
    // Float64 throughout, but for e^−|y| ≤ 1 of 1 ULP: 2u.
    expect(Math.abs(loss - exact)).toBeLessThanOrEqual(n * 2 ** -52 * exact + (logits ? 2 * U : 0));
    const gradient = numericalGradient((x) => pointwise(oracle, x, targets), y);
    const own = logits ? (6 * U) / n : 0;
    // The quotient is good to h² and rounding errors of 2^-53·loss / h.
    expectWithin(dx, gradient, (i) => 3.01 * U * Math.abs(gradient[i]!) + own + 1e-9);
    const decided = (i: number): boolean => y[i]! > 0 === targets[i]! > 0.5;
    const all = rowsOf(
      Array.from(y, (_, i) => Number(decided(i))),
      cols,
    ).map((row) => !row.includes(0));
    const agreed = cols === 1 ? 0 : agreement(y, targets, cols);
    expect(correct).toBe(logits ? all.filter(Boolean).length : agreed);

    bench.reset();
    const [p, t, result] = [bench.put(y), bench.put(targets), bench.alloc(3)];
    kernel(p, t, 0, rows, cols, result);
    expect(bench.f64(result)).toBe(loss);
    expect(bitsOf(bench.f32(p, n))).toEqual(bitsOf(y));
    kernel(p, t, p, rows, cols, result);
    expect(bitsOf(bench.f32(p, n))).toEqual(bitsOf(dx));
  });

  it("is NaN with NaN", () => {
    const [y, targets] = [Float32Array.of(1, NaN, 2), new Float32Array(3)];
    expect(run(kernel, y, targets, 3).loss).toBeNaN();
    expect(run(kernel, targets, y, 3).loss).toBeNaN();
  });
});

describe("losses at the limits", () => {
  it("sigmoid cross-entropy neither overflows nor underflows", () => {
    const y = Float32Array.of(1e30, -1e30, 100, -100);
    const right = run(pointwiseOf(3), y, Float32Array.of(1, 0, 1, 0), 1);
    expect(right.loss).toBeLessThan(1e-40);
    expect(right.correct).toBe(4);
    const wrong = run(pointwiseOf(3), y.slice(2), Float32Array.of(0, 1), 1);
    expect(wrong.loss).toBe(100);
    expect([...wrong.dx]).toEqual([0.5, -0.5]);
  });

  it("sigmoid cross-entropy of what is certain and right is 0 at infinity too", () => {
    const right = run(pointwiseOf(3), Float32Array.of(Infinity, -Infinity), Float32Array.of(1, 0), 1);
    expect(right.loss).toBe(0);
    expect([...right.dx]).toEqual([0, 0]);
    expect(run(pointwiseOf(3), Float32Array.of(-Infinity), Float32Array.of(1), 1).loss).toBe(Infinity);
  });

  it("the absolute error has no slope at its target", () => {
    expect([...run(pointwiseOf(1), Float32Array.of(1, -1, 2), Float32Array.of(1, 1, 1), 3).dx]).toEqual(
      [0, -1 / 3, 1 / 3].map(Math.fround),
    );
  });
});
