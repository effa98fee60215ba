/** The graphs that models write as ONNX: names, shapes, attributes, and what is refused. */
import { FormatError, input, layers, model, OptionError, sequential, tensor, type Model } from "im2row";
import { describe, expect, it } from "vitest";
import { decodeModel } from "../../src/onnx/file/decode.ts";
import { encodeModel } from "../../src/onnx/file/encode.ts";
import type { GraphProto } from "../../src/onnx/file/proto.ts";
import { writeModel } from "../../src/onnx/export/index.ts";
import { ACTIVATION } from "../../src/kernels/kernels.ts";
import { decodeCheckpoint } from "../../src/model/checkpoint.ts";
import { chain, createGraph } from "../../src/graph/graph.ts";
import { branched, lenet5 } from "../conformance/nets.ts";
import { placeless } from "./support/placeless.ts";
import { LAYER_CASES } from "../layers/all.ts";
import { EXPORTED } from "./exported.ts";

const graphOf = (net: Model, options?: Parameters<Model["toOnnx"]>[0]): GraphProto =>
  decodeModel(net.toOnnx(options)).graph!;

const nodesOf = (graph: GraphProto): [string, string[], string][] =>
  graph.nodes.map(({ opType, inputs, outputs }) => [opType, inputs, outputs.join()]);

const attributesOf = (graph: GraphProto, name: string): Record<string, unknown> => {
  const { attributes } = graph.nodes.find((node) => node.name === name)!;
  return Object.fromEntries(attributes.map(({ name: key, i, f, ints }) => [key, i ?? f ?? ints]));
};

describe("the cases for onnxruntime", () => {
  const graphs = EXPORTED.map(([, build]) => decodeCheckpoint(build().toSafetensors()));

  it("leave out no layer and no activation", () => {
    const used = graphs.flatMap(({ graph }) => graph.nodes.map(({ layer }) => layer));
    expect([...new Set(used.map(({ type }) => type))].sort()).toEqual(Object.keys(LAYER_CASES).sort());
    const configs = used.map(({ config }) => config as { activation?: unknown });
    for (const each of Object.keys(ACTIVATION))
      expect(configs.some(({ activation }) => activation === each)).toBe(true);
  });

  it("come back from their bytes as the same messages", () => {
    for (const layout of ["NCHW", "NHWC"] as const) {
      for (const { graph, weights } of graphs) {
        const messages = writeModel(graph, weights, layout);
        expect(placeless(encodeModel(messages))).toEqual(messages);
      }
    }
  });

  it("name each value once, before it is read", () => {
    for (const { graph, weights } of graphs) {
      const { inputs, initializers, nodes, outputs } = writeModel(graph, weights, "NHWC").graph!;
      const known = new Set([...inputs, ...initializers].map(({ name }) => name)).add("");
      expect(known.size).toBe(inputs.length + initializers.length + 1);
      for (const node of nodes) {
        for (const name of node.inputs) expect(known).toContain(name);
        for (const name of node.outputs) {
          expect(known).not.toContain(name);
          known.add(name);
        }
      }
      for (const { name } of outputs) expect(known).toContain(name);
    }
  });
});

describe("LeNet-5", () => {
  const net = lenet5(1);
  const graph = graphOf(net);

  it("is of opset 17 and IR version 8", () => {
    expect(decodeModel(net.toOnnx())).toMatchObject({
      irVersion: 8,
      producer: "im2row",
      opsets: [{ domain: "", version: 17 }],
    });
  });

  it("takes images NCHW, of any number, and gives logits", () => {
    expect(graph.inputs).toEqual([{ name: "input", elementType: 1, dims: ["N", 1, 28, 28] }]);
    expect(graph.outputs).toEqual([{ name: "dense_2", elementType: 1, dims: ["N", 10] }]);
  });

  it("has an operator or two a layer, called as the layers", () => {
    expect(nodesOf(graph)).toEqual([
      ["Conv", ["input", "conv2d.kernel", "conv2d.bias"], "conv2d/Conv_0"],
      ["Relu", ["conv2d/Conv_0"], "conv2d"],
      ["MaxPool", ["conv2d"], "maxPooling2d"],
      ["Conv", ["maxPooling2d", "conv2d_1.kernel", "conv2d_1.bias"], "conv2d_1/Conv_0"],
      ["Relu", ["conv2d_1/Conv_0"], "conv2d_1"],
      ["MaxPool", ["conv2d_1"], "maxPooling2d_1"],
      ["Transpose", ["maxPooling2d_1"], "flatten/Transpose_0"],
      ["Reshape", ["flatten/Transpose_0", "flatten/shape"], "flatten"],
      ["Gemm", ["flatten", "dense.kernel", "dense.bias"], "dense/Gemm_0"],
      ["Relu", ["dense/Gemm_0"], "dense"],
      ["Gemm", ["dense", "dense_1.kernel", "dense_1.bias"], "dense_1/Gemm_0"],
      ["Relu", ["dense_1/Gemm_0"], "dense_1"],
      ["Gemm", ["dense_1", "dense_2.kernel", "dense_2.bias"], "dense_2"],
    ]);
    expect(attributesOf(graph, "conv2d/Conv_0")).toEqual({
      kernel_shape: [5, 5],
      strides: [1, 1],
      pads: [2, 2, 2, 2],
      dilations: [1, 1],
      group: 1,
    });
  });

  it("has its weights under their names, filters as OIHW", () => {
    const weights = graph.initializers.filter(({ name }) => name.includes("."));
    expect(weights.map(({ name }) => name)).toEqual([...net.weights.keys()]);
    const filters = weights.find(({ name }) => name === "conv2d_1.kernel")!;
    expect(filters.dims).toEqual([16, 6, 5, 5]);
    const { data } = net.weights.get("conv2d_1.kernel")!;
    const stored = new Float32Array(new Uint8Array(filters.raw!).buffer);
    const [f, c, y, x] = [13, 4, 3, 1];
    expect(stored[((f * 6 + c) * 5 + y) * 5 + x]).toBe(data[((y * 5 + x) * 6 + c) * 16 + f]);
  });
});

describe("layout NHWC", () => {
  it("turns images at the inputs and outputs, and nothing else", () => {
    const x = input({ shape: [4, 5, 3], name: "image" });
    const y = layers.conv2d({ filters: 2, kernelSize: 1, name: "maps" }).apply(x);
    const row = layers.globalMaxPooling2d({ name: "row" }).apply(y);
    const graph = graphOf(model({ inputs: x, outputs: [y, row] }), { layout: "NHWC" });
    expect(graph.inputs.map(({ dims }) => dims)).toEqual([["N", 4, 5, 3]]);
    expect(graph.outputs.map(({ dims }) => dims)).toEqual([
      ["N", 4, 5, 2],
      ["N", 2],
    ]);
    expect(nodesOf(graph)).toEqual([
      ["Transpose", ["image"], "image/NCHW"],
      ["Conv", ["image/NCHW", "maps.kernel", "maps.bias"], "maps/NCHW"],
      ["GlobalMaxPool", ["maps/NCHW"], "row/GlobalMaxPool_0"],
      ["Flatten", ["row/GlobalMaxPool_0"], "row"],
      ["Transpose", ["maps/NCHW"], "maps"],
    ]);
  });
});

describe("a sequence", () => {
  it("is turned around what slides along it, and is no image", () => {
    const conv = layers.conv1d({
      filters: 2,
      kernelSize: 3,
      dilationRate: 2,
      padding: "causal",
      name: "conv",
    });
    const graph = graphOf(sequential({ inputShape: [7, 3], layers: [conv] }), { layout: "NHWC" });
    expect(graph.inputs[0]!.dims).toEqual(["N", 7, 3]);
    expect(nodesOf(graph)).toEqual([
      ["Transpose", ["input"], "conv/Transpose_0"],
      ["Conv", ["conv/Transpose_0", "conv.kernel", "conv.bias"], "conv/Conv_1"],
      ["Transpose", ["conv/Conv_1"], "conv"],
    ]);
    expect(attributesOf(graph, "conv/Conv_1")).toEqual({
      kernel_shape: [3],
      strides: [1],
      pads: [4, 0],
      dilations: [2],
      group: 1,
    });
  });
});

describe("a graph", () => {
  it("has its inputs and outputs, and the weights of a layer that is used twice once", () => {
    const graph = graphOf(branched(1));
    expect(graph.inputs.map(({ name }) => name)).toEqual(["image", "extra"]);
    expect(graph.outputs.map(({ name }) => name)).toEqual(["kind", "place"]);
    const readers = graph.nodes.filter(({ inputs }) => inputs.includes("shared.kernel"));
    expect(readers.map(({ name }) => name)).toEqual(["shared/Conv_0", "shared:1/Conv_0"]);
    expect(graph.initializers.filter(({ name }) => name === "shared.kernel")).toHaveLength(1);
  });

  it("shares the numbers of its activations", () => {
    const relu6 = (): ReturnType<typeof layers.activation> => layers.activation({ activation: "relu6" });
    const graph = graphOf(sequential({ inputShape: [3], layers: [relu6(), relu6()] }));
    expect(graph.initializers.map(({ name }) => name)).toEqual(["scalar/0", "scalar/6"]);
  });

  it("does not turn an image whose elements lie in the same order anyway", () => {
    for (const inputShape of [
      [1, 1, 8],
      [4, 2, 1],
    ]) {
      const graph = graphOf(sequential({ inputShape, layers: [layers.flatten()] }));
      expect(graph.nodes.map(({ opType }) => opType)).toEqual(["Reshape"]);
    }
  });
});

describe("what is refused", () => {
  const net = sequential({ inputShape: [2], layers: [layers.dense({ units: 1 })] });

  it.each<[string, object, string]>([
    ["another layout", { layout: "CHWN" }, 'toOnnx: layout: expected one of "NCHW", "NHWC"; got "CHWN"'],
    ["an unknown option", { opset: 17 }, 'toOnnx: expected the options layout; got "opset"'],
  ])("%s", (_, options, message) => {
    expect(() => net.toOnnx(options)).toThrow(OptionError);
    expect(() => net.toOnnx(options)).toThrow(message);
  });

  it.each(["conv3d", "constructor"])("a layer of type %s, by its name", (type) => {
    const layer = { ...layers.flatten({ name: "odd" }), type };
    const write = (): unknown => writeModel(chain([4], [layer]), new Map(), "NCHW");
    expect(write).toThrow(OptionError);
    expect(write).toThrow(
      /^toOnnx: odd: expected one of layers\.\*, got a layer of the type (conv3d|constructor)$/,
    );
  });

  it("more weights than a file holds", () => {
    const graph = createGraph([{ shape: [2] }], [{ layer: layers.flatten(), inputs: [0] }], [1]);
    // Never touched, and so never there.
    const weights = new Map(["a", "b"].map((name) => [name, tensor(new Float32Array(2 ** 28), [2 ** 28])]));
    const write = (): unknown => writeModel(graph, weights, "NCHW");
    expect(write).toThrow(FormatError);
    expect(write).toThrow(
      "toOnnx: expected at most 2146435072 bytes of weights, which one file holds, got 2147483648",
    );
  });
});
