/** A net that is fed other sizes is lowered with the layers that it has, and is the net that would be lowered for these alone. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { load, losses, optimizers, type Engine, type Tensor } from "../../src/index.ts";
import { loadOnnx, type OnnxModel } from "../../src/onnx.ts";
import type { NodeProto, TensorProto } from "../../src/onnx/file/proto.ts";
import { constant, node, onnxFile, valueInfo } from "../support/onnxFile.ts";
import { noise } from "../support/model.ts";

let engine: Engine;
beforeAll(async () => {
  engine = await load();
});
afterAll(() => engine.dispose());

const weight = (name: string, ...dims: number[]): TensorProto =>
  constant(name, dims, noise(dims[0]!, ...dims).data);

/** All initializers of these nets; the images have four channels. */
const INITIALIZERS = [
  weight("filters", 4, 4, 3, 3),
  weight("points", 4, 4, 1, 1),
  weight("row", 1, 4, 1, 1),
  weight("channel", 4),
  constant("variances", [4], [1, 2, 3, 4]),
  weight("matrix", 4, 2),
  constant("zero", [], [0]),
  constant("six", [], [6]),
  constant("flat", [3], BigInt64Array.of(0n, 4n, -1n)),
  constant("twice", [4], [1, 1, 2, 2]),
];

const CONV = node("Conv", ["x", "filters", "channel"], "conv", { pads: [1, 1, 1, 1] });
const STRIDED = node("Conv", ["x", "filters"], "conv", { auto_pad: "SAME_UPPER", strides: [2, 2] });
const POOLED = node("GlobalAveragePool", ["z"], "pool");

interface Case {
  readonly name: string;
  readonly nodes: readonly NodeProto[];
  /** The types of the layers that it does not keep from one size to the next. */
  readonly lowered: readonly string[];
}

const CASES: readonly Case[] = [
  {
    name: "convolutions, normalization, activations, a residual and joined channels",
    nodes: [
      CONV,
      node("BatchNormalization", ["conv", "channel", "channel", "channel", "variances"], "normal"),
      node("Relu", ["normal"], "relu"),
      node("Conv", ["relu", "points"], "point"),
      node("Add", ["point", "row"], "biased"),
      node("Clip", ["biased", "zero", "six"], "clip"),
      node("Add", ["clip", "relu"], "sum"),
      node("Sigmoid", ["sum"], "sigmoid"),
      node("Mul", ["sum", "sigmoid"], "silu"),
      node("Concat", ["silu", "x"], "y", { axis: 1 }),
    ],
    lowered: ["permute"],
  },
  {
    name: "padding that follows from the sizes, and what follows from how the convolution was made",
    nodes: [STRIDED, node("Add", ["conv", "row"], "bias"), node("Relu", ["bias"], "y")],
    lowered: ["permute", "conv2d", "permute"],
  },
  {
    name: "an activation of a value, and something else between that has other options for other sizes",
    nodes: [
      STRIDED,
      node("Sigmoid", ["conv"], "sigmoid"),
      node("Resize", ["conv", "", "twice"], "large", {
        mode: "nearest",
        coordinate_transformation_mode: "asymmetric",
        nearest_mode: "floor",
      }),
      node("MaxPool", ["large"], "same", { kernel_shape: [2, 2], strides: [2, 2] }),
      node("Mul", ["same", "sigmoid"], "product"),
      node("Mul", ["conv", "sigmoid"], "silu"),
      node("Add", ["silu", "product"], "y"),
    ],
    lowered: ["permute", "conv2d", "resize", "activation", "maxPooling2d", "add", "permute"],
  },
  {
    name: "squeeze and excitation, and a classifier behind it",
    nodes: [
      CONV,
      node("GlobalAveragePool", ["conv"], "squeezed"),
      node("Conv", ["squeezed", "points"], "gates"),
      node("HardSigmoid", ["gates"], "hard"),
      node("Mul", ["hard", "conv"], "z"),
      POOLED,
      node("Flatten", ["pool"], "features"),
      node("Gemm", ["features", "matrix"], "y"),
    ],
    lowered:
      "reshape globalAveragePooling2d reshape reshape reshape multiply reshape globalAveragePooling2d reshape".split(
        " ",
      ),
  },
  {
    name: "a weight that is added to pooled values and joined to others",
    nodes: [
      node("Relu", ["x"], "z"),
      POOLED,
      node("Max", ["pool", "row"], "max"),
      node("Min", ["row", "max"], "min"),
      node("Sub", ["min", "row"], "y"),
    ],
    lowered: ["reshape", "permute", "globalAveragePooling2d", "reshape"],
  },
  {
    name: "shapes that follow from the sizes",
    nodes: [
      node("Relu", ["x"], "relu"),
      node("Shape", ["relu"], "shape"),
      node("Reshape", ["relu", "flat"], "flattened"),
      node("Softmax", ["flattened"], "softmax", { axis: -1 }),
      node("Reshape", ["softmax", "shape"], "back"),
      node("Conv", ["back", "points"], "y"),
    ],
    lowered: ["reshape", "activation", "reshape", "permute"],
  },
];

const SIZES = [
  [8, 9],
  [8, 10],
  [7, 13],
  // Axes of one element lie in any order, and have views of their own.
  [1, 8],
  [8, 1],
  [3, 3],
  [8, 9],
] as const;

const open = ({ nodes }: Pick<Case, "nodes">): Promise<OnnxModel> => {
  const inputs = [valueInfo("x", ["n", 4, "h", "w"])];
  return loadOnnx(onnxFile({ nodes, inputs, outputs: ["y"], initializers: INITIALIZERS }), { engine });
};

const image = ([h, w]: readonly [number, number]): Tensor => noise(h * w, 2, 4, h, w);

/** All that a net says of itself and computes. */
function allOf(net: OnnxModel, x: Tensor): object {
  const outputs = net.predict({ x });
  const { model, nodes, frozen, parameterCount } = net;
  const { weights, inputs, outputs: ends, learning } = model;
  return { outputs, nodes, frozen, parameterCount, summary: net.summary(), weights, inputs, ends, learning };
}

describe.each(CASES)("$name:", (each) => {
  it("all sizes are computed as by a net of their own", async () => {
    const net = await open(each);
    for (const size of SIZES) {
      const twin = await open(each);
      expect(allOf(net, image(size))).toEqual(allOf(twin, image(size)));
      twin.dispose();
    }
    expect(net.toOnnx()).toEqual((await open(each)).toOnnx());
    net.dispose();
  });

  it("layers that no size decides about are kept", async () => {
    const net = await open(each);
    net.predict({ x: image([8, 9]) });
    const before = new Set(net.model.layers);
    net.predict({ x: image([9, 14]) });
    const lowered = net.model.layers.filter((layer) => !before.has(layer));
    expect(lowered.map(({ type }) => type)).toEqual(each.lowered);
    net.dispose();
  });
});

it("sizes that a net cannot be planned for are refused as by a net of their own, and others go on", async () => {
  const valid = {
    ...CASES[0]!,
    nodes: [node("Conv", ["x", "filters"], "conv"), node("Relu", ["conv"], "y")],
  };
  const net = await open(valid);
  const twin = await open(valid);
  const y = net.predict({ x: image([8, 9]) });
  let message = "";
  try {
    twin.predict({ x: image([8, 2]) });
  } catch (error) {
    ({ message } = error as Error);
  }
  expect(message).toContain("conv (Conv): expected at least 3 elements along axis 3, got 2");
  expect(() => net.predict({ x: image([8, 2]) })).toThrow(message);
  expect(net.predict({ x: image([8, 9]) })).toEqual(y);
  net.predict({ x: image([8, 3]) });
  for (const each of [net, twin]) each.dispose();
});

it("layers that are frozen stay so at other sizes, and at those that were seen before", async () => {
  const net = await open(CASES[1]!);
  const isFrozen = (): boolean[] => net.model.layers.map(({ trainable }) => !trainable);
  for (const size of [8, 9]) net.predict({ x: image([size, size]) });
  for (const layer of net.model.layers) layer.trainable = false;
  for (const size of [10, 8, 9]) {
    net.predict({ x: image([size, size]) });
    expect(isFrozen()).not.toContain(false);
    expect(net.notTrainable).toContain("frozen");
  }
  net.model.layers[0]!.trainable = true;
  net.predict({ x: image([8, 8]) });
  expect(isFrozen().indexOf(false)).toBe(0);
  net.dispose();
});

it("what is trained at one size is computed with at others", async () => {
  const [net, twin] = [await open(CASES[3]!), await open(CASES[3]!)];
  const settings = { optimizer: optimizers.sgd({ learningRate: 0.1 }), loss: losses.meanSquaredError() };
  net.predict({ x: image([8, 9]) });
  for (const size of [10, 11] as const) {
    const x = image([8, size]);
    net.predict({ x });
    net.compile(settings);
    net.trainOnBatch(x, noise(1, 2, 2));
    twin.predict({ x });
    twin.compile(settings);
    twin.trainOnBatch(x, noise(1, 2, 2));
  }
  expect(net.toOnnx()).toEqual(twin.toOnnx());
  expect(allOf(net, image([8, 9]))).toEqual(allOf(twin, image([8, 9])));
  for (const each of [net, twin]) each.dispose();
});
