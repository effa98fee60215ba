/** The eager operators of the public API besides the convolutions' geometry: see convolution.test.ts. */
import { load, tensor, type Activation, type Tensor } from "im2row";
import { describe, expect, it } from "vitest";
import * as activations from "../oracles/activation.ts";
import * as oracle from "../oracles/conv2d.ts";
import { gemm } from "../oracles/gemm.ts";
import { crossEntropy, oneHot } from "../oracles/loss.ts";
import { averagePool, averagePoolGradient, maxPool, maxPoolGradient } from "../oracles/pool.ts";
import { conv2d, operands, strides, type Pad } from "../support/conv2d.ts";
import { expectSameBits, expectWithin, gamma, U } from "../support/float.ts";
import { random } from "../support/random.ts";

const engine = await load();

/** A tensor of numbers uniform in [−1, 1). */
const uniform = (seed: number, ...shape: number[]): Tensor =>
  tensor(random(seed).uniform(shape.reduce((a, b) => a * b, 1)), shape);

/** A small convolution and its operands. */
const small = conv2d(2, 5, 2, 3, 5);
const drawn = operands(small, 1);
const tensors = {
  x: tensor(drawn.x, [2, 5, 5, 2]),
  filter: tensor(drawn.w, [3, 3, 2, 5]),
  bias: tensor(drawn.b, [5]),
};

/** Activations, their float64 definitions, and a bound of the relative error of their own arithmetic. */
const kinds: [string, Activation, (row: number[]) => number[]][] = [
  ["linear", "linear", (row) => row],
  ["relu", "relu", (row) => row.map((v) => Math.max(0, v))],
  ["leakyRelu", "leakyRelu", (row) => row.map((v) => (v < 0 ? Math.fround(0.2) * v : v))],
  ["leakyRelu of a slope", { leakyRelu: 0.5 }, (row) => row.map((v) => (v < 0 ? 0.5 * v : v))],
  ["sigmoid", "sigmoid", (row) => row.map((v) => 1 / (1 + Math.exp(-v)))],
  ["tanh", "tanh", (row) => row.map(Math.tanh)],
  ["softmax", "softmax", activations.softmax],
];

describe.each(kinds)("the activation %s", (_name, kind, definition) => {
  // All have slopes of at most 1 in each argument; softmax, in all of them together. 16 u covers their own arithmetic
  // (3 ULP, softmax' sum of 5 and quotient; see activation.test.ts).
  const bound = (error: number) => (): number => 2 * error + 16 * U;
  const apply = (values: Iterable<number>, columns: number): number[] =>
    activations.rowsOf([...values], columns).flatMap(definition);

  it("is applied to a convolution with its bias", () => {
    const { x, filter, bias } = tensors;
    const y = engine.conv2d(x, filter, { bias, activation: kind });
    const { sum, absolute } = oracle.forward(small, x.data, filter.data, bias.data);
    expectWithin(y.data, apply(sum, 5), bound(gamma(19) * Math.max(...absolute)));
  });

  it("is applied to a product with its bias", () => {
    const [a, b, bias] = [uniform(1, 6, 4), uniform(2, 4, 5), uniform(3, 5)];
    const c = engine.matMul(a, b, { bias, activation: kind });
    const layout = { transposeA: false, transposeB: false, m: 6, n: 5, k: 4, lda: 4, ldb: 5 };
    const { sum, absolute } = gemm({ ...layout, a: a.data, b: b.data, bias: bias.data });
    expectWithin(c.data, apply(sum, 5), bound(gamma(5) * Math.max(...absolute)));
  });

  it("is an operator of its own, with its gradient", () => {
    const [x, dy] = [uniform(4, 2, 3, 5), uniform(5, 2, 3, 5)];
    const y = engine.activation(x, kind);
    expect(y.shape).toEqual(x.shape);
    expectWithin(y.data, apply(x.data, 5), bound(0));
    const dx = engine.activationBackprop(dy, y, kind);
    expect(dx.shape).toEqual(x.shape);
    const h = 1e-6;
    const expected = [...x.data].map((_, i) => {
      const at = (shift: number): number => {
        const moved = Float64Array.from(x.data);
        moved[i] = (moved[i] as number) + shift;
        return apply(moved, 5).reduce((sum, value, j) => sum + value * (dy.data[j] as number), 0);
      };
      return (at(h) - at(-h)) / (2 * h);
    });
    // Differences: third derivatives below 2 give h², rounding of sums of 30 terms gives 30·2⁻⁵³/h.
    expectWithin(dx.data, expected, () => 32 * U + 2 * h ** 2 + (60 * 2 ** -53) / h);
  });
});

describe("matMul", () => {
  it.each([
    [false, false],
    [false, true],
    [true, false],
    [true, true],
  ])("multiplies with transposeA %s and transposeB %s", (transposeA, transposeB) => {
    const [m, n, k] = [6, 9, 11];
    const a = transposeA ? uniform(1, k, m) : uniform(1, m, k);
    const b = transposeB ? uniform(2, n, k) : uniform(2, k, n);
    const c = engine.matMul(a, b, { transposeA, transposeB });
    const [lda, ldb] = [a.shape[1]!, b.shape[1]!];
    const { sum, absolute } = gemm({ transposeA, transposeB, m, n, k, a: a.data, lda, b: b.data, ldb });
    expect(c.shape).toEqual([m, n]);
    expectWithin(c.data, sum, (i) => gamma(k) * (absolute[i] as number));
  });
});

describe("im2row, col2im and sumRows", () => {
  const x = uniform(7, 2, 5, 6, 3);
  const options = { kernelSize: [2, 3], strides: [2, 1], padding: "same", dilationRate: [1, 2] } as const;
  const more = { w: 6, kw: 3, strideH: 2, dilationW: 2, pad: "same" } as const;
  const { g } = conv2d(2, 5, 3, 2, 1, more);

  it("unfold and fold as the oracle does", () => {
    const rows = engine.im2row(x, options);
    expect(rows.shape).toEqual([2 * 3 * 6, 2 * 3 * 3]);
    expect([...rows.data]).toEqual(oracle.im2row(g, 2, x.data));
    const back = engine.col2im(rows, x.shape, options);
    const { sum, absolute } = oracle.col2im(g, 2, rows.data);
    expect(back.shape).toEqual(x.shape);
    expectWithin(back.data, sum, (i) => gamma(6) * (absolute[i] as number));
  });

  it("sum the rows of any rank", () => {
    const sums = engine.sumRows(x);
    expect(sums.shape).toEqual([3]);
    const column = (j: number): number[] => [...x.data].filter((_, i) => i % 3 === j);
    const expected = [0, 1, 2].map((j) => column(j).reduce((a, b) => a + b, 0));
    expectWithin(sums.data, expected, () => gamma(60) * 60);
    expect([...engine.sumRows(tensor([1, 2, 3], [3])).data]).toEqual([1, 2, 3]);
  });
});

describe("pooling", () => {
  const x = uniform(8, 2, 7, 6, 3);
  const explicit = [
    [1, 0],
    [0, 2],
  ] as const;
  const pad: Pad = { top: 1, bottom: 0, left: 0, right: 2 };

  it.each([
    ["strides of the pool size by default", { poolSize: 2 }, { kh: 2, kw: 2, ...strides(2) }],
    ["own strides", { poolSize: [3, 2], strides: [1, 2] }, { kh: 3, kw: 2, strideH: 1, strideW: 2 }],
    [
      "same padding",
      { poolSize: 3, strides: 2, padding: "same" },
      { kh: 3, kw: 3, ...strides(2), pad: "same" },
    ],
    ["explicit padding", { poolSize: 3, strides: 1, padding: explicit }, { kh: 3, kw: 3, pad }],
  ] as const)("with %s gives the oracle's results", (_name, options, sliding) => {
    const { g } = conv2d(2, 7, 3, 1, 1, { h: 7, w: 6, ...sliding });
    const shape = [2, g.oh, g.ow, 3];
    const dy = uniform(9, ...shape);
    const { y, argmax } = engine.maxPool2d(x, options);
    const exact = maxPool(g, 2, x.data);
    expect([y.shape, argmax.shape]).toEqual([shape, shape]);
    expect([[...y.data], [...argmax.data]]).toEqual([exact.y, exact.argmax]);
    const dx = engine.maxPool2dBackprop(dy, argmax, x.shape);
    expect(dx.shape).toEqual(x.shape);
    expectWithin(dx.data, maxPoolGradient(g, 2, dy.data, exact.argmax), () => gamma(9) * 9);

    const mean = engine.averagePool2d(x, options);
    expect(mean.shape).toEqual(shape);
    expectWithin(mean.data, averagePool(g, 2, x.data), () => gamma(10));
    const spread = engine.averagePool2dBackprop(dy, x.shape, options);
    expectWithin(spread.data, averagePoolGradient(g, 2, dy.data), () => gamma(10) * 9);
  });
});

describe("softmaxCrossEntropy", () => {
  const logits = uniform(10, 4, 5);
  const labels = Int32Array.of(0, 4, 2, 2);

  it("takes class numbers or target rows, and gives the same loss, count and gradient for both", () => {
    const sparse = engine.softmaxCrossEntropy(logits, labels);
    const dense = engine.softmaxCrossEntropy(logits, tensor(oneHot(labels, 5), [4, 5]));
    expect(Math.abs(sparse.loss - crossEntropy(logits.data, oneHot(labels, 5), 5))).toBeLessThan(32 * U);
    expect(dense.loss).toBeCloseTo(sparse.loss, 6);
    expect(dense.correct).toBe(sparse.correct);
    expect(sparse.gradient.shape).toEqual([4, 5]);
    expectWithin(dense.gradient.data, sparse.gradient.data, () => 16 * U);
    const gradient = activations
      .rowsOf(logits.data, 5)
      .flatMap((row, i) => activations.softmax(row).map((p, j) => (p - (labels[i] === j ? 1 : 0)) / 4));
    expectWithin(sparse.gradient.data, gradient, () => 16 * U);
  });
});

describe("an operator", () => {
  it("leaves its operands alone, gives a tensor of its own, and frees what it used", () => {
    const { x, filter, bias } = tensors;
    const before = [x, filter, bias].map((t) => [...t.data]);
    const used = engine.memory.used;
    const first = engine.conv2d(x, filter, { bias });
    const kept = [...first.data];
    first.data.fill(9);
    expect([...engine.conv2d(x, filter, { bias }).data]).toEqual(kept);
    expect([x, filter, bias].map((t) => [...t.data])).toEqual(before);
    expect(engine.memory.used).toBe(used);
  });

  it("works on while the memory grows, and does not grow it again for the same call", async () => {
    const fresh = await load();
    const [a, b] = [uniform(1, 300, 300), uniform(2, 300, 300)];
    const tiny = fresh.matMul(uniform(3, 2, 2), uniform(4, 2, 2));
    const c = fresh.matMul(a, b);
    const { bytes } = fresh.memory;
    expect(bytes).toBeGreaterThan(3 * 300 * 300 * 4);
    for (let i = 0; i < 20; i++) expectSameBits(fresh.matMul(a, b).data, c.data);
    expect(fresh.memory.bytes).toBe(bytes);
    expectSameBits(fresh.matMul(uniform(3, 2, 2), uniform(4, 2, 2)).data, tiny.data);
  });
});
