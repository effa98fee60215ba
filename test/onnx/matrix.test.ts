/** Products of matrices: of what is known and computed, stacked and not. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { load, type Engine } from "../../src/index.ts";
import type { OnnxTensor } from "../../src/onnx.ts";
import { expectWithin, gamma } from "../support/float.ts";
import { node, type Attribute } from "../support/onnxFile.ts";
import { floats, integers, loadNet, noise, runBoth, runWhole, sizeOf } from "./support/net.ts";

let engine: Engine;

beforeAll(async () => {
  engine = await load();
});

afterAll(() => engine.dispose());

interface Exact {
  readonly values: number[];
  /** Σ |a·b| of each. */
  readonly sizes: number[];
}

/** Stacks of matrices `[p, m, k]` and `[p or 1, k, n]`. */
function product(a: OnnxTensor, b: OnnxTensor): Exact {
  const [m, k] = a.shape.slice(-2) as [number, number];
  const n = b.shape.at(-1)!;
  const stacks = Math.max(sizeOf(a.shape) / (m * k), sizeOf(b.shape) / (k * n));
  const term = (p: number, i: number, j: number, l: number): number => {
    const left = a.data[((p * m + i) * k + l) % a.data.length]!;
    const right = b.data[((p * k + l) * n + j) % b.data.length]!;
    return Number(left) * Number(right);
  };
  const sum = (f: (value: number) => number): number[] =>
    Array.from({ length: stacks * m * n }, (_, at) => {
      const [p, i, j] = [Math.floor(at / (m * n)), Math.floor(at / n) % m, at % n];
      return Array.from({ length: k }, (__, l) => f(term(p, i, j, l))).reduce((all, value) => all + value, 0);
    });
  return { values: sum((value) => value), sizes: sum(Math.abs) };
}

function expectProduct(y: OnnxTensor, shape: readonly number[], { values, sizes }: Exact, k: number): void {
  expect(y.shape).toEqual(shape);
  expectWithin(y.data as Float32Array, values, (i) => gamma(k) * sizes[i]!);
}

const MATMUL = [node("MatMul", ["a", "b"], "y")];

describe("MatMul", () => {
  it.each([
    [
      [3, 5],
      [5, 4],
      [3, 4],
    ],
    [
      [3, 2, 5],
      [5, 4],
      [3, 2, 4],
    ],
    [
      [3, 2, 6, 5],
      [5, 4],
      [3, 2, 6, 4],
    ],
    [
      [3, 2, 5],
      [1, 5, 4],
      [3, 2, 4],
    ],
  ])("of %j with %j that is known", async (left, right, shape) => {
    const [a, b] = [noise(1, left), noise(2, right)];
    const y = await runBoth(engine, { given: { a }, constants: { b }, nodes: MATMUL });
    expectProduct(y, shape, product(a, b), 5);
  });

  it("with a vector that is known", async () => {
    const [a, b] = [noise(1, [3, 2, 5]), noise(2, [5])];
    const y = await runBoth(engine, { given: { a }, constants: { b }, nodes: MATMUL });
    expectProduct(y, [3, 2], product(a, { ...b, shape: [5, 1] }), 5);
  });

  it("with a different matrix for each place of a stack", async () => {
    const [a, b] = [noise(1, [3, 2, 4, 5]), noise(2, [1, 2, 5, 3])];
    const y = await runBoth(engine, { given: { a }, constants: { b }, nodes: MATMUL });
    expectProduct(y, [3, 2, 4, 3], product(a, b), 5);
  });

  it("of a known matrix with computed ones", async () => {
    const [a, b] = [noise(1, [1, 4, 5]), noise(2, [3, 5, 2])];
    const y = await runBoth(engine, { given: { b }, constants: { a }, nodes: MATMUL });
    expectProduct(y, [3, 4, 2], product(a, b), 5);
  });

  it("of two computed values, image by image", async () => {
    const [a, b] = [noise(1, [3, 2, 4, 5]), noise(2, [3, 2, 5, 7])];
    const y = await runBoth(engine, { given: { a, b }, nodes: MATMUL });
    expectProduct(y, [3, 2, 4, 7], product(a, b), 5);
  });

  it("of computed stacks of which one is repeated", async () => {
    const [a, b] = [noise(1, [2, 3, 4, 5]), noise(2, [2, 1, 5, 3])];
    const y = await runBoth(engine, { given: { a, b }, nodes: MATMUL });
    const each = [0, 1].map((i) =>
      product(
        { shape: [3, 4, 5], data: a.data.slice(i * 60, (i + 1) * 60) },
        { shape: [1, 5, 3], data: b.data.slice(i * 15, (i + 1) * 15) },
      ),
    );
    const exact = { values: each.flatMap(({ values }) => values), sizes: each.flatMap(({ sizes }) => sizes) };
    expectProduct(y, [2, 3, 4, 3], exact, 5);
  });

  it("of what lies otherwise in memory", async () => {
    const x = noise(1, [3, 5, 4]);
    const b = noise(2, [5, 3]);
    const nodes = [node("Transpose", ["x"], "a", { perm: [0, 2, 1] }), ...MATMUL];
    const a = floats(
      [3, 4, 5],
      Array.from({ length: 60 }, (_, i) => {
        const [n, row, column] = [Math.floor(i / 20), Math.floor(i / 5) % 4, i % 5];
        return x.data[n * 20 + column * 4 + row]!;
      }),
    );
    const y = await runBoth(engine, { given: { x }, constants: { b }, nodes });
    expectProduct(y, [3, 4, 3], product(a, b), 5);
  });

  it("of two matrices joins images", async () => {
    const [a, b] = [noise(1, [3, 3]), noise(2, [3, 4])];
    const y = await runWhole(engine, { given: { a, b }, nodes: MATMUL });
    expectProduct(y, [3, 4], product(a, b), 3);
  });

  it("of integers is exact", async () => {
    const [a, b] = [integers([2, 2], [1, 2, 3, 4]), integers([2, 2], [5, 6, 7, -8])];
    const y = await runWhole(engine, { given: { a }, constants: { b }, nodes: MATMUL });
    expect(y).toEqual(integers([2, 2], [19, -10, 43, -14]));
  });

  it("refuses matrices that do not fit", async () => {
    const net = { given: { a: noise(1, [3, 5]) }, constants: { b: noise(2, [4, 2]) }, nodes: MATMUL };
    await expect(loadNet(engine, net)).rejects.toThrow(
      "y (MatMul): expected matrices [m, k] and [k, n], got 1×5 and 4×2",
    );
  });
});

describe("Gemm", () => {
  const [a, b] = [noise(1, [3, 5]), noise(2, [5, 4])];
  const turned = floats(
    [4, 5],
    Array.from({ length: 20 }, (_, i) => b.data[(i % 5) * 4 + Math.floor(i / 5)]!),
  );
  const exact = product(a, b);

  /** alpha·a·b + beta·c, where c is repeated down the rows; the sum has k products and a bias, and two scales. */
  function check(y: OnnxTensor, alpha: number, beta: number, c: (i: number) => number): void {
    expect(y.shape).toEqual([3, 4]);
    const values = exact.values.map((value, i) => alpha * value + beta * c(i));
    const bound = (i: number): number =>
      gamma(10) * (Math.abs(alpha) * exact.sizes[i]! + Math.abs(beta * c(i)));
    expectWithin(y.data as Float32Array, values, bound);
  }

  it.each([
    ["a row", [4], (i: number) => i % 4],
    ["a row of a matrix", [1, 4], (i: number) => i % 4],
    ["a number", [], () => 0],
    ["a column", [3, 1], (i: number) => Math.floor(i / 4)],
    ["a matrix", [3, 4], (i: number) => i],
  ])("scales, and adds %s", async (_, shape, at) => {
    const c = noise(3, shape);
    const attributes: Record<string, Attribute> = { alpha: { float: 0.5 }, beta: { float: -2 }, transB: 1 };
    const net = {
      given: { a },
      constants: { b: turned, c },
      nodes: [node("Gemm", ["a", "b", "c"], "y", attributes)],
    };
    // Rows that differ are rows of certain images.
    const y = await (shape[0] === 3 ? runWhole(engine, net) : runBoth(engine, net));
    check(y, 0.5, -2, (i) => c.data[at(i)]!);
  });

  it("is one layer that learns, with the row as its bias", async () => {
    const constants = { b, c: noise(3, [4]) };
    const net = await loadNet(engine, {
      given: { a },
      constants,
      nodes: [node("Gemm", ["a", "b", "c"], "y")],
    });
    expect([...net.model.weights.keys()].map((name) => name.split(".")[1])).toEqual(["kernel", "bias"]);
    net.dispose();
  });

  it("leaves the third operand out where beta is 0", async () => {
    const constants = { b, c: floats([4], [NaN, NaN, NaN, NaN]) };
    const nodes = [node("Gemm", ["a", "b", "c"], "y", { beta: { float: 0 } })];
    check(await runBoth(engine, { given: { a }, constants, nodes }), 1, 0, () => 0);
  });

  it("turns its first operand, whose columns are then no images", async () => {
    const x = floats(
      [5, 3],
      Array.from({ length: 15 }, (_, i) => a.data[(i % 3) * 5 + Math.floor(i / 3)]!),
    );
    const nodes = [node("Gemm", ["x", "b"], "y", { transA: 1 })];
    check(await runWhole(engine, { given: { x }, constants: { b }, nodes }), 1, 0, () => 0);
  });

  it("takes a computed second operand", async () => {
    const nodes = [node("Gemm", ["a", "b", "c"], "y", { alpha: { float: 2 } })];
    const c = noise(3, [4]);
    const y = await runWhole(engine, { given: { a, b }, constants: { c }, nodes });
    check(y, 2, 1, (i) => c.data[i % 4]!);
  });
});
