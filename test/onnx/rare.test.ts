/** Which files need the operators that are loaded when they are needed, and that these are there in time. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { load, type Engine } from "../../src/index.ts";
import { loadOnnx, type OnnxTensor } from "../../src/onnx.ts";
import { readGraph } from "../../src/onnx/import/graph.ts";
import type { Operator, Operators } from "../../src/onnx/import/operator.ts";
import { ALL } from "../../src/onnx/import/operators/all.ts";
import { Plans } from "../../src/onnx/import/plans.ts";
import { COMMON } from "../../src/onnx/import/operators/common.ts";
import { DATA_TYPE } from "../../src/onnx/file/proto.ts";
import { constant, node, onnxFile, valueInfo } from "../support/onnxFile.ts";

let engine: Engine;
let memory: number;
beforeAll(async () => {
  engine = await load();
  memory = engine.memory.used;
});
afterAll(() => engine.dispose());

type File = Parameters<typeof onnxFile>[0];

const image = valueInfo("x", ["n", 2, 4, 4]);
const numbers = (...shape: number[]): OnnxTensor => {
  const size = shape.reduce((product, length) => product * length, 1);
  return { shape, data: Float32Array.from({ length: size }, (_, i) => i - 3) };
};

/** These files need nothing beyond the entry. */
const COMMON_FILES: readonly [string, File][] = [
  [
    "a net of layers for any number of images",
    {
      nodes: [
        node("Conv", ["x", "w"], "c", { pads: [1, 1, 1, 1] }),
        node("Relu", ["c"], "r"),
        node("MaxPool", ["r"], "p", { kernel_shape: [2, 2], strides: [2, 2] }),
        node("ReduceMean", ["p"], "m", { axes: [2, 3], keepdims: 0 }),
        node("Gemm", ["m", "d"], "y", { transB: 1 }),
      ],
      inputs: [image],
      outputs: ["y"],
      initializers: [
        constant("w", [3, 2, 3, 3], new Float32Array(54).fill(0.5)),
        constant("d", [5, 3], new Float32Array(15).fill(0.5)),
      ],
    },
  ],
  [
    "shapes all of which are declared, of images that meet",
    { nodes: [node("Flatten", ["x"], "y", { axis: 0 })], inputs: [valueInfo("x", [2, 3])], outputs: ["y"] },
  ],
];

/** These files need more; each comes with its feeds. */
const RARE_FILES: readonly [string, File, Record<string, OnnxTensor>][] = [
  [
    "an operator that the entry does not know",
    { nodes: [node("IsNaN", ["x"], "y")], inputs: [image], outputs: ["y"] },
    { x: numbers(1, 2, 4, 4) },
  ],
  [
    "a form that the operator of the entry does not do",
    {
      nodes: [node("MaxPool", ["x"], ["y", "places"], { kernel_shape: [2, 2] })],
      inputs: [image],
      outputs: ["y", "places"],
    },
    { x: numbers(2, 2, 4, 4) },
  ],
  [
    "integers that are computed when the net runs",
    {
      nodes: [node("Add", ["i", "i"], "y")],
      inputs: [valueInfo("i", ["n", 2], DATA_TYPE.int32)],
      outputs: ["y"],
    },
    { i: { shape: [3, 2], data: Int32Array.of(1, 2, 3, 4, 5, 6) } },
  ],
  [
    "sizes that are open, and turn out to be of the other form",
    {
      nodes: [node("AveragePool", ["x"], "y", { kernel_shape: [2, 2], ceil_mode: 1, dilations: [2, 2] })],
      inputs: [valueInfo("x", ["n", 2, "h", "w"])],
      outputs: ["y"],
    },
    { x: numbers(1, 2, 4, 4) },
  ],
  [
    "numbers that decide",
    {
      nodes: [node("Reshape", ["x", "shape"], "r"), node("Not", ["b"], "y")],
      inputs: [image, valueInfo("shape", [2], DATA_TYPE.int64), valueInfo("b", [2], DATA_TYPE.bool)],
      outputs: ["r", "y"],
    },
    {
      x: numbers(1, 2, 4, 4),
      shape: { shape: [2], data: BigInt64Array.of(4n, 8n) },
      b: { shape: [2], data: Uint8Array.of(0, 1) },
    },
  ],
];

/** The plans of a file, and whether the operators of the entry suffice for it. */
function begun(file: File, operators = COMMON): { plans: Plans; suffice: boolean } {
  const plans = new Plans(readGraph(onnxFile(file)), engine, operators, "auto");
  return { plans, suffice: plans.begin() };
}

describe("the operators of the entry", () => {
  it.each(COMMON_FILES)("suffice for %s", (_, file) => {
    const { plans, suffice } = begun(file);
    expect(suffice).toBe(true);
    plans.dispose();
  });

  it.each(RARE_FILES)("do not suffice for %s, and the rest is there", async (_, file, feeds) => {
    const { plans, suffice } = begun(file);
    expect(suffice).toBe(false);
    plans.dispose();
    expect(engine.memory.used).toBe(memory);
    const net = await loadOnnx(onnxFile(file), { engine });
    expect(Object.keys(net.predict(feeds))).toEqual([...file.outputs]);
    net.dispose();
    expect(engine.memory.used).toBe(memory);
  });

  it("do not suffice where images meet and their number is open, since it is drawn anew for each", () => {
    const file = { nodes: [node("Flatten", ["x"], "y", { axis: 0 })], inputs: [image], outputs: ["y"] };
    const { plans, suffice } = begun(file);
    expect(suffice).toBe(false);
    plans.dispose();
    expect(engine.memory.used).toBe(memory);
  });
});

describe("a node is lowered once", () => {
  /** The operators with a count of what they lower. */
  function counted(operators: Operators, counts: Map<string, number>): Operators {
    const table = Object.entries(operators.table).map(([name, operator]): [string, Operator] => [
      name,
      {
        ...operator,
        lower(each) {
          counts.set(name, (counts.get(name) ?? 0) + 1);
          return operator.lower(each);
        },
      },
    ]);
    return { ...operators, table: Object.fromEntries(table) };
  }
  const countsOf = (file: File): Record<string, number> => {
    const counts = new Map<string, number>();
    const { plans, suffice } = begun(file, counted(COMMON, counts));
    if (!suffice) plans.begin(counted(ALL, counts));
    plans.dispose();
    return Object.fromEntries(counts);
  };
  const softmax = node("Softmax", ["r"], "s", { axis: 0 });

  it.each<[string, File["nodes"], Record<string, number>]>([
    ["where any number of images will do", [node("Tanh", ["r"], "y")], { Relu: 1, Tanh: 1 }],
    [
      "and lowering goes on from a node that takes a rare operator",
      [node("MaxPool", ["r"], "p", { kernel_shape: [2, 2], dilations: [2, 2] }), node("Tanh", ["p"], "y")],
      // The node is tried by either half.
      { Relu: 1, MaxPool: 2, Tanh: 1 },
    ],
    ["more where images meet", [softmax, node("Tanh", ["s"], "y")], { Relu: 2, Softmax: 2, Tanh: 1 }],
  ])("%s", (_, nodes, counts) => {
    expect(
      countsOf({ nodes: [node("Relu", ["x"], "r"), ...nodes], inputs: [image], outputs: ["y"] }),
    ).toEqual(counts);
  });
});

it("an error about unknown operators names those that neither part knows", async () => {
  const nodes = ["Relu", "IsNaN", "Fancy"].map((type, i) => node(type, ["x"], `v${i}`));
  const loading = loadOnnx(onnxFile({ nodes, inputs: [image], outputs: ["v2"] }), { engine });
  await expect(loading).rejects.toThrow(
    /^loadOnnx: .* got a node that is not: v2 \(Fancy\): no such operator here$/,
  );
});
