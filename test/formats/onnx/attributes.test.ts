/** Attributes that mean nothing, and those that decide together: what the specification and onnxruntime make of them. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { FormatError, load, type Engine } from "../../../src/index.ts";
import { loadOnnx } from "../../../src/onnx.ts";
import { constant, node, onnxFile, valueInfo, type Attribute } from "../../support/onnxFile.ts";
import { outputsOf, tensorOf, type OneNode } from "./support/oneNode.ts";

let engine: Engine;

beforeAll(async () => {
  engine = await load();
});

afterAll(() => engine.dispose());

const squares = (shape: readonly number[]) => {
  let i = 0;
  return tensorOf(shape, () => i * i++);
};

type Attributes = Readonly<Record<string, Attribute>>;

const FILTER = { shape: [1, 1, 2], data: Float32Array.of(1, 2) };

describe("a node refuses", () => {
  it.each<[OneNode, string]>([
    [
      { operator: "ArgMax", attributes: { select_last_index: 2 } },
      "select_last_index: expected 0 or 1, got 2",
    ],
    [{ operator: "ArgMin", attributes: { keepdims: -1 } }, "keepdims: expected 0 or 1, got -1"],
    [{ operator: "ReduceSum", attributes: { keepdims: 2 } }, "keepdims: expected 0 or 1, got 2"],
    [
      { operator: "ReduceMax", attributes: { noop_with_empty_axes: 3 } },
      "noop_with_empty_axes: expected 0 or 1, got 3",
    ],
    [{ operator: "TopK", attributes: { sorted: 2 }, constants: [[1]] }, "sorted: expected 0 or 1, got 2"],
    [
      { operator: "Reshape", attributes: { allowzero: 2 }, constants: [[0, -1]] },
      "allowzero: expected 0 or 1, got 2",
    ],
    [
      { operator: "AveragePool", attributes: { kernel_shape: [2], count_include_pad: 33 } },
      "count_include_pad: expected 0 or 1, got 33",
    ],
    [
      { operator: "MaxPool", attributes: { kernel_shape: [2], ceil_mode: 2 } },
      "ceil_mode: expected 0 or 1, got 2",
    ],
    [
      { operator: "MaxPool", attributes: { kernel_shape: [2], pads: [0, 2] } },
      "pads: expected less than the kernel's 2, got 0, 2",
    ],
    [
      { operator: "AveragePool", attributes: { kernel_shape: [1], pads: [1, 0] } },
      "pads: expected less than the kernel's 1, got 1, 0",
    ],
    [
      { operator: "MaxPool", attributes: { kernel_shape: [6] } },
      "expected at least 6 elements along axis 2, got 4",
    ],
    [
      { operator: "ConvTranspose", attributes: { strides: [2], output_padding: [2] }, constants: [FILTER] },
      "output_padding and output_shape: expected less than 2 elements behind the last window along axis 2, got 2",
    ],
    [
      { operator: "ConvTranspose", attributes: { strides: [2], output_shape: [10] }, constants: [FILTER] },
      "output_padding and output_shape: expected less than 2 elements behind the last window along axis 2, got 2",
    ],
    [
      { operator: "Elu", attributes: { alpha: { float: Infinity } } },
      "alpha: expected a finite number, got Infinity",
    ],
    [
      { operator: "LeakyRelu", attributes: { alpha: { float: NaN } } },
      "alpha: expected a finite number, got NaN",
    ],
    [{ operator: "Concat" }, "axis: expected an integer, got none"],
    [{ operator: "Cast" }, "to: expected an integer, got none"],
    [{ operator: "DepthToSpace" }, "blocksize: expected an integer, got none"],
    [
      { operator: "Gather", constants: [{ shape: [1], data: Float32Array.of(0) }] },
      "places: expected int64 or int32, got float32",
    ],
    [
      { operator: "Reshape", constants: [{ shape: [1], data: Float32Array.of(-1) }] },
      "shape: expected int64 or int32, got float32",
    ],
    [
      { operator: "Squeeze", attributes: { axes: [1] }, constants: [[1]] },
      "axes: expected an attribute or an input, got both",
    ],
    [
      { operator: "Pad", constants: [[0, 0, 0, 0, 0, 0], { shape: [2], data: Float32Array.of(1, 2) }] },
      "constant_value: expected one number, got 2",
    ],
  ])("%j", async (one, reason) => {
    const refused = outputsOf(engine, one, squares([2, 1, 4]));
    await expect(refused).rejects.toThrow(FormatError);
    await expect(refused).rejects.toThrow(`y0 (${one.operator}): ${reason}`);
  });

  it.each<[string, Attributes]>([
    ["transA", { transA: 3 }],
    ["transB", { transB: -1 }],
  ])("a Gemm of another %s", async (name, attributes) => {
    const file = onnxFile({
      inputs: [valueInfo("x", ["n", 2])],
      initializers: [constant("w", [2, 2], [1, 2, 3, 4])],
      nodes: [node("Gemm", ["x", "w"], "y", attributes)],
      outputs: ["y"],
    });
    await expect(loadOnnx(file, { engine })).rejects.toThrow(`y (Gemm): ${name}: expected 0 or 1`);
  });
});

/** Of 0, 1, 4, 9 … as many as the last axis has; values by hand from the specification's formulas. */
const PAIRS: [string, OneNode, readonly number[], number[]][] = [
  [
    "padding counts, but not what windows reach beyond it",
    {
      operator: "AveragePool",
      attributes: { kernel_shape: [3], strides: [2], pads: [1, 1], ceil_mode: 1, count_include_pad: 1 },
    },
    [1, 1, 4],
    // (0 + 0 + 1) / 3, (1 + 4 + 9) / 3, (9 + 0) / 2.
    [1 / 3, 14 / 3, 4.5],
  ],
  [
    "what windows reach beyond does not count without padding either",
    {
      operator: "AveragePool",
      attributes: { kernel_shape: [3], strides: [2], ceil_mode: 1, count_include_pad: 0 },
    },
    [1, 1, 4],
    [5 / 3, 6.5],
  ],
  [
    "as many elements as inputs times strides, by SAME_UPPER",
    { operator: "ConvTranspose", attributes: { strides: [3], auto_pad: "SAME_UPPER" }, constants: [FILTER] },
    [1, 1, 2],
    [0, 0, 0, 1, 2, 0],
  ],
  [
    "a given size, which output_padding shifts",
    {
      operator: "ConvTranspose",
      attributes: { strides: [2], output_shape: [4], output_padding: [1] },
      constants: [FILTER],
    },
    [1, 1, 2],
    // One element of padding in all, in front since it is not SAME_UPPER.
    [0, 1, 2, 0],
  ],
  [
    "parts of which the last is smaller",
    { operator: "Split", attributes: { axis: 2, num_outputs: 2 }, outputs: 2 },
    [1, 1, 5],
    [0, 1, 4],
  ],
];

describe("attributes together:", () => {
  it.each(PAIRS)("%s", async (_, one, shape, wanted) => {
    const [y] = await outputsOf(engine, one, squares(shape));
    expect([...y!.data].map(Number)).toEqual(wanted.map((value) => expect.closeTo(value, 5)));
  });
});
