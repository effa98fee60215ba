/** Types and shapes of inputs that the specification does not allow. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { DATA_TYPE } from "../../src/onnx/file/proto.ts";
import { FormatError, load, type Engine } from "../../src/index.ts";
import { loadOnnx } from "../../src/onnx.ts";
import { constant, node, onnxFile, valueInfo } from "../support/onnxFile.ts";

let engine: Engine;

beforeAll(async () => {
  engine = await load();
});

afterAll(() => engine.dispose());

describe("types and shapes:", () => {
  it.each<[string, number, string]>([
    ...["Add", "Sub", "Mul", "Div", "Max", "Min", "Sum", "Pow", "MatMul", "Greater", "LessOrEqual"].map(
      (operator): [string, number, string] => [operator, 2, "operands"],
    ),
    ...["Abs", "Neg", "Sign", "Clip"].map((operator): [string, number, string] => [operator, 1, "operand"]),
    ...["ReduceSum", "ReduceMax", "ReduceMean", "ReduceL2", "ReduceProd", "ArgMax"].map(
      (operator): [string, number, string] => [operator, 1, "elements"],
    ),
  ])("%s refuses booleans", async (operator, inputs, what) => {
    const file = onnxFile({
      version: 19,
      inputs: [valueInfo("x", [2, 2], DATA_TYPE.bool)],
      nodes: [node(operator, inputs === 2 ? ["x", "x"] : ["x"], "y")],
      outputs: ["y"],
    });
    const loaded = loadOnnx(file, { engine });
    await expect(loaded).rejects.toThrow(FormatError);
    await expect(loaded).rejects.toThrow(
      `y (${operator}): ${what}: expected float32 or int64 or int32, got bool`,
    );
  });

  it.each<[string, readonly unknown[], string]>([
    ["Reshape", [2, 2], "shape"],
    ["Expand", [2, 2], "shape"],
    ["Tile", [1, 1], "repeats"],
    ["Unsqueeze", [0], "axes"],
    ["ReduceSum", [0], "axes"],
  ])("sizes of 32 bits are refused by %s", async (operator, sizes, what) => {
    const list = constant("l", [sizes.length], BigInt64Array.from(sizes as number[], BigInt));
    const narrow = {
      ...list,
      dataType: DATA_TYPE.int32,
      raw: new Uint8Array(Int32Array.from(sizes as number[]).buffer),
    };
    const file = onnxFile({
      inputs: [valueInfo("x", [2, 2])],
      initializers: [narrow],
      nodes: [node(operator, ["x", "l"], "y")],
      outputs: ["y"],
    });
    await expect(loadOnnx(file, { engine })).rejects.toThrow(
      `y (${operator}): ${what}: expected int64, got int32`,
    );
  });

  it.each<[string, number]>([
    ["more axes than the product", 1],
    ["more axes, though beta is 0", 0],
  ])("a Gemm refuses a C of %s", async (_, beta) => {
    const file = onnxFile({
      inputs: [valueInfo("x", ["n", 2])],
      initializers: [constant("w", [2, 2], [1, 2, 3, 4]), constant("c", [3, 1, 2], [1, 2, 3, 4, 5, 6])],
      nodes: [node("Gemm", ["x", "w", "c"], "y", { beta: { float: beta } })],
      outputs: ["y"],
    });
    await expect(loadOnnx(file, { engine })).rejects.toThrow(
      "y (Gemm): C: expected a shape that can be broadcast to",
    );
  });
});
