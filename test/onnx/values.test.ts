/** The values inside of a net, by the names that `value` takes. */
import { expect, it } from "vitest";
import { load } from "../../src/index.ts";
import { loadOnnx } from "../../src/onnx.ts";
import { suggestion } from "../../src/onnx/import/nearest.ts";
import { constant, node, onnxFile, valueInfo } from "../support/onnxFile.ts";

const FILE = onnxFile({
  nodes: [
    node("Conv", ["x", "w"], "features/conv", { kernel_shape: [3, 3] }),
    node("Relu", ["features/conv"], "features/relu"),
    node("Flatten", ["features/relu"], "y"),
  ],
  inputs: [valueInfo("x", ["n", 2, 5, 6])],
  outputs: ["y"],
  initializers: [constant("w", [3, 2, 3, 3], new Float32Array(54))],
});

it("values lists what value takes, in the file's order of axes", async () => {
  const engine = await load();
  const net = await loadOnnx(FILE, { engine });
  expect(net.values).toEqual([
    { name: "x", type: "float32", shape: [1, 2, 5, 6] },
    { name: "features/conv", type: "float32", shape: [1, 3, 3, 4] },
    { name: "features/relu", type: "float32", shape: [1, 3, 3, 4] },
    { name: "y", type: "float32", shape: [1, 36] },
  ]);
  for (const { name, shape } of net.values) expect(net.value(name).shape).toEqual(shape.slice(1));
  engine.dispose();
});

it("value suggests the name that is most like a wrong one", async () => {
  const engine = await load();
  const net = await loadOnnx(FILE, { engine });
  const got = (name: string): string => `the name of a value that the net computes, got "${name}"`;
  expect(() => net.value("features/rleu")).toThrow(`${got("features/rleu")} (did you mean features/relu?)`);
  expect(() => net.value("relu")).toThrow(`${got("relu")} (did you mean features/relu?)`);
  // A weight is no value, and like none.
  expect(() => net.value("w")).toThrow(/got "w"/);
  engine.dispose();
});

it("suggestions are alike, and cost little whatever the names are", () => {
  expect(suggestion("Conv2D", ["dense", "conv2d_1", "conv2d"])).toBe(" (did you mean conv2d?)");
  expect(suggestion("pool", ["dense", "maxPooling2d"])).toBe(" (did you mean maxPooling2d?)");
  expect(suggestion("dense", ["conv2d", "flatten"])).toBe("");
  expect(suggestion("", ["a"])).toBe("");
  expect(suggestion("a".repeat(1e6), ["a".repeat(1e6 + 1)])).toBe("");
});
