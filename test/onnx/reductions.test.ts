/** Reductions: axes as attributes and inputs, whatever the order in memory, and sets without elements. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { load, losses, optimizers, tensor, type Engine } from "../../src/index.ts";
import { loadOnnx, type OnnxTensor } from "../../src/onnx.ts";
import { reducedSets } from "../oracles/strided.ts";
import { expectWithin, U } from "../support/float.ts";
import { node, onnxFile, valueInfo, type Attribute } from "../support/onnxFile.ts";
import { floats, integers, loadNet, noise, runBoth, runWhole, type Net } from "./support/net.ts";

let engine: Engine;

beforeAll(async () => {
  engine = await load();
});

afterAll(() => engine.dispose());

const total = (set: readonly number[]): number => set.reduce((sum, value) => sum + value, 0);

const OPERATORS: Readonly<Record<string, (set: readonly number[]) => number>> = {
  ReduceL1: (set) => total(set.map(Math.abs)),
  ReduceL2: (set) => Math.sqrt(total(set.map((value) => value * value))),
  ReduceLogSum: (set) => Math.log(total(set)),
  ReduceLogSumExp: (set) => Math.log(total(set.map(Math.exp))),
  ReduceMax: (set) => Math.max(...set),
  ReduceMean: (set) => total(set) / set.length,
  ReduceMin: (set) => Math.min(...set),
  ReduceProd: (set) => set.reduce((product, value) => product * value, 1),
  ReduceSum: total,
  ReduceSumSquare: (set) => total(set.map((value) => value * value)),
};

const X = noise(1, [3, 4, 5, 6], 0.5, 1.5);

/** Sums are added in float64, or as means over pixels in float32; then come at most 6 roundings of numbers ≥ ½. */
function expectReduced(
  operator: string,
  y: OnnxTensor,
  shape: readonly number[],
  axes: readonly number[],
): void {
  const sets = reducedSets(X.data, X.shape, new Set(axes));
  const exact = sets.map(OPERATORS[operator]!);
  expect(y.shape).toEqual(shape);
  const roundings = 8 + (operator === "ReduceMean" ? sets[0]!.length : 0);
  expectWithin(y.data as Float32Array, exact, (i) => roundings * U * Math.max(4, Math.abs(exact[i]!)));
}

const netOf = (operator: string, attributes: Record<string, Attribute>, version: number): Net => ({
  given: { x: X },
  nodes: [node(operator, ["x"], "y", attributes)],
  version,
});

describe.each(Object.keys(OPERATORS))("%s", (operator) => {
  it.each([
    [[1], [3, 1, 5, 6]],
    [[-1], [3, 4, 5, 1]],
    [
      [2, 3],
      [3, 4, 1, 1],
    ],
    [
      [1, 3],
      [3, 1, 5, 1],
    ],
    [
      [3, 2, 1],
      [3, 1, 1, 1],
    ],
  ])("over the axes %j of each image", async (axes, shape) => {
    const own = axes.map((axis) => (axis + 4) % 4);
    const kept = await runBoth(engine, netOf(operator, { axes }, 11));
    expectReduced(operator, kept, shape, own);
    const dropped = await runBoth(engine, netOf(operator, { axes, keepdims: 0 }, 11));
    expect(dropped).toEqual({
      shape: shape.filter((_, axis) => !own.includes(axis)),
      data: kept.data,
    });
    const constants = { a: integers([axes.length], axes) };
    const nodes = [node(operator, ["x", "a"], "y")];
    expect(await runBoth(engine, { given: { x: X }, constants, nodes })).toEqual(kept);
  });

  it.each([
    [[0], [1, 4, 5, 6]],
    [
      [0, 2],
      [1, 4, 1, 6],
    ],
    [[], [1, 1, 1, 1]],
  ])("over the axes %j, which join images", async (axes, shape) => {
    const attributes: Record<string, Attribute> = axes.length > 0 ? { axes } : {};
    const own = axes.length > 0 ? axes : [0, 1, 2, 3];
    expectReduced(operator, await runWhole(engine, netOf(operator, attributes, 11)), shape, own);
  });

  it("over channels that lie last in memory", async () => {
    const constants = {
      w: floats(
        [4, 4, 1, 1],
        Array.from({ length: 16 }, (_, i) => Number(i % 5 === 0)),
      ),
    };
    const nodes = [node("Conv", ["x", "w"], "a"), node(operator, ["a"], "y", { axes: [1], keepdims: 0 })];
    const y = await runBoth(engine, { given: { x: X }, constants, nodes, version: 11 });
    expectReduced(operator, y, [3, 5, 6], [1]);
  });

  it("over no axes at all, where the file says that this is meant", async () => {
    const y = await runBoth(engine, netOf(operator, { noop_with_empty_axes: 1 }, 18));
    expectReduced(operator, y, X.shape, []);
  });
});

describe("reductions of integers", () => {
  const x = integers([2, 3], [5, -7, 4, 2, 2, 3]);

  it.each([
    ["ReduceSum", [2, 7]],
    ["ReduceMean", [0, 2]],
    ["ReduceMax", [5, 3]],
    ["ReduceProd", [-140, 12]],
    ["ReduceL1", [16, 7]],
    ["ReduceL2", [9, 4]],
  ])("%s has integers", async (operator, expected) => {
    const constants = { a: integers([1], [1]) };
    const nodes = [node(operator, ["x", "a"], "y", { keepdims: 0 })];
    const net = await loadNet(engine, { given: { x }, constants, nodes });
    expect(net.predict({ x }).y).toEqual(integers([2], expected));
    net.dispose();
  });
});

describe("reductions of no elements", () => {
  it.each([
    ["ReduceSum", 0],
    ["ReduceProd", 1],
    ["ReduceMax", -Infinity],
    ["ReduceMin", Infinity],
    ["ReduceMean", NaN],
    ["ReduceLogSum", -Infinity],
  ])("%s gives %d", async (operator, value) => {
    const x = floats([2, 0, 3], []);
    const net = { given: { x }, nodes: [node(operator, ["x"], "y", { axes: [1] })], version: 11 };
    expect(await runWhole(engine, net)).toEqual(
      floats(
        [2, 1, 3],
        Array.from({ length: 6 }, () => value),
      ),
    );
  });
});

it("the logarithm of a sum of exponentials knows infinities, and numbers whose exponentials are none", async () => {
  const x = floats([4, 2], [-Infinity, -Infinity, Infinity, 0, 1000, 1000, -1000, -1000]);
  const nodes = [node("ReduceLogSumExp", ["x"], "y", { axes: [1], keepdims: 0 })];
  const log2 = Math.log(2);
  const { data } = await runBoth(engine, { given: { x }, nodes, version: 11 });
  const expected = Float32Array.of(-Infinity, Infinity, 1000 + log2, -1000 + log2);
  expect(data).toEqual(expected);
});

it("means and maxima over pixels are pooling, and train", async () => {
  for (const [operator, layer] of [
    ["ReduceMean", "globalAveragePooling2d"],
    ["ReduceMax", "globalMaxPooling2d"],
  ] as const) {
    const net = await loadNet(engine, netOf(operator, { axes: [-1, 2] }, 11));
    expect(net.summary()).toContain(layer);
    net.dispose();
    const constants = { w: noise(2, [4, 4, 1, 1]) };
    const nodes = [node("Conv", ["x", "w"], "a"), node(operator, ["a"], "y", { axes: [2, 3], keepdims: 0 })];
    const trained = await loadNet(engine, { given: { x: X }, constants, nodes, version: 11 });
    trained.compile({ optimizer: optimizers.sgd({ learningRate: 0.1 }), loss: losses.meanSquaredError() });
    const [images, targets] = [tensor(X.data, [...X.shape]), tensor(noise(3, [3, 4]).data, [3, 4])];
    const before = trained.trainOnBatch(images, targets);
    expect(trained.trainOnBatch(images, targets)).toBeLessThan(before);
    trained.dispose();
  }
});

it("means divide by what there is, when a net goes on with other sizes", async () => {
  const images = await loadNet(engine, netOf("ReduceMean", { axes: [0, 1, 2, 3] }, 11));
  const columns = await loadOnnx(
    onnxFile({
      version: 11,
      inputs: [valueInfo("x", ["n", "w"])],
      nodes: [node("ReduceMean", ["x"], "y", { axes: [1] })],
      outputs: ["y"],
    }),
    { engine },
  );
  for (const size of [2, 5, 3]) {
    const ones = floats(
      [size, 4, 5, 6],
      Array.from({ length: size * 120 }, () => 1),
    );
    expect(images.predict({ x: ones }).y).toEqual(floats([1, 1, 1, 1], [1]));
    const rows = floats(
      [2, size],
      Array.from({ length: 2 * size }, () => 1),
    );
    expect(columns.predict({ x: rows }).y).toEqual(floats([2, 1], [1, 1]));
  }
  images.dispose();
  columns.dispose();
});

it("an axis that there is not is told", async () => {
  await expect(loadNet(engine, netOf("ReduceSum", { axes: [4] }, 11))).rejects.toThrow(
    "y (ReduceSum): expected an axis of 4 dimensions, got 4",
  );
});
