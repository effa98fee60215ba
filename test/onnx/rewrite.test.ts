/** Files that are written again: with trained weights in their places, and all else as it was. */
import { beforeAll, describe, expect, it } from "vitest";
import { load, losses, optimizers, type Engine, type Tensor } from "../../src/index.ts";
import { loadOnnx, type OnnxModel } from "../../src/onnx.ts";
import { decodeModel } from "../../src/onnx/file/decode.ts";
import { encodeModel } from "../../src/onnx/file/encode.ts";
import { DATA_TYPE, type TensorProto } from "../../src/onnx/file/proto.ts";
import { narrow, readTensor } from "../../src/onnx/file/tensorData.ts";
import { noise } from "../support/model.ts";
import { constant, messages, node, onnxFile, valueInfo, type FileParts } from "../support/onnxFile.ts";
import { onnxruntimeIsAbsent, runOnnx } from "../support/onnxruntime.ts";

let engine: Engine;
beforeAll(async () => {
  engine = await load();
});

const numbers = (seed: number, ...dims: number[]): Float32Array =>
  noise(seed, ...dims).data.map((value) => value / 4);
const LABELS = [0, 1, 2, 0, 1, 2];
const images = noise(7, 6, 2, 5, 5);

/** A convolution, an activation, and a convolution by a constant that a node holds. */
const NET = {
  nodes: [
    node("Conv", ["x", "filters", "bias"], "conv", { kernel_shape: [3, 3], pads: [1, 1, 1, 1] }),
    node("Relu", ["conv"], "relu"),
    node("Constant", [], "whole", { value: constant("", [3, 4, 5, 5], numbers(3, 300)) }),
    node("Conv", ["relu", "whole"], "scores", { kernel_shape: [5, 5] }),
    node("Flatten", ["scores"], "y"),
  ],
  inputs: [valueInfo("x", ["n", 2, 5, 5])],
  outputs: ["y"],
  initializers: [
    constant("filters", [4, 2, 3, 3], numbers(1, 4, 2, 3, 3)),
    constant("bias", [4], numbers(2, 4)),
  ],
} satisfies FileParts;

function train(net: OnnxModel): void {
  net.compile({ optimizer: optimizers.sgd({ learningRate: 0.05 }), loss: losses.softmaxCrossEntropy() });
  for (let step = 0; step < 3; step++) net.trainOnBatch(images, LABELS);
}

const run = (net: OnnxModel): Tensor => net.predict({ x: images })["y"] as Tensor;

async function trainedFile(parts: FileParts): Promise<{ file: Uint8Array; before: Tensor; after: Tensor }> {
  const net = await loadOnnx(onnxFile(parts), { engine });
  const before = run(net);
  train(net);
  const result = { file: net.toOnnx(), before, after: run(net) };
  net.dispose();
  return result;
}

describe("toOnnx", () => {
  it("gives back the bytes of a net that was not trained, as a copy", async () => {
    const file = onnxFile(NET);
    const net = await loadOnnx(file, { engine });
    const written = net.toOnnx();
    expect(written).toEqual(file);
    expect(written.buffer).not.toBe(file.buffer);
  });

  it("writes what was trained: the file predicts the same, bit for bit", async () => {
    const { file, before, after } = await trainedFile(NET);
    expect(after).not.toEqual(before);
    const again = await loadOnnx(file, { engine });
    expect(run(again)).toEqual(after);
    expect(again.toOnnx()).toEqual(file);
  });

  it.skipIf(onnxruntimeIsAbsent)("onnxruntime agrees", async () => {
    const { file, after } = await trainedFile(NET);
    const { y } = await runOnnx(file, { x: images });
    expect(y!.shape).toEqual(after.shape);
    // 18 + 100 terms of a size around one.
    y!.data.forEach((value, i) => expect(Math.abs(value - after.data[i]!)).toBeLessThan(1e-4));
  });

  it("keeps what nobody here reads byte for byte, and sizes", async () => {
    const plain = onnxFile(NET);
    // Field 6, doc_string, and field 14, metadata_props, of the model.
    const more = Uint8Array.of(6 * 8 + 2, 3, 97, 98, 99, 14 * 8 + 2, 4, 10, 2, 120, 121);
    const net = await loadOnnx(Uint8Array.of(...plain, ...more), { engine });
    const whole = (bytes: Uint8Array): TensorProto | undefined =>
      decodeModel(bytes).graph!.nodes.find(({ opType }) => opType === "Constant")!.attributes[0]!.t;
    const before = whole(net.toOnnx())!.raw;
    train(net);
    const written = net.toOnnx();
    expect(written.slice(-more.length)).toEqual(more);
    expect(written.length).toBe(plain.length + more.length);
    expect(whole(written)!.raw).not.toEqual(before);
  });

  it.each(["raw", "a list"])("rounds weights of float16 as %s to the nearest", async (how) => {
    const bits = Uint16Array.from(numbers(3, 300), narrow);
    const raw = new Uint8Array(bits.buffer);
    const half: TensorProto = { ...constant("", [3, 4, 5, 5], []), dataType: DATA_TYPE.float16, raw };
    if (how === "a list") {
      delete half.raw;
      half.int32s = [...bits];
    }
    const nodes = NET.nodes.map((each) =>
      each.opType === "Constant" ? node("Constant", [], "whole", { value: half }) : each,
    );
    const { file, after } = await trainedFile({ ...NET, nodes });
    const again = run(await loadOnnx(file, { engine }));
    const errors = Array.from(again.data, (value, i) => Math.abs(value - after.data[i]!));
    // 100 products with weights below 1, each wrong by half a unit of 2⁻¹¹ at most.
    expect(Math.max(...errors)).toBeLessThan(100 * 2 ** -11);
    expect(Math.max(...errors)).toBeGreaterThan(0);
  });

  it("refuses weights that the file has once and that were trained apart", async () => {
    const nodes = [
      node("Conv", ["x", "filters"], "a", { kernel_shape: [1, 1] }),
      node("Conv", ["a", "filters"], "b", { kernel_shape: [1, 1] }),
      node("Flatten", ["b"], "y"),
    ];
    const initializers = [constant("filters", [2, 2, 1, 1], numbers(1, 4))];
    const net = await loadOnnx(onnxFile({ ...NET, nodes, initializers }), { engine });
    net.compile({ optimizer: optimizers.sgd({ learningRate: 0.05 }), loss: losses.meanSquaredError() });
    net.trainOnBatch(images, noise(3, 6, 50));
    expect(() => net.toOnnx()).toThrow(
      /^toOnnx: \w+\.kernel: expected one set of numbers for filters, got layers/,
    );
  });
});

it("a net that was trained goes on from there when it is drawn for other sizes", async () => {
  const nodes = [
    node("Conv", ["x", "filters", "bias"], "conv", { kernel_shape: [3, 3] }),
    node("GlobalAveragePool", ["conv"], "pool"),
    node("Flatten", ["pool"], "y"),
  ];
  const inputs = [valueInfo("x", ["n", 2, "h", "w"])];
  const net = await loadOnnx(onnxFile({ nodes, inputs, outputs: ["y"], initializers: NET.initializers }), {
    engine,
  });
  const before = run(net);
  train(net);
  const after = run(net);
  net.predict({ x: noise(8, 1, 2, 9, 4) });
  expect(run(net)).toEqual(after);
  expect(after).not.toEqual(before);
});

it("keeps what was trained when it is taken off its engine", async () => {
  const net = await loadOnnx(onnxFile(NET), { engine });
  train(net);
  const [file, after] = [net.toOnnx(), run(net)];
  const { used } = engine.memory;
  net.dispose();
  expect(engine.memory.used).toBeLessThan(used);
  expect(net.toOnnx()).toEqual(file);
  expect(() => run(net)).toThrow(/^predict: expected a compiled model, got one without an engine$/);
  net.compile({});
  expect(run(net)).toEqual(after);
  net.dispose();
});

describe("float16", () => {
  it("is narrowed to the nearest, of two to the even one, and widened exactly", () => {
    for (let bits = 0; bits < 0x10000; bits++) {
      const raw = Uint8Array.of(bits & 255, bits >>> 8);
      const value = readTensor("", { ...constant("", [1], []), dataType: DATA_TYPE.float16, raw }).data()[0]!;
      if (Number.isNaN(value)) expect((bits >>> 10) & 31).toBe(31);
      else expect(narrow(value)).toBe(bits);
    }
    // Halfway between neighbours: 1 and 1 + 2⁻¹⁰, then the next; below the least, and beyond the largest.
    expect(narrow(1 + 2 ** -11)).toBe(0x3c00);
    expect(narrow(1 + 3 * 2 ** -11)).toBe(0x3c02);
    expect(narrow(2 ** -25)).toBe(0);
    expect(narrow(Math.fround(2 ** -25 * 1.001))).toBe(1);
    expect([65519, 65520, -Infinity].map(narrow)).toEqual([0x7bff, 0x7c00, 0xfc00]);
  });
});

it("messages survive encoding and decoding", () => {
  const model = messages(NET);
  expect(encodeModel(decodeModel(encodeModel(model)))).toEqual(encodeModel(model));
});
