/** Model files: what they hold, and what is refused about broken ones and those of other models. */
import { beforeAll, describe, expect, it } from "vitest";
import {
  FormatError,
  layers,
  loadModel,
  OptionError,
  sequential,
  ShapeError,
  tensor,
  type Model,
  type Tensor,
} from "../../src/index.ts";
import { layerOf } from "../../src/layers/symbolic.ts";
import { decodeSafetensors, encodeSafetensors } from "../../src/formats/safetensors.ts";
import { hourglass, rareOptions } from "../conformance/hourglass.ts";
import { lenet5, tinyNet } from "../conformance/nets.ts";
import { weightBits } from "../support/model.ts";

let model: Model;
let bytes: Uint8Array;
beforeAll(() => {
  model = tinyNet(3);
  bytes = model.toSafetensors();
});

/** The file with another architecture, or with other tensors. */
function altered(
  change: (architecture: Record<string, unknown>, tensors: Map<string, Tensor>) => unknown,
): Uint8Array {
  const { tensors, metadata } = decodeSafetensors(bytes);
  const architecture = JSON.parse(metadata["architecture"]!) as Record<string, unknown>;
  const given = change(architecture, tensors) ?? architecture;
  const text = typeof given === "string" ? given : JSON.stringify(given);
  return encodeSafetensors(tensors, { ...metadata, architecture: text });
}

/** The file with one of its nodes changed. */
const node = (index: number, change: object): Uint8Array =>
  altered((architecture) => {
    Object.assign((architecture["nodes"] as object[])[index]!, change);
  });

/** The file as that of a graph, changed. */
const asGraph = (change: (architecture: Record<string, unknown>) => void): Uint8Array =>
  altered((architecture) => {
    architecture["version"] = 2;
    architecture["inputs"] = [{ name: "x", shape: architecture["inputShape"] }];
    (architecture["nodes"] as { inputs: string[] }[])[0]!.inputs = ["x"];
    architecture["outputs"] = ["dense"];
    change(architecture);
  });

describe("a model file", () => {
  it("holds the weights as tensors and the architecture as JSON", () => {
    const { tensors, metadata } = decodeSafetensors(bytes);
    expect([...tensors.keys()]).toEqual(["conv2d.kernel", "conv2d.bias", "dense.kernel", "dense.bias"]);
    expect(tensors.get("conv2d.kernel")!.shape).toEqual([3, 3, 3, 4]);
    expect(JSON.parse(metadata["architecture"]!)).toMatchObject({
      version: 1,
      seed: 3,
      inputShape: [7, 7, 3],
    });
  });

  it("gives back every option of every layer", () => {
    const padding = [
      [1, 0],
      [2, 1],
    ] as const;
    const rich = sequential({
      inputShape: [12, 12, 4],
      layers: [
        layers.conv2d({
          filters: 8,
          kernelSize: [3, 2],
          strides: [2, 1],
          padding,
          dilationRate: [1, 2],
          groups: 2,
        }),
        layers.activation({ activation: { leakyRelu: 0.3 }, name: "leak" }),
        layers.depthwiseConv2d({ kernelSize: 2, depthMultiplier: 3, useBias: false, activation: "tanh" }),
        layers.maxPooling2d({ poolSize: [2, 1], strides: 1, padding: "same" }),
        layers.batchNormalization({ momentum: 0.5, scale: false }),
        layers.activation({ activation: { elu: 0.5 } }),
        layers.groupNormalization({ groups: 4, epsilon: 1e-5, gammaInitializer: { constant: 2 } }),
        layers.instanceNormalization({ center: false, betaInitializer: "ones" }),
        layers.layerNormalization({ axis: [-2, -1] }),
        layers.averagePooling2d(),
        layers.dropout({ rate: 0.3 }),
        layers.dense({ units: 5, biasInitializer: { constant: -0.5 }, kernelInitializer: "heNormal" }),
        layers.globalAveragePooling2d({ name: "mean" }),
        layers.flatten(),
      ],
      seed: 12,
    });
    const again = loadModel(rich.toSafetensors());
    expect(again.summary()).toBe(rich.summary());
    expect(again.seed).toBe(12);
    expect(again.toSafetensors()).toEqual(rich.toSafetensors());
    expect(weightBits(again)).toEqual(weightBits(rich));
  });

  it.each([hourglass(5), rareOptions()])(
    "gives back every option of layers that grow and merge (%#)",
    (net) => {
      const again = loadModel(net.toSafetensors());
      expect(again.summary()).toBe(net.summary());
      expect(again.toSafetensors()).toEqual(net.toSafetensors());
      expect(weightBits(again)).toEqual(weightBits(net));
    },
  );

  it("tells which layers are frozen, each once, and says nothing of the others", () => {
    const twice = layers.dense({ units: 4 });
    const net = sequential({ inputShape: [4], layers: [twice, twice, layers.dense({ units: 2 })] });
    const plain = net.toSafetensors();
    twice.trainable = false;
    const file = net.toSafetensors();
    const again = loadModel(file);
    expect(again.layers.map(({ trainable }) => trainable)).toEqual([false, true]);
    expect(again.toSafetensors()).toEqual(file);
    again.layers[0]!.trainable = true;
    expect(again.toSafetensors()).toEqual(plain);
    expect(JSON.stringify(decodeSafetensors(plain).metadata)).not.toContain("trainable");
  });

  it("is not made of layers that loadModel could not make again", () => {
    const closure = layerOf({ type: "closure", build: () => ({ forward() {} }) });
    const net = sequential({ inputShape: [4], layers: [layers.dense({ units: 2 }), closure] });
    expect(() => net.toSafetensors()).toThrow(OptionError);
    expect(() => net.toSafetensors()).toThrow(
      "toSafetensors: closure: expected one of layers.*, got a layer of the type closure",
    );
  });

  it("may lie anywhere in a larger buffer", () => {
    const larger = new Uint8Array(bytes.length + 9);
    larger.set(bytes, 5);
    expect(weightBits(loadModel(larger.subarray(5, 5 + bytes.length)))).toEqual(weightBits(model));
  });
});

describe("a broken file is refused", () => {
  it("at every length that is too short, by loadModel and loadSafetensors", () => {
    const target = tinyNet();
    const before = weightBits(target);
    for (let length = 0; length < bytes.length; length += length < 16 ? 1 : 97) {
      expect(() => loadModel(bytes.subarray(0, length))).toThrow(FormatError);
      expect(() => target.loadSafetensors(bytes.subarray(0, length))).toThrow(FormatError);
    }
    expect(weightBits(target)).toEqual(before);
  });

  it.each(
    Object.entries<() => Uint8Array>({
      "header: expected a JSON object in UTF-8": () =>
        new TextEncoder().encode("\x10\0\0\0\0\0\0\0this is no model"),
      'expected JSON, got "{nodes"': () => altered(() => "{nodes"),
      "expected an object, got 7": () => altered(() => "7"),
      "expected version 1, 2 or 3, got 4": () => altered((a) => void (a["version"] = 4)),
      "expected a list of inputs, { name, shape }, got undefined": () =>
        altered((a) => void (a["version"] = 2)),
      "expected a seed, an integer ≥ 0, got -1": () => altered((a) => void (a["seed"] = -1)),
      "expected an inputShape, got undefined": () => altered((a) => void delete a["inputShape"]),
      'model: inputShape: expected a shape of positive integers, got [7,"7",3]': () =>
        altered((a) => void (a["inputShape"] = [7, "7", 3])),
      "expected a list of nodes, got []": () => altered((a) => void (a["nodes"] = [])),
      "expected nodes of { type, name, inputs, config }, got null": () =>
        altered((a) => void (a["nodes"] = [null])),
      "expected a layer of the types ": () => node(0, { type: "conv3d" }),
      'take, unary, where, got "constructor"': () => node(0, { type: "constructor" }),
      'expected the name of an earlier node, got "dense"': () => node(0, { inputs: ["dense"] }),
      "expected one input for dense, got []": () => node(2, { inputs: [] }),
      'dense: units: expected a positive integer, got "3"': () => node(2, { config: { units: "3" } }),
      "conv2d: height: expected an image of at least 9": () =>
        node(0, { config: { filters: 4, kernelSize: 9 } }),
      'dense: name: expected letters, digits, "_" and "-", got "a b"': () => node(2, { name: "a b" }),
      "loadModel: weights: dense.bias: expected shape 3, got no such tensor": () =>
        altered((_, t) => void t.delete("dense.bias")),
      "weights: dense.kernel: expected shape 36×1099511627776, got shape 36×3": () =>
        node(2, { config: { units: 2 ** 40 } }),
      "dense.bias: expected shape 3, got shape 1": () =>
        altered((_, t) => void t.set("dense.bias", tensor([0], [1]))),
      "expected the weights conv2d.kernel, conv2d.bias, dense.kernel, dense.bias; got extra besides": () =>
        altered((_, t) => void t.set("extra", tensor([0], [1]))),
      'expected nodes of { type, name, inputs, config }, got {"type":"conv2d"': () =>
        node(0, { trainable: 0 }),
      'expected each output once, got ["dense","dense"]': () =>
        asGraph((a) => void (a["outputs"] as string[]).push("dense")),
      'expected values that an output depends on, got "conv2d"': () =>
        altered((a, t) => {
          const [, , last] = a["nodes"] as { name: string; inputs: string[] }[];
          last!.inputs = [""];
          t.set("dense.kernel", tensor(new Float32Array(9), [3, 3]));
        }),
      'expected values that an output depends on, got "more"': () =>
        asGraph((a) => void (a["inputs"] as object[]).push({ name: "more", shape: [1] })),
    }),
  )("%s", (message, file) => {
    const broken = file();
    expect(() => loadModel(broken)).toThrow(FormatError);
    expect(() => loadModel(broken)).toThrow(message);
  });

  it("without an architecture by loadModel, while loadSafetensors needs none", () => {
    const { tensors } = decodeSafetensors(bytes);
    const plain = encodeSafetensors(tensors, {});
    expect(() => loadModel(plain)).toThrow(
      "loadModel: architecture: expected the architecture of an im2row model in the metadata, got undefined",
    );
    const target = tinyNet();
    target.loadSafetensors(plain);
    expect(weightBits(target)).toEqual(weightBits(model));
  });
});

describe("weights of another model are refused whole", () => {
  it.each(
    Object.entries<(target: Model) => void>({
      "loadSafetensors: conv2d.kernel: expected shape 3×3×3×4, got shape 5×5×1×6": (target) =>
        target.loadSafetensors(lenet5(1).toSafetensors()),
      "setWeights: dense.kernel: expected shape 36×3, got no such tensor": (target) => {
        const { weights } = target;
        weights.delete("dense.kernel");
        weights.get("conv2d.bias")!.data.fill(9);
        target.setWeights(weights);
      },
      "setWeights: dense.bias.data: expected 3 elements for shape 3, got 2": (target) =>
        target.setWeights(
          new Map([...target.weights, ["dense.bias", { shape: [3], data: new Float32Array(2) }]]),
        ),
      "setWeights: expected the weights conv2d.kernel, conv2d.bias, dense.kernel, dense.bias; got more besides":
        (target) => target.setWeights(new Map([...target.weights, ["more", tensor([1], [1])]])),
    }),
  )("%s", (message, write) => {
    const target = tinyNet();
    const before = weightBits(target);
    expect(() => write(target)).toThrow(ShapeError);
    expect(() => write(target)).toThrow(message);
    expect(weightBits(target)).toEqual(before);
  });
});
