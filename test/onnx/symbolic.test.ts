/** Graphs that compute with the number of images, which is not known when they are lowered. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { load, type Engine } from "../../src/index.ts";
import { loadOnnx, type OnnxModel } from "../../src/onnx.ts";
import { DATA_TYPE, type NodeProto } from "../../src/onnx/file/proto.ts";
import { constant, node, onnxFile, valueInfo } from "../support/onnxFile.ts";

let engine: Engine;
beforeAll(async () => {
  engine = await load();
});
afterAll(() => engine.dispose());

const INTEGERS: Readonly<Record<string, readonly number[]>> = {
  zero: [0],
  one: [1],
  two: [2],
  three: [3],
  minus: [-1],
  far: [2 ** 40],
  hundred: [100],
};

/** The net of `nodes` over x [n, 2, 3], whose output is y. */
function open(nodes: readonly NodeProto[]): Promise<OnnxModel> {
  const initializers = Object.entries(INTEGERS).map(([name, values]) =>
    constant(name, [values.length], BigInt64Array.from(values, BigInt)),
  );
  const shape = [node("Shape", ["x"], "shape"), node("Gather", ["shape", "zero"], "n", { axis: 0 })];
  const inputs = [valueInfo("x", ["n", 2, 3])];
  return loadOnnx(onnxFile({ nodes: [...shape, ...nodes], inputs, outputs: ["y"], initializers }), {
    engine,
  });
}

/** The elements 0, 1, 2 … of so many images through the net. */
function run(net: OnnxModel, n: number): { shape: readonly number[]; data: number[] } {
  const data = Float32Array.from({ length: 6 * n }, (_, i) => i);
  const y = net.predict({ x: { shape: [n, 2, 3], data } })["y"]!;
  return { shape: y.shape, data: Array.from(y.data, Number) };
}
const counted = (length: number): number[] => Array.from({ length }, (_, i) => i);

/** x as `[target…, 6]`. */
const reshaped = (...target: NodeProto[]): NodeProto[] => [
  ...target,
  node("Concat", ["target", "minus"], "sizes", { axis: 0 }),
  node("Reshape", ["x", "sizes"], "y"),
];

describe("any number of images", () => {
  it.each<[string, NodeProto[]]>([
    ["is moved", reshaped(node("Identity", ["n"], "target"))],
    [
      "is multiplied and divided again",
      reshaped(node("Mul", ["n", "three"], "m"), node("Div", ["m", "three"], "target")),
    ],
    [
      "is added to and taken from",
      reshaped(node("Add", ["n", "two"], "m"), node("Sub", ["m", "two"], "target")),
    ],
    [
      "goes by way of other types",
      reshaped(
        node("Cast", ["n"], "m", { to: DATA_TYPE.int32 }),
        node("Cast", ["m"], "f", { to: DATA_TYPE.float32 }),
        node("Floor", ["f"], "g"),
        node("Cast", ["g"], "target", { to: DATA_TYPE.int64 }),
      ),
    ],
    [
      "differs from -1, as PyTorch's expand asks",
      reshaped(node("Equal", ["n", "minus"], "e"), node("Where", ["e", "one", "n"], "target")),
    ],
    [
      "ends a slice of all of them",
      [node("Slice", ["x", "zero", "n", "zero"], "s"), node("Flatten", ["s"], "y")],
    ],
    [
      "is beyond the end of a slice",
      [node("Slice", ["x", "zero", "far", "zero"], "s"), node("Flatten", ["s"], "y")],
    ],
  ])("%s", async (_, nodes) => {
    const net = await open(nodes);
    expect(net.notBatched).toBeUndefined();
    for (const n of [1, 2, 11, 13]) expect(run(net, n)).toEqual({ shape: [n, 6], data: counted(6 * n) });
    net.dispose();
  });
});

describe("a net is lowered for each number of images", () => {
  /** A scalar that every element of x is multiplied with, as `[n, 6]`. */
  const times = (...nodes: NodeProto[]): NodeProto[] => [
    ...nodes,
    node("Cast", ["m"], "f", { to: DATA_TYPE.float32 }),
    node("Mul", ["x", "f"], "p"),
    node("Flatten", ["p"], "y"),
  ];
  const COUNTS = [1, 2, 3, 4, 13, 150];

  it.each<[string, NodeProto[], (n: number) => { shape: number[]; data: number[] }]>([
    [
      "that computes with it",
      times(node("Identity", ["n"], "m")),
      (n) => ({ shape: [n, 6], data: counted(6 * n).map((x) => x * n) }),
    ],
    [
      "that rounds a quotient of it",
      times(node("Div", ["n", "two"], "h"), node("Mul", ["h", "two"], "m")),
      (n) => ({ shape: [n, 6], data: counted(6 * n).map((x) => x * (n - (n % 2))) }),
    ],
    [
      "that compares it with a number it may be",
      times(node("Equal", ["n", "three"], "e"), node("Where", ["e", "two", "one"], "m")),
      (n) => ({ shape: [n, 6], data: counted(6 * n).map((x) => (n === 3 ? 2 * x : x)) }),
    ],
    [
      "that takes the larger",
      times(node("Max", ["n", "three"], "m")),
      (n) => ({ shape: [n, 6], data: counted(6 * n).map((x) => x * Math.max(n, 3)) }),
    ],
    [
      "that cuts more than a hundred off",
      [node("Slice", ["x", "zero", "hundred", "zero"], "s"), node("Flatten", ["s"], "y")],
      (n) => ({ shape: [Math.min(n, 100), 6], data: counted(6 * Math.min(n, 100)) }),
    ],
    [
      "that cuts another axis by it",
      [node("Slice", ["x", "zero", "n", "two"], "s"), node("Flatten", ["s"], "y")],
      (n) => {
        const kept = Math.min(n, 3);
        return { shape: [n, 2 * kept], data: counted(6 * n).filter((x) => x % 3 < kept) };
      },
    ],
  ])("%s", async (_, nodes, expected) => {
    const net = await open(nodes);
    expect(net.notBatched).toMatch(/images/);
    expect(net.notBatched).not.toMatch(/\d{6}/);
    for (const n of COUNTS) expect(run(net, n)).toEqual(expected(n));
    net.dispose();
  });

  it("and a number of a file that stands for it is none", async () => {
    const nodes = [
      node("Constant", [], "sizes", { value: constant("", [2], BigInt64Array.of(-(2n ** 40n), 6n)) }),
      node("Reshape", ["x", "sizes"], "y"),
    ];
    await expect(open(nodes)).rejects.toThrow(/y \(Reshape\): expected sizes ≥ 0, got -1099511627776×6$/);
  });
});
