/** Operators by families, and by the forms that they have. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { load, type Engine } from "../../src/index.ts";
import { loadOnnx, type OnnxTensor } from "../../src/onnx.ts";
import * as core from "../../src/onnxCore.ts";
import { allOperators } from "../../src/onnx/import/families.ts";
import { readGraph } from "../../src/onnx/import/graph.ts";
import type { Operator, OperatorTable } from "../../src/onnx/import/operator.ts";
import { Plans } from "../../src/onnx/import/plans.ts";
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

/** A net of layers for any number of images. */
const NET: File = {
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
};

/** Nodes that layers do not compute in their first form; each file comes with its feeds. */
const OTHER_FORMS: readonly [string, File, Record<string, OnnxTensor>][] = [
  [
    "an operator without a layer",
    { nodes: [node("IsNaN", ["x"], "y")], inputs: [image], outputs: ["y"] },
    { x: numbers(1, 2, 4, 4) },
  ],
  [
    "a second output",
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

describe("an operator", () => {
  it.each(OTHER_FORMS)("has another form for %s", async (_, file, feeds) => {
    const net = await loadOnnx(onnxFile(file), { engine });
    expect(Object.keys(net.predict(feeds))).toEqual([...file.outputs]);
    net.dispose();
    expect(engine.memory.used).toBe(memory);
  });
});

describe("a node is lowered once", () => {
  /** The operators with a count of what they lower. */
  function counted(operators: OperatorTable, counts: Map<string, number>): OperatorTable {
    const table = Object.entries(operators).map(([name, operator]): [string, Operator] => [
      name,
      {
        ...operator,
        lower(each) {
          counts.set(name, (counts.get(name) ?? 0) + 1);
          return operator.lower(each);
        },
      },
    ]);
    return Object.fromEntries(table);
  }
  const countsOf = (file: File): Record<string, number> => {
    const counts = new Map<string, number>();
    const plans = new Plans(readGraph(onnxFile(file)), engine, counted(allOperators(), counts), "auto");
    plans.begin();
    plans.dispose();
    return Object.fromEntries(counts);
  };
  const softmax = node("Softmax", ["r"], "s", { axis: 0 });

  it.each<[string, File["nodes"], Record<string, number>]>([
    ["where any number of images will do", [node("Tanh", ["r"], "y")], { Relu: 1, Tanh: 1 }],
    [
      "in whichever form",
      [node("MaxPool", ["r"], "p", { kernel_shape: [2, 2], dilations: [2, 2] }), node("Tanh", ["p"], "y")],
      { Relu: 1, MaxPool: 1, Tanh: 1 },
    ],
    ["more where images meet", [softmax, node("Tanh", ["s"], "y")], { Relu: 2, Softmax: 2, Tanh: 1 }],
  ])("%s", (_, nodes, counts) => {
    expect(
      countsOf({ nodes: [node("Relu", ["x"], "r"), ...nodes], inputs: [image], outputs: ["y"] }),
    ).toEqual(counts);
  });
});

describe("im2row/onnx/core", () => {
  const { loadOnnx: loadSome, ...exported } = core;
  const families = Object.entries(exported) as [string, core.OperatorFamily][];

  it("has each operator in one of its families", () => {
    const names = families.flatMap(([, family]) => Object.keys(family()));
    expect([...names].sort()).toEqual(Object.keys(allOperators()).sort());
    expect(families.length).toBeGreaterThan(5);
  });

  it("gives the bits of im2row/onnx, of the families that a file needs", async () => {
    const operators = [core.convolutions, core.activations, core.pooling, core.reductions, core.products];
    const [some, all] = [
      await loadSome(onnxFile(NET), { engine, operators }),
      await loadOnnx(onnxFile(NET), { engine }),
    ];
    const x = numbers(3, 2, 4, 4);
    expect(some.predict({ x })).toEqual(all.predict({ x }));
    some.dispose();
    all.dispose();
  });

  it("names the operators of others", async () => {
    const loading = loadSome(onnxFile(NET), { engine, operators: [core.convolutions, core.pooling] });
    await expect(loading).rejects.toThrow(
      /got 3 nodes that are not: r \(Relu\): no such operator among the families passed as operators; m \(ReduceMean\)/,
    );
  });

  it.each([undefined, "all", [core.pooling, "activations"], [{}]])("refuses %o", async (operators) => {
    const loading = loadSome(onnxFile(NET), { engine, operators: operators as never });
    await expect(loading).rejects.toThrow(
      "loadOnnx: operators: expected a list of families of operators, got ",
    );
  });
});

it("an error about unknown operators names those", async () => {
  const nodes = ["Relu", "IsNaN", "Fancy"].map((type, i) => node(type, ["x"], `v${i}`));
  const loading = loadOnnx(onnxFile({ nodes, inputs: [image], outputs: ["v2"] }), { engine });
  await expect(loading).rejects.toThrow(
    /^loadOnnx: .* got a node that is not: v2 \(Fancy\): no such operator here$/,
  );
});
