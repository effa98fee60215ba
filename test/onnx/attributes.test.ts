/**
 * Attributes that mean nothing, and those that decide together: what the specification and onnxruntime make of them.
 */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { FormatError, load, type Engine } from "../../src/index.ts";
import { loadOnnx } from "../../src/onnx.ts";
import { constant, node, onnxFile, valueInfo, type Attribute } from "../support/onnxFile.ts";
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

const ramp = (shape: readonly number[]) => {
  let i = 0;
  return tensorOf(shape, () => ++i);
};

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
      "indices: expected int64 or int32, got float32",
    ],
    [
      { operator: "Reshape", constants: [{ shape: [1], data: Float32Array.of(-1) }] },
      "shape: expected int64, got float32",
    ],
    [
      { operator: "Squeeze", attributes: { axes: [1] }, constants: [[1]] },
      "axes: expected an attribute or an input, got both",
    ],
    [
      { operator: "Pad", constants: [[0, 0, 0, 0, 0, 0], { shape: [2], data: Float32Array.of(1, 2) }] },
      "constant_value: expected one number, got 2",
    ],
    [
      { operator: "Split", attributes: { axis: 2 }, outputs: 2 },
      "expected either split or num_outputs, got none",
    ],
    [
      { operator: "Split", attributes: { axis: 2, num_outputs: 2 }, constants: [[2, 2]], outputs: 2 },
      "expected either split or num_outputs, got both",
    ],
    [
      { operator: "Split", version: 13, attributes: { axis: 2 }, outputs: 3 },
      "expected a size that makes 3 parts, got 4",
    ],
    [
      // Two of two elements, and nothing for the third.
      { operator: "Split", attributes: { axis: 2, num_outputs: 3 }, outputs: 3 },
      "expected a size that makes 3 parts, got 4",
    ],
    [
      { operator: "MaxPool", attributes: { kernel_shape: [2], auto_pad: "SAME_UPPER", pads: [0, 1] } },
      "pads: expected none beside auto_pad SAME_UPPER, got 0, 1",
    ],
    [
      { operator: "Conv", attributes: { auto_pad: "VALID", pads: [1, 0] }, constants: [FILTER] },
      "pads: expected none beside auto_pad VALID, got 1, 0",
    ],
    [
      {
        operator: "ConvTranspose",
        attributes: { auto_pad: "SAME_LOWER", pads: [1, 0] },
        constants: [FILTER],
      },
      "pads: expected none beside auto_pad SAME_LOWER, got 1, 0",
    ],
    [
      { operator: "Clip", constants: [{ shape: [2], data: Float32Array.of(0, 1) }] },
      "bounds: expected a single number, got 2",
    ],
    [{ operator: "Clip", constants: [[0]] }, "bounds: expected float32, got int64"],
    [
      { operator: "LayerNormalization", attributes: { stash_type: 11 }, constants: [ramp([4])] },
      "stash_type: expected float32, got float64",
    ],
    [
      {
        operator: "GroupNormalization",
        version: 21,
        attributes: { stash_type: 10, num_groups: 1 },
        constants: [ramp([1]), ramp([1])],
      },
      "stash_type: expected float32, got float16",
    ],
    [
      { operator: "LayerNormalization", attributes: { axis: 1 }, constants: [ramp([4, 1])] },
      "scale: expected float32 of shape 1×4, got float32 of shape 4×1",
    ],
    [
      { operator: "PRelu", constants: [ramp([3, 1, 1, 4])] },
      "slope: expected a shape that can be broadcast to 1×1×4, got 3×1×1×4",
    ],
    [
      { operator: "Pad", attributes: { mode: "reflect" }, constants: [[0, 0, -4, 0, 0, 1]] },
      "pads: expected pads that fit 4 elements, got -4 and 1",
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

/**
 * The input is 0, 1, 4, 9 …, as long as the last axis; results are computed by hand from the specification's formulas.
 */
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
  [
    "a start in front of the axis, backwards: at the first element, other than NumPy's",
    { operator: "Slice", constants: [[-9], [-99], [2], [-1]] },
    [1, 1, 4],
    [0],
  ],
  [
    "an end in front of the axis, backwards",
    { operator: "Slice", constants: [[9], [-(2 ** 62)], [-1], [-2]] },
    [1, 1, 5],
    [16, 4, 0],
  ],
  [
    "what is cut off in front is not wrapped behind",
    { operator: "Pad", attributes: { mode: "wrap" }, constants: [[0, 0, -2, 0, 0, 3]] },
    [1, 1, 5],
    [4, 9, 16, 4, 9, 16],
  ],
  [
    "what is cut off behind is not wrapped in front",
    { operator: "Pad", attributes: { mode: "wrap" }, constants: [[0, 0, 1, 0, 0, -2]] },
    [1, 1, 5],
    [4, 0, 1, 4],
  ],
  [
    "what is cut off in front is not reflected behind",
    { operator: "Pad", attributes: { mode: "reflect" }, constants: [[0, 0, -3, 0, 0, 2]] },
    [1, 1, 5],
    // 9, 16 and their reflections.
    [9, 16, 9, 16],
  ],
  [
    "zeros for what is cut off on one side and added on the other",
    { operator: "Pad", constants: [[0, 0, -1, 0, 0, 2]] },
    [1, 1, 3],
    [1, 4, 0, 0],
  ],
  [
    "wrapped more than once, as NumPy does",
    { operator: "Pad", attributes: { mode: "wrap" }, constants: [[0, 0, 4, 0, 0, 0]] },
    [1, 1, 3],
    [4, 0, 1, 4, 0, 1, 4],
  ],
  ["no axes to squeeze in a list that is empty", { operator: "Squeeze", constants: [[]] }, [1, 1, 2], [0, 1]],
  [
    "parts up to opset 17, which are equal",
    { operator: "Split", version: 13, attributes: { axis: 2 }, outputs: 2 },
    [1, 1, 4],
    [0, 1],
  ],
  [
    "a scale with axes of size 1 in front",
    {
      operator: "LayerNormalization",
      attributes: { epsilon: { float: 0 } },
      constants: [{ shape: [1, 2], data: Float32Array.of(1, 3) }],
    },
    [1, 1, 2],
    [-1, 3],
  ],
];

/** Rows with NaN: it is the largest, and the first of them the extreme, as NumPy has it. */
const ROWS: [string, OneNode, number[]][] = [
  ["the largest", { operator: "ArgMax", attributes: { axis: 1 } }, [1]],
  ["the smallest", { operator: "ArgMin", attributes: { axis: 1 } }, [1]],
  ["the last of the largest", { operator: "ArgMax", attributes: { axis: 1, select_last_index: 1 } }, [1]],
  ["the first of them", { operator: "TopK", constants: [[3]], outputs: 2 }, [NaN, NaN, 5]],
  [
    "the last of them",
    { operator: "TopK", attributes: { largest: 0 }, constants: [[4]], outputs: 2 },
    [1, 2, 3, 5],
  ],
];

describe("rows with NaN:", () => {
  it.each(ROWS)("%s", async (_, one, wanted) => {
    const x = { shape: [1, 6], data: Float32Array.of(1, NaN, 3, 2, NaN, 5) };
    const [y] = await outputsOf(engine, one, x);
    expect([...y!.data].map(Number)).toEqual(wanted);
  });
});

describe("attributes together:", () => {
  it.each(PAIRS)("%s", async (_, one, shape, wanted) => {
    const [y] = await outputsOf(engine, one, squares(shape));
    expect([...y!.data].map(Number)).toEqual(wanted.map((value) => expect.closeTo(value, 5)));
  });
});
