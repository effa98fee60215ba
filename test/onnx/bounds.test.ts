/** Files of a few bytes that ask an operator for more than there is: refused at once, and with the node. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { FormatError, load, MemoryError, type Engine } from "../../src/index.ts";
import { loadOnnx } from "../../src/onnx.ts";
import type { NodeProto, TensorProto } from "../../src/onnx/file/proto.ts";
import { constant, node, onnxFile, valueInfo, type Attribute } from "../support/onnxFile.ts";

/** Milliseconds: what is not bounded takes minutes, or the memory of the host. */
const MOST_TIME = 5000;

let engine: Engine;
let memory: number;

beforeAll(async () => {
  engine = await load({ maximumMemory: 2 ** 28 });
  memory = engine.memory.used;
});

afterAll(() => engine.dispose());

type File = Parameters<typeof onnxFile>[0];

const ints = (name: string, ...values: number[]): TensorProto =>
  constant(name, [values.length], BigInt64Array.from(values, BigInt));

async function refused(parts: File, message: RegExp): Promise<void> {
  const file = onnxFile(parts);
  const started = performance.now();
  const loading = loadOnnx(file, { engine });
  const error = await loading.catch((thrown: unknown) => thrown as Error);
  expect(error).toBeInstanceOf(message.source.includes("bytes") ? MemoryError : FormatError);
  expect((error as Error).message).toMatch(message);
  expect(performance.now() - started).toBeLessThan(MOST_TIME);
  expect(engine.memory.used).toBe(memory);
}

describe("work on constants", () => {
  /** Ones of the sizes `a` and `b`, and what an operator makes of them. */
  const ofOnes = (
    a: number[],
    b: number[],
    type: string,
    attributes: Record<string, Attribute> = {},
  ): File => ({
    nodes: [
      node("ConstantOfShape", ["sizesA"], "a"),
      node("ConstantOfShape", ["sizesB"], "b"),
      node(type, b.length > 0 ? ["a", "b"] : ["a"], "y", attributes),
    ],
    initializers: [ints("sizesA", ...a), ints("sizesB", ...(b.length > 0 ? b : [1]))],
    outputs: ["y"],
  });
  const kernel_shape = [3, 3, 3];
  const around = [1, 1, 1, 1, 1, 1];

  it.each<[string, File]>([
    ["a product", ofOnes([4096, 4096], [4096, 4096], "MatMul")],
    ["a convolution", ofOnes([1, 512, 8, 8, 8], [512, 512, 3, 3, 3], "Conv", { pads: around })],
    ["a transposed one", ofOnes([1, 512, 8, 8, 8], [512, 512, 3, 3, 3], "ConvTranspose", { pads: around })],
    ["a norm", ofOnes([64, 1, 32, 32, 32], [], "LpPool", { kernel_shape, pads: around, p: 64 })],
    ["a norm of no images", ofOnes([0, 1, 40, 40, 40], [], "LpPool", { kernel_shape, pads: around, p: 64 })],
  ])("is counted in steps: %s", (_, file) =>
    refused(file, /y \(\w+\): expected at most \d+ bytes of lists and constants, got \d+/),
  );

  it("counts what is read of a constant that is made of one number", async () => {
    const parts = Array.from({ length: 1000 }, (_, i) => node("Slice", ["c", "start", "end"], `y${i}`));
    await refused(
      {
        nodes: [node("ConstantOfShape", ["size"], "c"), ...parts],
        initializers: [ints("size", 2 ** 24), ints("start", 0), ints("end", 1)],
        outputs: ["y0"],
      },
      /expected at most \d+ bytes .*/,
    );
  });
});

describe("numbers of a node", () => {
  const x = [valueInfo("x", [1, 1, 2, 2, 2])];
  const of = (
    type: string,
    attributes: Record<string, Attribute>,
    inputs: TensorProto[] = [],
    ...more: string[]
  ): File => ({
    nodes: [node(type, ["x", ...inputs.map(({ name }) => name)], ["y", ...more], attributes)],
    inputs: x,
    initializers: inputs,
    outputs: ["y"],
  });
  const many = Array.from({ length: 300_000 }, (_, i) => i);
  const zeros = many.map(() => 0);

  it.each<[string, File, RegExp]>([
    [
      "p of a norm",
      of("LpPool", { kernel_shape: [1, 1, 1], p: 2 ** 53 - 1 }),
      /p: expected an integer from 1 to/,
    ],
    ["p of a norm of all", of("GlobalLpPool", { p: 2 ** 53 - 1 }), /p: expected an integer from 1 to/],
    [
      "many axes",
      { ...of("Unsqueeze", { axes: many }), version: 11 },
      /expected (at most 32 axes|an axis of)/,
    ],
    [
      "one axis, many times",
      { ...of("Slice", { starts: zeros, ends: many, axes: zeros }), version: 9 },
      /expected \d+ different axes, got 1$/,
    ],
    [
      "scales for one axis, many times",
      of("Resize", { axes: zeros, keep_aspect_ratio_policy: "not_larger" }),
      /expected \d+ different axes, got 1$/,
    ],
    [
      "taps of many windows",
      of("MaxPool", { kernel_shape: [200, 200, 200], pads: Array(6).fill(199) as number[] }),
      /taps/,
    ],
    [
      "an axis of many blends",
      of("Resize", { mode: "linear" }, [
        constant("none", [0], []),
        constant("scales", [5], [1, 1, 1, 1, 2 ** 23]),
      ]),
      /bytes of lists and constants.*/,
    ],
    ["parts without elements", of("Split", { num_outputs: 2 ** 24 }), /expected 1 parts, got 16777216/],
    [
      "parts below none",
      { ...of("Split", { axis: 2, split: [-1, 3] }, [], "z"), version: 11 },
      /expected sizes ≥ 0/,
    ],
    ["copies below none", of("Tile", {}, [ints("r", 1, 1, 1, 1, -1)]), /expected sizes ≥ 0/],
    ["a size below none", of("Expand", {}, [ints("s", -1, 1, 2, 2, 2)]), /expected sizes ≥ 0/],
    ["a norm of no channels", of("LRN", { size: 0 }), /size: expected a positive integer, got 0/],
    [
      "weights that add up to nothing",
      {
        ...of("Resize", { mode: "cubic", exclude_outside: 1, cubic_coeff_a: { float: 18 } }, [
          constant("none", [0], []),
          constant("scales", [4], [1, 1, 1, 2]),
        ]),
        inputs: [valueInfo("x", [1, 1, 1, 1])],
      },
      /expected weights that do not add up to 0/,
    ],
  ])("%s", (_, file, message) => refused(file, message));

  it("pads that are larger than what a transposed convolution makes", () =>
    refused(
      {
        nodes: [node("ConvTranspose", ["x", "w"], "y", { pads: [3, 0, 0, 0, 0, 0] })],
        initializers: [
          constant("x", [1, 1, 2, 2, 2], new Float32Array(8)),
          constant("w", [1, 1, 1, 1, 1], [1]),
        ],
        outputs: ["y"],
      },
      /y \(ConvTranspose\): expected sizes ≥ 0, got -1×2×2/,
    ));

  it.each<[string, number[], number[], RegExp]>([
    ["more sizes than axes", [1, 1, 2, 2], [1, 1, 4, 4, 1], /expected indices for 1×1×2×2 and 4 sizes, got/],
    [
      "places for others",
      [1, 1, 2, 1],
      [1, 1, 4, 4],
      /expected indices for 1×1×2×2 and 4 sizes, got 1×1×2×1/,
    ],
  ])("of MaxUnpool: %s", (_, places, sizes, message) =>
    refused(
      {
        nodes: [node("MaxUnpool", ["x", "at", "sizes"], "y", { kernel_shape: [2, 2], strides: [2, 2] })],
        inputs: [valueInfo("x", [1, 1, 2, 2])],
        initializers: [
          constant("at", places, new BigInt64Array(places.reduce((a, b) => a * b))),
          ints("sizes", ...sizes),
        ],
        outputs: ["y"],
      },
      message,
    ),
  );

  it("of a window of one tap over many pixels", async () => {
    const nodes = [node("MaxPool", ["x"], "y", { kernel_shape: [1, 1, 1] })];
    const pixels = 160;
    const net = await loadOnnx(
      onnxFile({ nodes, inputs: [valueInfo("x", [1, 1, pixels, pixels, pixels])], outputs: ["y"] }),
      { engine },
    );
    const data = new Float32Array(pixels ** 3).fill(3);
    expect(net.predict({ x: { shape: [1, 1, pixels, pixels, pixels], data } }).y!.data.at(-1)).toBe(3);
    net.dispose();
  });
});

it("100,000 nodes of one name", async () => {
  const nodes = Array.from({ length: 100_000 }, (_, i): NodeProto => ({
    ...node("Relu", [i === 0 ? "x" : `v${i - 1}`], `v${i}`),
    name: "a",
  }));
  const file = onnxFile({ nodes, inputs: [valueInfo("x", [1, 4])], outputs: ["v99999"] });
  const net = await loadOnnx(file, { engine });
  const names = net.model.layers.map(({ name }) => name);
  expect(names.slice(0, 3)).toEqual(["a", "a_1", "a_2"]);
  expect(new Set(names).size).toBe(names.length);
  net.dispose();
});
