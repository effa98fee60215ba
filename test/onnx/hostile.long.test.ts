/** Files that are made to harm, besides the damaged ones of test/fuzz: each is refused with an error of this package, or loads and runs, in bounded time and memory. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { FormatError, load, MemoryError, type Engine } from "../../src/index.ts";
import { loadOnnx, type OnnxTensor } from "../../src/onnx.ts";
import { constant, node, onnxFile, valueInfo } from "../support/onnxFile.ts";

let engine: Engine;
let memory: number;

beforeAll(async () => {
  engine = await load({ maximumMemory: 2 ** 28 });
  memory = engine.memory.used;
});
afterAll(() => engine.dispose());

const chain = (count: number, type: string): ReturnType<typeof node>[] =>
  Array.from({ length: count }, (_, i) => node(type, [i === 0 ? "x" : `v${i - 1}`], `v${i}`));

describe("files that are made to harm", () => {
  const refused = async (
    parts: Parameters<typeof onnxFile>[0],
    message: RegExp,
    type: typeof FormatError | typeof MemoryError = FormatError,
  ): Promise<void> => {
    const loading = loadOnnx(onnxFile(parts), { engine });
    await expect(loading).rejects.toThrow(type);
    await expect(loading).rejects.toThrow(message);
    expect(engine.memory.used).toBe(memory);
  };
  const x = valueInfo("x", ["n", 4]);
  const number = constant("size", [1], BigInt64Array.of(2n ** 26n));

  it("a chain of 100,000 nodes loads without recursion, and in order of their number", async () => {
    const nodes = chain(100_000, "Identity").reverse();
    const net = await loadOnnx(onnxFile({ nodes, inputs: [x], outputs: ["v99999"] }), { engine });
    expect(net.predict({ x: { shape: [1, 4], data: Float32Array.of(1, 2, 3, 4) } })["v99999"]!.data).toEqual(
      Float32Array.of(1, 2, 3, 4),
    );
    net.dispose();
  });

  it("a chain of 100,000 layers loads", async () => {
    const file = onnxFile({ nodes: chain(100_000, "Relu"), inputs: [x], outputs: ["v99999"] });
    (await loadOnnx(file, { engine })).dispose();
  });

  it("one value that 100,000 nodes read, and as many outputs", async () => {
    const nodes = Array.from({ length: 100_000 }, (_, i) => node("Relu", ["x"], `v${i}`));
    const outputs = nodes.map(({ name }) => name);
    (await loadOnnx(onnxFile({ nodes, inputs: [x], outputs }), { engine })).dispose();
  });

  it("cycles, of one node and of many", async () => {
    await refused(
      { nodes: [node("Relu", ["y"], "y")], outputs: ["y"] },
      /y: expected a graph without cycles/,
    );
    const nodes = [...chain(1000, "Relu"), node("Relu", ["v999"], "x")];
    await refused({ nodes, outputs: ["v5"] }, /expected a graph without cycles/);
  });

  it.each<[string, (number | string)[], RegExp]>([
    [
      "more elements than can be addressed",
      [2 ** 20, 2 ** 20],
      /at most 1073741824 elements, got 1048576×1048576/,
    ],
    ["a size of no 32 bits", ["n", 2 ** 53], /at most 1073741824 elements/],
    ["5,000 axes", Array.from({ length: 5000 }, () => 1), /expected at most 32 axes, got 5000/],
  ])("an input of %s", (_, dims, message) =>
    refused({ nodes: [node("Relu", ["x"], "y")], inputs: [valueInfo("x", dims)], outputs: ["y"] }, message),
  );

  it("constants of a few bytes that become gigabytes", async () => {
    const made = node("ConstantOfShape", ["size"], "c");
    const sums = Array.from({ length: 100 }, (_, i) => node("Add", ["c", "c"], `s${i}`));
    await refused(
      { nodes: [made, ...sums], outputs: ["s0"], initializers: [number] },
      /expected at most \d+ bytes of lists and constants/,
      MemoryError,
    );
    const huge = constant("size", [1], BigInt64Array.of(2n ** 40n));
    await refused({ nodes: [made], outputs: ["c"], initializers: [huge] }, /elements/);
  });

  it("one filter bank that many layers copy", async () => {
    const sizes = constant("size", [4], BigInt64Array.of(2048n, 2048n, 1n, 1n));
    const nodes = [
      node("ConstantOfShape", ["size"], "w"),
      ...chain(100, "Conv").map((each) => ({ ...each, inputs: [...each.inputs, "w"] })),
    ];
    const inputs = [valueInfo("x", ["n", 2048, 2, 2])];
    const parts = { nodes, inputs, outputs: ["v99"], initializers: [sizes] };
    await refused(parts, /elements of copied weights/, MemoryError);
  });

  it("names that mean something to an object are names", async () => {
    const names = ["__proto__", "constructor", "toString", "hasOwnProperty"];
    const nodes = names.map((name) => node("Relu", [name], `${name}.y`));
    nodes[0]!.outputs[0] = "valueOf";
    const outputs = nodes.map((each) => each.outputs[0]!);
    const file = onnxFile({ nodes, inputs: names.map((name) => valueInfo(name, ["n", 1])), outputs });
    const net = await loadOnnx(file, { engine });
    const feeds = names.map((name, i) => [name, { shape: [1, 1], data: Float32Array.of(i) }]);
    const results = net.predict(Object.fromEntries(feeds) as Record<string, OnnxTensor>);
    expect(outputs.map((name) => results[name]!.data[0])).toEqual([0, 1, 2, 3]);
    expect(() => net.predict({})).toThrow(/^predict: __proto__: expected \{ shape, data \}, got undefined/);
    net.dispose();
    const output = onnxFile({
      nodes: [node("Relu", ["x"], "__proto__")],
      inputs: [x],
      outputs: ["__proto__"],
    });
    const other = await loadOnnx(output, { engine });
    const result = other.predict({ x: { shape: [1, 4], data: new Float32Array(4) } });
    expect(Object.keys(result)).toEqual(["__proto__"]);
    other.dispose();
  });

  it("no bytes, no protobuf, and files of other kinds", async () => {
    for (const bytes of [new Uint8Array(), new TextEncoder().encode("<html></html>"), new Uint8Array(1000)]) {
      await expect(loadOnnx(bytes, { engine })).rejects.toThrow(/^loadOnnx: .*expected .*, got /);
    }
  });
});
