/** Softmax and its logarithm along any axis, of the versions before 13 and since. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { load, type Engine } from "../../src/index.ts";
import type { OnnxTensor } from "../../src/onnx.ts";
import { indicesOf } from "../oracles/strided.ts";
import { logSoftmax } from "../oracles/unary.ts";
import { expectWithin, U } from "../support/float.ts";
import { node, type Attribute } from "../support/onnxFile.ts";
import { floats, loadNet, noise, runBoth, runWhole, type Net } from "./support/net.ts";

let engine: Engine;

beforeAll(async () => {
  engine = await load();
});

afterAll(() => engine.dispose());

const SHAPE = [3, 4, 5, 2];
const X = noise(1, SHAPE, -3, 3);

/** log-softmax over some axes together. */
function exact(axes: readonly number[]): number[] {
  const keys = indicesOf(SHAPE).map((index) => index.filter((_, axis) => !axes.includes(axis)).join());
  const places = new Map<string, number[]>();
  keys.forEach((key, i) => places.set(key, [...(places.get(key) ?? []), i]));
  const result: number[] = [];
  for (const set of places.values()) {
    logSoftmax(set.map((i) => X.data[i]!)).forEach((value, j) => (result[set[j]!] = value));
  }
  return result;
}

/** Compares softmax over at most 120 elements between −3 and 3 with the exact one, by the kernels' bounds. */
function expectSoftmax(operator: string, y: OnnxTensor, axes: readonly number[]): void {
  const logs = exact(axes);
  expect(y.shape).toEqual(SHAPE);
  if (operator === "LogSoftmax") {
    expectWithin(y.data as Float32Array, logs, (i) => (2 * Math.abs(logs[i]!) + 2 * 6 + 30 + 4) * U);
  } else {
    const values = logs.map(Math.exp);
    expectWithin(y.data as Float32Array, values, (i) => (6 + 30 + 6) * U * values[i]!);
  }
}

const netOf = (operator: string, attributes: Record<string, Attribute>, version: number): Net => ({
  given: { x: X },
  nodes: [node(operator, ["x"], "y", attributes)],
  version,
});

describe.each(["Softmax", "LogSoftmax"])("%s", (operator) => {
  it.each([
    [1, [1]],
    [2, [2]],
    [-1, [3]],
  ])("along axis %i", async (axis, axes) => {
    expectSoftmax(operator, await runBoth(engine, netOf(operator, { axis }, 13)), axes);
  });

  it("along the last axis, where none is given", async () => {
    expectSoftmax(operator, await runBoth(engine, netOf(operator, {}, 13)), [3]);
  });

  it("along the images, which joins them", async () => {
    expectSoftmax(operator, await runWhole(engine, netOf(operator, { axis: 0 }, 13)), [0]);
  });

  it.each([
    [{ axis: 1 }, [1, 2, 3]],
    [{}, [1, 2, 3]],
    [{ axis: 2 }, [2, 3]],
    [{ axis: -1 }, [3]],
  ] as const)("of the versions before 13 with %j", async (attributes, axes) => {
    expectSoftmax(operator, await runBoth(engine, netOf(operator, attributes, 11)), axes);
  });

  it("moves nothing for channels that lie last already", async () => {
    const nodes = [
      node("Conv", ["x", "w"], "a"),
      node(operator, ["a"], "b", { axis: 1 }),
      node("Flatten", ["b"], "y"),
    ];
    const constants = { w: noise(2, [3, 4, 1, 1]) };
    const net = await loadNet(engine, { given: { x: X }, constants, nodes, version: 13 });
    // Once for the input, once for the output.
    expect(net.summary().match(/permute/g)).toHaveLength(2);
    net.dispose();
  });

  it("refuses integers", async () => {
    const given = { x: { shape: [2, 2], data: BigInt64Array.of(1n, 2n, 3n, 4n) } };
    await expect(loadNet(engine, { given, nodes: [node(operator, ["x"], "y")] })).rejects.toThrow(
      "expected float32, got int64",
    );
  });
});

it("log-softmax keeps what the logarithm of softmax would lose", async () => {
  const x = floats([1, 3], [200, 0, -200]);
  const y = await runBoth(engine, { given: { x }, nodes: [node("LogSoftmax", ["x"], "y")] });
  expect(y).toEqual(floats([1, 3], [0, -200, -400]));
});
