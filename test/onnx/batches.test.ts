/** Which nets take any number of images: none that has one number in mind, or returns how many there are. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { load, type Engine } from "../../src/index.ts";
import { loadOnnx, type OnnxTensor } from "../../src/onnx.ts";
import type { NodeProto } from "../../src/onnx/file/proto.ts";
import { constant, node, onnxFile, valueInfo } from "../support/onnxFile.ts";
import { floats, integers, loadNet, noise, type Net } from "./support/net.ts";

let engine: Engine;

beforeAll(async () => {
  engine = await load();
});

afterAll(() => engine.dispose());

describe("a target that is a number", () => {
  it.each([1, 7, 11, 13, 143])("%i is a size, and not that of a batch that looks like it", async (cells) => {
    const net = await loadOnnx(
      onnxFile({
        inputs: [valueInfo("x", ["n", 2, cells])],
        initializers: [constant("target", [2], BigInt64Array.of(BigInt(cells), -1n))],
        nodes: [node("Reshape", ["x", "target"], "y")],
        outputs: ["y"],
      }),
      { engine },
    );
    for (const n of [1, 3, 13]) {
      const x = noise(1, [n, 2, cells]);
      expect(net.predict({ x }).y).toEqual({ shape: [cells, 2 * n], data: x.data });
    }
    net.dispose();
  });
});

describe("what has as many rows as there are images", () => {
  const anchors = noise(2, [1, 2, 2]);
  const rest = integers([2], [2, 2]);
  const sizes = [
    node("Shape", ["x"], "s", { start: 0, end: 1 }),
    node("Concat", ["s", "rest"], "sizes", { axis: 0 }),
  ];

  it.each<[string, NodeProto[]]>([
    ["expanded", [...sizes, node("Expand", ["anchors", "sizes"], "y")]],
    [
      "tiled",
      [...sizes, node("Div", ["sizes", "rest1"], "repeats"), node("Tile", ["anchors", "repeats"], "y")],
    ],
  ])("is made for each number of them: %s", async (_, nodes) => {
    const net: Net = {
      given: { x: noise(3, [1, 2]) },
      constants: { anchors, rest, rest1: integers([3], [1, 2, 2]) },
      nodes,
    };
    const loaded = await loadNet(engine, net);
    for (const n of [1, 2, 13]) {
      const { y } = loaded.predict({ x: noise(4, [n, 2]) });
      const copies: OnnxTensor[] = Array.from({ length: n }, () => anchors);
      expect(y).toEqual(
        floats(
          [n, 2, 2],
          copies.flatMap(({ data }) => [...(data as Float32Array)]),
        ),
      );
    }
    loaded.dispose();
  });
});
