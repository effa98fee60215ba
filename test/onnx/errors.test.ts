/** Mistakes as users meet them: which file, node, input or option, what was expected and what was given. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  FormatError,
  load,
  optimizers,
  losses,
  OptionError,
  ShapeError,
  tensor,
  type Engine,
} from "../../src/index.ts";
import { loadOnnx, type Feeds, type OnnxModel } from "../../src/onnx.ts";
import { DATA_TYPE } from "../../src/onnx/file/proto.ts";
import { constant, messages, node, onnxFile, valueInfo, type FileParts } from "../support/onnxFile.ts";
import { encodeModel } from "../../src/onnx/file/encode.ts";

let engine: Engine;
beforeAll(async () => {
  engine = await load();
});
afterAll(() => engine.dispose());

const open = (parts: FileParts): Promise<OnnxModel> => loadOnnx(onnxFile(parts), { engine });
const RELU: FileParts = {
  nodes: [node("Relu", ["x"], "y")],
  inputs: [valueInfo("x", ["n", 4])],
  outputs: ["y"],
};
const x = tensor([1, 2, 3, 4], [1, 4]);

describe("loadOnnx refuses", () => {
  it("nodes that nobody computes, and names all of them", async () => {
    const nodes = [
      node("Loop", ["x"], "a"),
      { ...node("Relu", ["a"], "b"), domain: "com.example", name: "own" },
      node("Relu", ["b"], "c"),
      node("toString", ["c"], "y"),
    ];
    await expect(open({ ...RELU, nodes })).rejects.toThrow(
      new FormatError(
        "loadOnnx: expected nodes that can be computed, got 3 nodes that are not: a (Loop): no such operator here; " +
          "own (com.example.Relu): no such operator here; y (toString): no such operator here",
      ),
    );
  });

  it("nodes whose attributes and shapes it cannot do, and names all of them with the reasons", async () => {
    const nodes = [
      node("LeakyRelu", ["x"], "a", { slope: { float: 1 } }),
      node("Flatten", ["x"], "b", { axis: 7 }),
      node("Relu", ["b"], "b1"),
      node("Reshape", ["x", "shape"], "c"),
      node("Relu", [], "d"),
      node("Relu", [""], "e"),
      node("Relu", ["x"], ["f", "g"]),
      node("Softmax", ["x"], "h", { axis: { float: 1 } }),
    ];
    const initializers = [constant("shape", [2], BigInt64Array.of(3n, 5n))];
    const loading = open({ nodes, inputs: [valueInfo("x", [1, 4])], outputs: ["a"], initializers });
    await expect(loading).rejects.toThrow(FormatError);
    for (const reason of [
      "got 7 nodes that are not",
      "a (LeakyRelu): attributes that are not known here: slope",
      "b (Flatten): expected an axis of 2 dimensions, got 7",
      "c (Reshape): expected a shape of 4 elements, got 3×5",
      "d (Relu): expected from 1 to 1 inputs, got 0",
      "e (Relu): expected an input 0, got none",
      "f (Relu): expected at most 1 outputs, got 2",
      "h (Softmax): axis: expected an attribute of type 2, got type 1",
    ])
      await expect(loading).rejects.toThrow(reason);
  });

  it("weights that do not fit, at their node", async () => {
    const initializers = [constant("w", [3, 2, 1, 1], new Float32Array(6)), constant("b", [2], [1, 2])];
    const nodes = [node("Conv", ["x", "w", "b"], "y", { kernel_shape: [1, 1] })];
    const parts = { nodes, inputs: [valueInfo("x", ["n", 2, 4, 4])], outputs: ["y"], initializers };
    await expect(open(parts)).rejects.toThrow(/not: y \(Conv\): bias: expected 3 elements, got 2$/);
  });

  it.each<[string, Partial<FileParts>, string]>([
    ["an old opset", { version: 5 }, "opset: expected version 6 to 25 of ONNX's operators, got 5"],
    ["a later opset", { version: 99 }, "opset: expected version 6 to 25 of ONNX's operators, got 99"],
    ["no outputs", { outputs: [] }, "file: expected a graph with outputs, got"],
    ["an output of nothing", { outputs: ["z"] }, 'outputs: expected values that something defines, got "z"'],
    [
      "an output that stands twice",
      { outputs: ["y", "y"] },
      'outputs: expected values of their own, got "y, y"',
    ],
    [
      "an input of nothing",
      { nodes: [node("Relu", ["q"], "y")] },
      'y: expected inputs that something defines, got "q"',
    ],
    [
      "a value defined twice",
      { nodes: [node("Relu", ["x"], "y"), node("Relu", ["x"], "y")] },
      "y: expected values of its own, got",
    ],
    [
      "an input of strings",
      { inputs: [valueInfo("x", [1], DATA_TYPE.string)] },
      'input "x": expected a tensor of float32, float16, int32, int64, bool or uint8, got "string"',
    ],
    ["an input without a shape", { inputs: [valueInfo("x")] }, 'input "x": expected a shape, got "none"'],
    [
      "a weight of other size",
      { initializers: [constant("w", [5], [1])] },
      "w: expected 5 elements for 5, got 1",
    ],
  ])("a file with %s", async (_, parts, message) => {
    await expect(open({ ...RELU, ...parts })).rejects.toThrow(FormatError);
    await expect(open({ ...RELU, ...parts })).rejects.toThrow(`loadOnnx: ${message}`);
  });

  it("a file that is cut off, wherever", async () => {
    const file = encodeModel(messages(RELU));
    for (let length = 0; length < file.length; length++) {
      await expect(loadOnnx(file.slice(0, length), { engine })).rejects.toThrow(FormatError);
    }
  });

  it.each<[unknown, string]>([
    [new ArrayBuffer(8), "ArrayBuffer"],
    ["model.onnx", "String"],
    [undefined, "Undefined"],
  ])("what holds no bytes: %o", async (bytes, kind) => {
    await expect(loadOnnx(bytes as Uint8Array, { engine })).rejects.toThrow(
      new FormatError(`loadOnnx: expected a Uint8Array, got ${kind}`),
    );
  });

  it("options that do not exist, and no engine", async () => {
    const file = onnxFile(RELU);
    await expect(loadOnnx(file, { engine, threads: 2 } as never)).rejects.toThrow(OptionError);
    await expect(loadOnnx(file, {} as never)).rejects.toThrow(
      "loadOnnx: engine: expected what load() gives, got undefined",
    );
  });
});

describe("predict refuses", () => {
  let net: OnnxModel;
  beforeAll(async () => {
    net = await open(RELU);
  });

  it.each<[string, unknown, string]>([
    ["no feeds", undefined, "predict: expected tensors by the names of inputs, got undefined"],
    ["no tensor for an input", {}, "predict: x: expected { shape, data }, got undefined"],
    ["names that are no inputs", { x, z: x }, "predict: expected x; got z besides"],
    ["another rank", { x: tensor([1], [1]) }, "predict: x: expected shape n×4, got 1"],
    ["another shape", { x: tensor([1, 2], [1, 2]) }, "predict: x: expected shape n×4, got 1×2"],
    [
      "other elements",
      { x: { shape: [1, 4], data: Int32Array.of(1, 2, 3, 4) } },
      "predict: x.data: expected a Float32Array, got Int32Array of 4",
    ],
    [
      "too few of them",
      { x: { shape: [2, 4], data: x.data } },
      "predict: x.data: expected 8 elements for 2×4, got 4",
    ],
  ])("%s", (_, feeds, message) => {
    expect(() => net.predict(feeds as Feeds)).toThrow(new ShapeError(message));
    expect(net.predict({ x })["y"]!.data).toEqual(x.data);
  });

  it("integers that need more than 32 bits", async () => {
    const inputs = [valueInfo("x", ["n", 1], DATA_TYPE.int64)];
    const integers = await open({ nodes: [node("Identity", ["x"], "y")], inputs, outputs: ["y"] });
    const given = { shape: [1, 1], data: BigInt64Array.of(2n ** 40n) };
    expect(() => integers.predict({ x: given })).toThrow(
      /^predict: x: expected integers of 32 bits, got 1099511627776 at 0$/,
    );
  });

  it("what does not fit together, with the node and without harm", async () => {
    const parts = { nodes: [node("Add", ["x", "z"], "y")], outputs: ["y"] };
    const sum = await open({ ...parts, inputs: [valueInfo("x", ["a", "b"]), valueInfo("z", ["a", "c"])] });
    const wide = tensor([1, 2, 3], [1, 3]);
    expect(() => sum.predict({ x, z: wide })).toThrow(/y \(Add\): expected shapes that can be broadcast/);
    expect(sum.predict({ x, z: x })["y"]!.data).toEqual(Float32Array.of(2, 4, 6, 8));
  });
});

describe("session refuses", () => {
  it("sizes that the file leaves open, unless they are given", async () => {
    const net = await open({ ...RELU, inputs: [valueInfo("x", ["n", "width"])] });
    expect(() => net.session()).toThrow(
      new ShapeError('session: shapes: x: expected a size for "width", got none'),
    );
    expect(() => net.session({ shapes: { z: [1, 4] } })).toThrow(
      "session: shapes: expected x; got z besides",
    );
    expect(() => net.session({ shapes: { x: [4] } })).toThrow(
      "session: shapes: x: expected shape n×width, got 4",
    );
    expect(() => net.session({ shapes: { x: "1×4" as never } })).toThrow(
      "session: shapes: x: expected shape",
    );
    expect(() => net.session({ batchSize: 0 })).toThrow(OptionError);
    const session = net.session({ shapes: { x: [1, 4] } });
    session.input.set([-1, 2, -3, 4]);
    session.run();
    expect([...session.output]).toEqual([0, 2, 0, 4]);
  });

  it("nets that depend on numbers", async () => {
    const inputs = [valueInfo("x", [1, 4]), valueInfo("shape", [2], DATA_TYPE.int64)];
    const net = await open({ nodes: [node("Reshape", ["x", "shape"], "y")], inputs, outputs: ["y"] });
    expect(() => net.session()).toThrow(
      /^session: expected a net that is planned by shapes alone, got one that depends on the numbers of shape: use predict$/,
    );
  });
});

describe("training is refused", () => {
  it("of nets whose images meet, with the node", async () => {
    const net = await open({ ...RELU, nodes: [node("Softmax", ["x"], "y", { axis: 0 })] });
    expect(net.notTrainable).toMatch(/^y \(Softmax\): /);
    const options = { optimizer: optimizers.sgd({ learningRate: 1 }), loss: losses.meanSquaredError() };
    expect(() => net.compile(options)).toThrow(
      /^compile: expected a net that takes any number of images, got .*: y \(Softmax\)/,
    );
    expect(() => net.model).toThrow(OptionError);
  });

  it("before shapes are known; and values have to exist", async () => {
    const net = await open({ ...RELU, inputs: [valueInfo("x", ["n", "width"])] });
    expect(() => net.model).toThrow(/its shapes are open/);
    for (const what of ["summary", "nodes", "parameterCount"] as const) {
      expect(() => (what === "summary" ? net.summary() : net[what])).toThrow(
        `${what}: expected shapes, got a file that leaves them open`,
      );
    }
    net.predict({ x });
    expect(net.nodes).toEqual([{ name: "y", type: "Relu", inputs: [[1, 4]], outputs: [[1, 4]] }]);
    expect(() => net.value("nowhere")).toThrow(
      'value: expected the name of a value that the net computes, got "nowhere"',
    );
  });
});
