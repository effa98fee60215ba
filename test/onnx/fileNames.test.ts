/** Models of nets from ONNX files are written with the order of axes and the names of their files. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import {
  FormatError,
  layers,
  load,
  loadModel,
  losses,
  model,
  optimizers,
  OptionError,
  tensor,
  type Model,
  type Tensor,
} from "im2row";
import { loadOnnx, type OnnxModel } from "im2row/onnx";
import { afterAll, describe, expect, it } from "vitest";
import { decodeModel } from "../../src/onnx/file/decode.ts";
import type { GraphProto } from "../../src/onnx/file/proto.ts";
import { decodeSafetensors, encodeSafetensors } from "../../src/formats/safetensors.ts";
import { DATA, skipped } from "../support/data.ts";
import { expectWithin } from "../support/float.ts";
import { constant, node, onnxFile, valueInfo } from "../support/onnxFile.ts";
import { onnxruntimeIsAbsent, runOnnx } from "../support/onnxruntime.ts";
import { CASES, GROUPS } from "./cases.ts";
import { noise } from "./support/net.ts";

const engine = await load();
afterAll(() => engine.dispose());

/** The bound of the tests of exported files, relative to the largest output. */
const BOUND = 1e-5;

type Tensors = Readonly<Record<string, Tensor>>;

function expectAlike(outputs: Tensors, expected: Tensors): void {
  expect(Object.keys(outputs).sort()).toEqual(Object.keys(expected).sort());
  for (const [name, { shape, data }] of Object.entries(expected)) {
    expect(outputs[name]!.shape).toEqual(shape);
    const largest = data.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    expectWithin(outputs[name]!.data, [...data], () => BOUND * largest);
  }
}

/** A file gives the outputs, for feeds by the names of another file, here and, unless it is `isHereAlone`, in onnxruntime. */
async function expectOutputs(
  file: Uint8Array,
  feeds: Tensors,
  expected: Tensors,
  isHereAlone = onnxruntimeIsAbsent,
): Promise<void> {
  const again = await loadOnnx(file, { engine });
  expectAlike(again.predict(feeds) as Tensors, expected);
  again.dispose();
  if (!isHereAlone) expectAlike(await runOnnx(file, feeds), expected);
}

/** A net with names as PyTorch writes them; its nodes have a prefix. Its images are NCHW. */
const fileOf = (images: string, prefix = ""): Uint8Array =>
  onnxFile({
    inputs: [valueInfo(images, ["batch", 3, 6, 4])],
    initializers: [
      constant("features.0.weight", [4, 3, 3, 3], noise(1, [4, 3, 3, 3]).data as Float32Array),
      constant("features.0.bias", [4], noise(2, [4]).data as Float32Array),
      constant("classifier.weight", [5, 24], noise(4, [5, 24]).data as Float32Array),
      constant("classifier.bias", [5], noise(5, [5]).data as Float32Array),
    ],
    nodes: [
      node("Conv", [images, "features.0.weight", "features.0.bias"], "/conv/out", { pads: [1, 1, 1, 1] }),
      node("Relu", ["/conv/out"], "/relu/out"),
      node("MaxPool", ["/relu/out"], "/pool/out", { kernel_shape: [2, 2], strides: [2, 2] }),
      node("Sigmoid", ["/pool/out"], "/scaled"),
      node("Flatten", ["/scaled"], "/flat"),
      node("Gemm", ["/flat", "classifier.weight", "classifier.bias"], "log.its", { transB: 1 }),
    ].map((each) => ({ ...each, name: `${prefix}/${each.opType}` })),
    outputs: ["/scaled", "log.its"],
  });

const FILE = fileOf("images.1");

const X = noise(9, [3, 3, 6, 4]) as Tensor;

const graphOf = (net: Model): GraphProto => decodeModel(net.toOnnx()).graph!;
const declared = ({ inputs, outputs }: GraphProto) =>
  [...inputs, ...outputs].map(({ name, dims }) => [name, dims]);

describe("a net from a file in the order NCHW", () => {
  it("is written with the names, shapes and operators of that file", async () => {
    const net = await loadOnnx(FILE, { engine });
    const expected = net.predict({ "images.1": X }) as Tensors;
    const graph = graphOf(net.model);
    expect(declared(graph)).toEqual([
      ["images.1", ["batch", 3, 6, 4]],
      ["/scaled", ["batch", 4, 3, 2]],
      ["log.its", ["batch", 5]],
    ]);
    expect(graph.nodes.map(({ opType, inputs, outputs }) => [opType, inputs, outputs])).toEqual([
      ["Conv", ["images.1", "features.0.weight", "features.0.bias"], ["/conv/out"]],
      ["Relu", ["/conv/out"], ["/relu/out"]],
      ["MaxPool", ["/relu/out"], ["/pool/out"]],
      ["Sigmoid", ["/pool/out"], ["/scaled"]],
      ["Reshape", ["/scaled", expect.any(String)], ["/flat"]],
      ["Gemm", ["/flat", "classifier.weight", "classifier.bias"], ["log.its"]],
    ]);
    expect(graph.nodes.map(({ name, opType }) => [name, opType])).toEqual(
      ["Conv", "Relu", "MaxPool", "Sigmoid", "Flatten", "Gemm"].map((type) => [
        `/${type}`,
        type.replace("Flatten", "Reshape"),
      ]),
    );
    const before = decodeModel(FILE).graph!.initializers;
    for (const { name, raw } of before) {
      expect(graph.initializers.find((each) => each.name === name)!.raw).toEqual(raw);
    }
    await expectOutputs(net.model.toOnnx(), { "images.1": X }, expected);
    net.dispose();
  });

  it("is so after steps of training with a new layer behind one of its values, and after a file of its own", async () => {
    const net = await loadOnnx(FILE, { engine });
    const maps = layers.conv2d({ filters: 2, kernelSize: 3, name: "maps", padding: "same" });
    const classes = layers.dense({ units: 7, name: "classes" });
    const [scaled, flat] = [net.value("/scaled"), net.value("/flat")];
    const seen = layers.permute({ dims: [2, 3, 1] }).apply(scaled);
    const tuned = model({
      inputs: net.value("images.1"),
      outputs: { maps: maps.apply(seen), scaled, classes: classes.apply(flat) },
    });
    const loss = losses.meanSquaredError();
    tuned.compile({ engine, optimizer: optimizers.sgd({ learningRate: 0.01 }), loss });
    const labels = {
      maps: tensor(new Float32Array(36), [3, 3, 2, 2]),
      scaled: tensor(new Float32Array(72), [3, 4, 3, 2]),
      classes: tensor(new Float32Array(21), [3, 7]),
    };
    for (let step = 0; step < 3; step++) tuned.trainOnBatch(X, labels);
    const own = tuned.predict({ [tuned.inputs[0]!.name]: X });
    // What the new layer makes of an image is the package's: the file has it NCHW, as of every model.
    const turned = new Float32Array(36);
    for (let i = 0; i < 36; i++)
      turned[i] = own.maps.data[((i / 12) | 0) * 12 + (i % 6) * 2 + (((i / 6) | 0) % 2)]!;
    const expected = { ...own, maps: tensor(turned, [3, 2, 3, 2]) };
    const file = tuned.toOnnx();
    const graph = decodeModel(file).graph!;
    expect(declared(graph)).toEqual([
      ["images.1", ["batch", 3, 6, 4]],
      ["maps", ["batch", 2, 3, 2]],
      ["scaled", ["batch", 4, 3, 2]],
      ["classes", ["batch", 7]],
    ]);
    expect(graph.nodes.map(({ opType }) => opType)).not.toContain("Transpose");
    await expectOutputs(file, { "images.1": X }, expected);
    expect(loadModel(tuned.toSafetensors()).toOnnx()).toEqual(file);
    // With the layout of the package only what is new changes.
    const asHere = decodeModel(tuned.toOnnx({ layout: "NHWC" })).graph!;
    expect(declared(asHere).map(([, dims]) => dims)).toEqual([
      ["batch", 3, 6, 4],
      ["batch", 3, 2, 2],
      ["batch", 4, 3, 2],
      ["batch", 7],
    ]);
    net.dispose();
    tuned.dispose();
  });

  it("has a value twice where two outputs are the same in the file", async () => {
    const net = await loadOnnx(FILE, { engine });
    const scaled = net.value("/scaled");
    const last = layers.permute({ dims: [2, 3, 1], name: "last" }).apply(scaled);
    const first = layers.permute({ dims: [3, 1, 2], name: "first" }).apply(last);
    const both = model({ inputs: net.value("images.1"), outputs: [scaled, last, first] });
    const expected = (net.predict({ "images.1": X }) as Tensors)["/scaled"]!;
    // All three are NCHW: the last one, of the package's images, as it was before.
    const { nodes } = graphOf(both);
    expect(nodes.filter(({ opType }) => opType === "Identity")).toHaveLength(1);
    const file = both.toOnnx();
    const outputs = decodeModel(file).graph!.outputs.map(({ name }) => name);
    expect(outputs).toEqual(["/scaled", "last", "first"]);
    const again = await loadOnnx(file, { engine });
    const result = again.predict({ "images.1": X }) as Tensors;
    expectAlike({ y: result["/scaled"]! }, { y: expected });
    expectAlike({ y: result["last"]! }, { y: expected });
    again.dispose();
    net.dispose();
  });

  it("has single numbers for images where the file has, of inputs and outputs", async () => {
    const file = onnxFile({
      inputs: [valueInfo("x", ["n", 3]), valueInfo("scale", ["n"])],
      initializers: [constant("w", [3, 1], [1, 2, 3])],
      nodes: [
        node("MatMul", ["x", "w"], "product"),
        node("Squeeze", ["product"], "single", { axes: [1] }),
        node("Mul", ["single", "scale"], "y"),
        node("Relu", ["y"], "positive"),
      ],
      outputs: ["y", "positive"],
      version: 11,
    });
    const net = await loadOnnx(file, { engine });
    const feeds = { x: tensor([1, 1, 1, 0, 2, -1], [2, 3]), scale: tensor([2, -3], [2]) };
    const expected = { y: tensor([12, -3], [2]), positive: tensor([12, 0], [2]) };
    expect(net.predict(feeds)).toEqual(expected);
    expect(declared(graphOf(net.model))).toEqual([
      ["x", ["n", 3]],
      ["scale", ["n"]],
      ["y", ["n"]],
      ["positive", ["n"]],
    ]);
    await expectOutputs(net.model.toOnnx(), feeds, expected);
    net.dispose();
  });

  it("shares names with nothing: of two nets with the same names in one model one keeps them", async () => {
    const [a, b] = [await loadOnnx(FILE, { engine }), await loadOnnx(fileOf("other", "other"), { engine })];
    const both = model({
      inputs: [a.value("images.1"), b.value("other")],
      outputs: { sum: layers.add().apply([a.value("/scaled"), b.value("/scaled")]) },
    });
    const { nodes, initializers, inputs } = graphOf(both);
    const names = [...inputs, ...initializers].map(({ name }) => name);
    const all = [...names, ...nodes.flatMap(({ outputs }) => outputs)];
    expect(new Set(all).size).toBe(all.length);
    const x = noise(10, [3, 3, 6, 4]) as Tensor;
    const [own, other] = [a.predict({ "images.1": X }), b.predict({ other: x })] as Tensors[];
    const sum = own!["/scaled"]!.data.map((value, i) => value + other!["/scaled"]!.data[i]!);
    const feeds = { [inputs[0]!.name]: X, [inputs[1]!.name]: x };
    await expectOutputs(both.toOnnx(), feeds, { sum: tensor(sum, [3, 4, 3, 2]) });
    a.dispose();
    b.dispose();
  });
});

it.each([
  [{ origin: { name: 1, order: [0] } }, "expected an origin, { name, order }, got"],
  [{ origin: { name: "", order: [0] } }, "expected an origin, { name, order }, got"],
  [{ origin: { name: "x", order: [0, 2] } }, "expected an origin, { name, order }, got"],
  [{ weightOrigins: [] }, "expected origins of weights, got"],
  [{ weightOrigins: { kernel: { name: "k", order: [0, 1], shape: [2] } } }, "{ name, shape, order }, got"],
])("a model file that says %o of where it comes from is refused", async (change, message) => {
  const net = await loadOnnx(FILE, { engine });
  const { tensors, metadata } = decodeSafetensors(net.model.toSafetensors());
  net.dispose();
  const architecture = JSON.parse(metadata["architecture"]!) as { nodes: object[] };
  Object.assign(architecture.nodes.at(-1)!, change);
  const file = encodeSafetensors(tensors, { ...metadata, architecture: JSON.stringify(architecture) });
  expect(() => loadModel(file)).toThrow(FormatError);
  expect(() => loadModel(file)).toThrow(message);
});

const MODELS = ["cnn_mnist_pytorch", "mnist_8"].map(
  (name) => `${DATA}/conformance/models/${name}/model.onnx`,
);
const absent = !existsSync(CASES) || !MODELS.every((file) => existsSync(file));

/** Feeds for two images, of floats alone; undefined for a net that takes integers. */
function feedsOf(net: OnnxModel): Tensors | undefined {
  const { inputs } = decodeModel(net.model.toOnnx()).graph!;
  const types = new Map(net.inputs.map(({ name, type }) => [name, type]));
  if (inputs.some(({ name }) => types.get(name) !== "float32")) return undefined;
  return Object.fromEntries(
    inputs.map(({ name, dims }, i) => {
      const own = net.inputs.find((each) => each.name === name)!;
      const shape = [2, ...dims!.slice(1).map(Number)].slice(0, own.dims.length);
      return [name, noise(i + 1, shape, 0.1, 1) as Tensor];
    }),
  );
}

describe.skipIf(absent)(`the conformance suites${absent ? skipped("conformance") : ""}`, () => {
  it(
    "come back with their names, shapes and values, or are refused by the name of a layer",
    { timeout: 300_000 },
    async () => {
      const single = GROUPS.flatMap((group) =>
        readdirSync(`${CASES}/${group}`).map((name) => `${CASES}/${group}/${name}/model.onnx`),
      );
      let written = 0;
      for (const file of [...single, ...MODELS]) {
        const net = await loadOnnx(readFileSync(file), { engine });
        if (net.notBatched === undefined) {
          try {
            const feeds = feedsOf(net);
            if (feeds) {
              const isHereAlone = onnxruntimeIsAbsent || !MODELS.includes(file);
              await expectOutputs(net.model.toOnnx(), feeds, net.predict(feeds) as Tensors, isHereAlone);
              written++;
            }
          } catch (error) {
            if (!(error instanceof OptionError)) throw error;
            expect(error.message).toMatch(
              /^toOnnx: \S+: expected one of layers\.\*, got a layer of the type onnx\.\w+$/,
            );
          }
        }
        net.dispose();
      }
      expect(written).toBeGreaterThan(50);
    },
  );
});
