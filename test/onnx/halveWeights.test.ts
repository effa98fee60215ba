/** ONNX files with weights of float16, which a node of its own widens. */
import { expect, it } from "vitest";
import { decodeModel } from "../../src/onnx/file/decode.ts";
import { encodeModel } from "../../src/onnx/file/encode.ts";
import { halveWeights } from "../../src/onnx/file/halveWeights.ts";
import { DATA_TYPE } from "../../src/onnx/file/proto.ts";
import { constant, node, onnxFile, valueInfo } from "../support/onnxFile.ts";

/** A product with a matrix, and a bias. */
const parts = (w: number[], inputs = [valueInfo("x", ["n", 2])]) => ({
  nodes: [node("Gemm", ["x", "w", "b"], "y")],
  inputs,
  outputs: ["y"],
  initializers: [constant("w", [2, 1], w), constant("b", [1], [0.1])],
});

it("stores matrices as float16, rounded to the nearest, and leaves lists as they are", () => {
  const { graph } = decodeModel(halveWeights(onnxFile(parts([1 / 3, 65519]))));
  const [w, b] = graph!.initializers;
  expect([w!.name, w!.dataType, w!.dims]).toEqual(["w/float16", DATA_TYPE.float16, [2, 1]]);
  // numpy.float16([1 / 3, 65519]).view("uint16"): 0x3555, 0x7bff.
  expect([...w!.raw!]).toEqual([0x55, 0x35, 0xff, 0x7b]);
  expect([b!.name, b!.dataType]).toEqual(["b", DATA_TYPE.float32]);
  const [cast, gemm] = graph!.nodes;
  expect([cast!.opType, cast!.inputs, cast!.outputs]).toEqual(["Cast", ["w/float16"], ["w"]]);
  expect(cast!.attributes[0]).toMatchObject({ name: "to", i: DATA_TYPE.float32 });
  expect(gemm).toEqual(parts([]).nodes[0]);
});

it("refuses numbers that would become infinite, and keeps infinities", () => {
  expect(() => halveWeights(onnxFile(parts([1, -65520])))).toThrow(
    "float16: w: expected numbers up to 65504, got -65520",
  );
  const { graph } = decodeModel(halveWeights(onnxFile(parts([-Infinity, 0]))));
  expect([...graph!.initializers[0]!.raw!]).toEqual([0, 0xfc, 0, 0]);
});

it("takes weights from among the inputs, where files of old versions list them", () => {
  const model = decodeModel(onnxFile(parts([1, 2], [valueInfo("x", ["n", 2]), valueInfo("w", [2, 1])])));
  const { graph, irVersion } = decodeModel(halveWeights(encodeModel({ ...model, irVersion: 3 })));
  expect(graph!.inputs.map(({ name }) => name)).toEqual(["x"]);
  // From this version on, initializers need not be inputs.
  expect(irVersion).toBe(4);
});

it("finds names that the file has not", () => {
  const { nodes, ...rest } = parts([1, 2]);
  const named = { ...rest, nodes: [...nodes, node("Relu", ["y"], "w/float16")] };
  const { graph } = decodeModel(halveWeights(onnxFile(named)));
  expect(graph!.initializers[0]!.name).toBe("w/float16_");
});
