/**
 * A file of a few bytes that asks for much is refused before anything is allocated, by `load({ limits })` and by
 * default.
 */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { FormatError, layers, load, loadModel, MemoryError, sequential } from "../../src/index.ts";
import { ShapeError, type Engine, type Limits } from "../../src/index.ts";
import { loadOnnx } from "../../src/onnx.ts";
import { MessageWriter } from "../../src/onnx/file/message.ts";
import type { TensorProto } from "../../src/onnx/file/proto.ts";
import { constant, node, onnxFile, valueInfo, type FileParts } from "../support/onnxFile.ts";

let engine: Engine;
beforeAll(async () => {
  engine = await load();
});
afterAll(() => engine.dispose());

const ints = (name: string, ...values: number[]): TensorProto =>
  constant(name, [values.length], BigInt64Array.from(values, BigInt));

/** A file around `node`, whose input is x[n, 1, 1, 1] unless told. */
const around = (nodes: FileParts["nodes"], parts: Partial<FileParts> = {}): Uint8Array =>
  onnxFile({ nodes, inputs: [valueInfo("x", [1, 1, 1, 1])], outputs: ["y"], ...parts });

const none = constant("none", [0], []);
const x = { shape: [1, 1, 1, 1], data: Float32Array.of(1) };

/** Loads and runs a file, whose refusal comes before it takes anything to speak of. */
async function refused(file: Uint8Array, message: RegExp): Promise<void> {
  const before = process.memoryUsage().rss;
  const started = process.cpuUsage();
  const running = loadOnnx(file, { engine }).then((net) => net.predict({ x }));
  const error = await running.catch((thrown: unknown) => thrown as Error);
  expect(error).toBeInstanceOf(MemoryError);
  expect((error as Error).message).toMatch(message);
  const { user, system } = process.cpuUsage(started);
  // Seconds of the processor, which others may use as well: what is not bounded takes minutes.
  expect((user + system) / 1e6).toBeLessThan(10);
  expect(process.memoryUsage().rss - before).toBeLessThan(300e6);
}

describe("small files that ask for much", () => {
  const pads = [0, 0, 0, 0, 0, 0, 0, 2 ** 20];
  it.each<[string, Uint8Array, RegExp]>([
    [
      "a resize to 4,000,000",
      around([node("Resize", ["x", "none", "none", "s"], "y", { mode: "linear" })], {
        initializers: [none, ints("s", 1, 1, 4_000_000, 1)],
      }),
      /^loadOnnx: y \(Resize\): expected at most \d+ bytes .* \(load\(\{ limits: \{ bytes \} \}\) sets the limit\)$/,
    ],
    [
      "sixty pads",
      around(
        [
          node("ConstantOfShape", ["one"], "v0"),
          ...Array.from({ length: 60 }, (_, i) => node("Pad", [`v${i}`], `v${i + 1}`, { pads })),
          node("Add", ["x", "v60"], "y"),
        ],
        { initializers: [ints("one", 1, 1, 1, 1)], version: 10 },
      ),
      /^loadOnnx: v\d+ \(Pad\): expected at most \d+ bytes/,
    ],
    [
      "a shape of ten million sizes, of which there would be a message",
      around(
        [
          node("ConstantOfShape", ["many"], "sizes", { value: ints("one", 1) }),
          node("ConstantOfShape", ["sizes"], "y"),
        ],
        {
          initializers: [ints("many", 10_000_000)],
        },
      ),
      /^loadOnnx: y \(ConstantOfShape\): expected at most \d+ bytes/,
    ],
    [
      "sums that are repeated along an axis each",
      around([node("Add", ["a", "b"], "c"), node("Add", ["c", "x"], "y")], {
        inputs: [valueInfo("x", [1, 1]), valueInfo("a", [20_000, 1]), valueInfo("b", [1, 20_000])],
      }),
      /^loadOnnx: c \(Add\): expected at most 268435456 elements of a tensor, got 400000000/,
    ],
    [
      "an output that is a constant",
      around([node("ConstantOfShape", ["size"], "y")], { initializers: [ints("size", 2 ** 28)] }),
      /^loadOnnx: y \(ConstantOfShape\): expected at most \d+ bytes/,
    ],
  ])("%s", (_, file, message) => refused(file, message));

  it.each(["Squeeze", "Unsqueeze", "Reshape", "ReduceSum", "Expand"])(
    "%s by more axes or sizes than a tensor can have",
    async (type) => {
      const before = process.memoryUsage().rss;
      const nodes = [
        node("ConstantOfShape", ["many"], "list", { value: ints("one", 1) }),
        node(type, ["x", "list"], "y"),
      ];
      const file = around(nodes, { initializers: [ints("many", 7_000_000)] });
      await expect(loadOnnx(file, { engine })).rejects.toThrow(
        `y (${type}): ${{ Reshape: "shape", Expand: "shape" }[type] ?? "axes"}: expected at most 64 numbers, got 7000000`,
      );
      expect(process.memoryUsage().rss - before).toBeLessThan(100e6);
    },
  );

  it("products of very many matrices, when they are planned", async () => {
    const many = [1, 9_000_000, 1, 1];
    const inputs = [valueInfo("x", many), valueInfo("b", many)];
    const net = await loadOnnx(around([node("MatMul", ["x", "b"], "y")], { inputs }), { engine });
    expect(() => net.session()).toThrow(MemoryError);
    expect(() => net.session()).toThrow(
      /^y: expected at most \d+ bytes of lists and constants, got 216000000/,
    );
    net.dispose();
  });

  it("a million empty messages", async () => {
    const file = new MessageWriter();
    // Each is two bytes: an initializer, and that it has none.
    file.bytes(
      7,
      new Uint8Array(2_000_000).map((_, i) => (i % 2 === 0 ? (5 << 3) | 2 : 0)),
    );
    await refused(file.join(), /^loadOnnx: expected at most \d+ bytes of lists and constants/);
  });
});

describe("models that ask for much", () => {
  it.each<[string, Parameters<typeof sequential>[0]["layers"], RegExp]>([
    [
      "an up-sampling by 2^28",
      [layers.upSampling2d({ size: [2 ** 28, 1], interpolation: "bilinear", name: "u" })],
      /^u: expected at most 134217728 bytes of lists and constants, got 4294967296/,
    ],
    [
      "zeros around a pixel",
      [
        layers.zeroPadding2d({
          padding: [
            [2 ** 29, 0],
            [0, 0],
          ],
          name: "z",
        }),
      ],
      /^z: expected at most 268435456 elements of a tensor, got 536870913/,
    ],
  ])("%s", (_, list, message) => {
    const model = loadModel(sequential({ inputShape: [1, 1, 1], layers: list }).toSafetensors());
    model.compile({ engine });
    expect(() => model.predict(x)).toThrow(MemoryError);
    expect(() => model.predict(x)).toThrow(message);
    expect(() => model.session()).toThrow(message);
  });
});

describe("load({ limits })", () => {
  const chain = (count: number): Uint8Array =>
    around(
      Array.from({ length: count }, (_, i) => node("Abs", [i === 0 ? "x" : `v${i - 1}`], `v${i}`)),
      {
        outputs: [`v${count - 1}`],
      },
    );
  const folded = around(
    [node("ConstantOfShape", ["size"], "c"), node("Add", ["c", "c"], "d"), node("Add", ["x", "d"], "y")],
    { initializers: [ints("size", 1000)] },
  );

  it.each<[Limits, Uint8Array, RegExp]>([
    [
      { nodes: 10 },
      chain(11),
      /^loadOnnx: expected at most 10 nodes, got 11 \(load\(\{ limits: \{ nodes \} \}\)/,
    ],
    [
      { elements: 999 },
      folded,
      /^loadOnnx: c \(Con.*\): expected at most 999 elements of a tensor, got 1000/,
    ],
    [
      { bytes: 10_000 },
      folded,
      /^loadOnnx: d \(Add\): expected at most \d+ bytes of lists and constants, got/,
    ],
    [{ milliseconds: 1e-9 }, chain(10), /^loadOnnx: expected at most 1e-9 ms, got more/],
  ])("%o", async (limits, file, message) => {
    const own = await load({ limits });
    const loading = loadOnnx(file, { engine: own });
    await expect(loading).rejects.toThrow(MemoryError);
    await expect(loading).rejects.toThrow(message);
    own.dispose();
    (await loadOnnx(file, { engine })).dispose();
  });

  it("holds for models as well", async () => {
    const own = await load({ limits: { nodes: 2, elements: 100 } });
    const relu = (): ReturnType<typeof layers.activation> => layers.activation({ activation: "relu" });
    const deep = sequential({ inputShape: [4], layers: [relu(), relu(), relu()] });
    deep.compile({ engine: own });
    expect(() => deep.session()).toThrow(/^model: expected at most 2 nodes, got 3/);
    const wide = sequential({ inputShape: [101], layers: [relu()] });
    wide.compile({ engine: own });
    expect(() => wide.session()).toThrow(/^input: expected at most 100 elements of a tensor, got 101/);
    own.dispose();
  });
});

describe("files that are stored otherwise than they are read", () => {
  const field = (write: (writer: MessageWriter) => void): Uint8Array => {
    const writer = new MessageWriter();
    write(writer);
    const file = chainOfOne();
    const bytes = writer.join();
    const whole = new Uint8Array(file.length + bytes.length);
    whole.set(file);
    whole.set(bytes, file.length);
    return whole;
  };
  const chainOfOne = (): Uint8Array => around([node("Abs", ["x"], "y")]);

  it.each<[string, Uint8Array]>([
    ["a type that there is not", Uint8Array.of(...chainOfOne(), (100 << 3) | 6)],
    ["the start of a group", Uint8Array.of(...chainOfOne(), (9 << 3) | 3)],
    ["a version as text", field((writer) => writer.text(1, "8"))],
    ["a name as a number", field((writer) => writer.integer(2, 1))],
    ["a graph as a float", field((writer) => writer.float(7, 1))],
    ["a number without an end", Uint8Array.of(...chainOfOne(), 100 << 3, ...Array<number>(11).fill(0xff))],
  ])("%s is refused when it is loaded, not when it is written", async (_, file) => {
    const loading = loadOnnx(file, { engine });
    await expect(loading).rejects.toThrow(FormatError);
    await expect(loading).rejects.toThrow(
      /^loadOnnx: expected the bytes of an ONNX file, got others about byte/,
    );
  });

  it("fields that nobody reads are written as they were", async () => {
    const file = field((writer) => {
      writer.double(101, 1);
      writer.text(102, "what?");
    });
    const net = await loadOnnx(file, { engine });
    expect(net.toOnnx()).toEqual(file);
    net.dispose();
  });
});

describe("inputs whose shape does not fit", () => {
  const file = around([node("MaxPool", ["x"], "y", { kernel_shape: [1, 3] })], {
    inputs: [valueInfo("x", ["n", 1, "h", "w"])],
  });

  it("are named, with what they are and why not, and others run", async () => {
    const net = await loadOnnx(file, { engine });
    const wrong =
      /^predict: x: expected what all nodes can be computed of, got 1×1×1×2: y \(MaxPool\): expected at least 3/;
    const narrow = { x: { shape: [1, 1, 1, 2], data: new Float32Array(2) } };
    expect(() => net.predict(narrow)).toThrow(ShapeError);
    expect(() => net.predict(narrow)).toThrow(wrong);
    expect(() => net.session({ shapes: { x: [1, 1, 1, 2] } })).toThrow(ShapeError);
    expect(() => net.session({ shapes: { x: [1, 1, 1, 2] } })).toThrow(
      /^session: x: expected what all nodes/,
    );
    const { y } = net.predict({ x: { shape: [1, 1, 1, 3], data: Float32Array.of(1, 3, 2) } });
    expect(y!.data).toEqual(Float32Array.of(3));
    expect(() => net.predict(narrow)).toThrow(wrong);
    net.dispose();
  });

  it("are not blamed for what no shape would change", async () => {
    const odd = around([node("MaxPool", ["x"], "y", { kernel_shape: [1, 3], unheard_of: 1 })], {
      inputs: [valueInfo("x", ["n", 1, "h", "w"])],
    });
    const net = await loadOnnx(odd, { engine });
    expect(() => net.predict({ x: { shape: [1, 1, 1, 4], data: new Float32Array(4) } })).toThrow(FormatError);
  });
});
