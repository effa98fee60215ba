/** Gradients through the layers that ONNX's operators bring along: the convolution before them has the slopes of the loss. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { input, layers, load, losses, model, optimizers, tensor, type Engine } from "../../src/index.ts";
import type { OnnxModel, OnnxTensor } from "../../src/onnx.ts";
import { reduce } from "../../src/layers/reduce.ts";
import type { NodeProto } from "../../src/onnx/file/proto.ts";
import { node, type Attribute } from "../support/onnxFile.ts";
import { random } from "../support/random.ts";
import { floats, integers, loadNet, noise } from "./support/net.ts";
import { expectSlopes } from "./support/slopes.ts";

let engine: Engine;

beforeAll(async () => {
  engine = await load();
});

afterAll(() => engine.dispose());

const IMAGES = noise(1, [3, 2, 3, 4], 0.25, 1);

/** Constants that nets read, and the convolution's filters: what it makes lies between ⅛ and 1. */
const CONSTANTS: Readonly<Record<string, OnnxTensor<Float32Array | BigInt64Array>>> = {
  w: noise(2, [4, 2, 1, 1], 0.25, 0.5),
  channels: noise(3, [4, 1, 1], 0.5, 1.5),
  columns: noise(4, [4], 0.5, 1.5),
  matrix: noise(5, [4, 3]),
  stack: noise(6, [1, 4, 4, 2]),
  left: noise(7, [1, 1, 2, 3]),
  slopes: noise(8, [1, 3, 1], 0.2, 0.8),
  half: floats([], [0.5]),
  eight: floats([], [8]),
  ends: floats([4, 1, 1], [0, 2, 0, 2]),
  steps: floats([4], [2, 6, 0, 4]),
  hills: floats([3, 4], [2, 14, 6, 20, 0, 10, 18, 4, 12, 8, 22, 16]),
  last: integers([1], [-1]),
  pixels: integers([2], [2, 3]),
  middle: integers([1], [2]),
};

const of = (operator: string, ...inputs: string[]): NodeProto[] => [node(operator, ["a", ...inputs], "b")];

const withAttributes = (operator: string, attributes: Record<string, Attribute>): NodeProto[] => [
  node(operator, ["a"], "b", attributes),
];

/** From "a" to "b". */
const NETS: Record<string, NodeProto[]> = {
  "a sum with constants": of("Add", "columns"),
  "a difference from constants": [node("Sub", ["columns", "a"], "b")],
  "a product with constants": of("Mul", "channels"),
  "a quotient by constants": of("Div", "channels"),
  "a quotient of constants": [node("Div", ["channels", "a"], "b")],
  "a difference from a value of each image": [
    node("ReduceMean", ["a", "last"], "m"),
    node("Sub", ["a", "m"], "b"),
  ],
  "a difference of a value of each image": [
    node("ReduceSum", ["a", "last"], "m"),
    node("Sub", ["m", "a"], "b"),
  ],
  "a product with each pixel's": [node("ReduceMean", ["a", "middle"], "m"), node("Mul", ["m", "a"], "b")],
  "a quotient by each row's": [
    node("ReduceSum", ["a", "last"], "m"),
    node("Div", ["a", "m"], "q"),
    node("Mul", ["q", "eight"], "b"),
  ],
  "a quotient of each row's": [node("ReduceSum", ["a", "last"], "m"), node("Div", ["m", "a"], "b")],
  "a gate of channels": [
    node("ReduceMean", ["a", "pixels"], "m"),
    node("Sigmoid", ["m"], "g"),
    node("Mul", ["a", "g"], "b"),
  ],
  "a norm": of("ReduceL2", "last"),
  "a sum over channels, which lie last": of("ReduceSum", "one"),
  "absolute values": [node("Sub", ["a", "ends"], "m"), node("Abs", ["m"], "b")],
  negatives: of("Neg"),
  roots: of("Sqrt"),
  reciprocals: of("Reciprocal"),
  exponentials: of("Exp"),
  logarithms: of("Log"),
  "the error function": of("Erf"),
  softsign: of("Softsign"),
  "an elu of another slope": [node("Neg", ["a"], "m"), node("Celu", ["m"], "b", { alpha: { float: 0.5 } })],
  "slopes for rows": [node("Neg", ["a"], "m"), node("PRelu", ["m", "slopes"], "b")],
  "squares and cubes": [node("Mul", ["a", "a"], "m"), node("Mul", ["m", "a"], "b")],
  "a product with a matrix": of("MatMul", "matrix"),
  "a product with a matrix a channel": of("MatMul", "stack"),
  "a product from the left": [node("MatMul", ["left", "a"], "b")],
  "a product with itself": [
    node("Transpose", ["a"], "t", { perm: [0, 1, 3, 2] }),
    node("MatMul", ["a", "t"], "b"),
  ],
  "a product with what is repeated": [
    node("ReduceMean", ["a", "one"], "m"),
    node("Transpose", ["m"], "t", { perm: [0, 1, 3, 2] }),
    node("MatMul", ["a", "t"], "b"),
  ],
  "a maximum with constants, and a minimum": [
    node("Max", ["a", "ends"], "m"),
    node("Min", ["steps", "m"], "b"),
  ],
  "a maximum with what is repeated": [
    node("ReduceMean", ["a", "last"], "m"),
    node("Mul", ["m", "ends"], "e"),
    node("Mul", ["e", "eight"], "f"),
    node("Max", ["f", "a"], "b"),
  ],
  "a power by constants": of("Pow", "columns"),
  "a power of constants": [node("Pow", ["channels", "a"], "b")],
  "a power by what is repeated": [node("ReduceMean", ["a", "last"], "m"), node("Pow", ["a", "m"], "b")],
  "a choice between values": [
    node("Less", ["a", "ends"], "g"),
    node("Mul", ["a", "a"], "s"),
    node("Where", ["g", "s", "a"], "b"),
  ],
  "a choice between what is repeated and a number": [
    node("Less", ["a", "ends"], "g"),
    node("ReduceMean", ["a", "last"], "m"),
    node("Where", ["g", "half", "m"], "b"),
  ],
  "the largest of each row": [
    node("Add", ["a", "steps"], "m"),
    node("Mul", ["m", "m"], "s"),
    node("ReduceMax", ["s", "last"], "b"),
  ],
  "the least of each column": [
    node("Mul", ["a", "hills"], "m"),
    node("Add", ["m", "hills"], "s"),
    node("ReduceMin", ["s", "middle"], "b"),
  ],
  "maxima in dilated windows": [
    node("Add", ["a", "hills"], "m"),
    node("Mul", ["m", "a"], "s"),
    node("MaxPool", ["s"], "b", { kernel_shape: [2, 2], dilations: [2, 2], pads: [1, 1, 1, 0] }),
  ],
  "local responses, by square roots": withAttributes("LRN", { size: 3, alpha: { float: 1 } }),
  "local responses, by another power": withAttributes("LRN", {
    size: 2,
    alpha: { float: 2 },
    beta: { float: 0.6 },
  }),
  "log-softmax": [node("LogSoftmax", ["a"], "b", { axis: 1 })],
  softmax: [node("Mul", ["a", "eight"], "m"), node("Softmax", ["m"], "b", { axis: 2 })],
};

const NODES = (nodes: readonly NodeProto[]): NodeProto[] => [
  node("Conv", ["x", "w"], "a"),
  ...nodes,
  node("Flatten", ["b"], "y"),
];

const loadTrained = (nodes: readonly NodeProto[]): Promise<OnnxModel> =>
  loadNet(engine, {
    given: { x: IMAGES },
    constants: { ...CONSTANTS, one: integers([1], [1]) },
    nodes: NODES(nodes),
  });

const images = tensor(IMAGES.data, [...IMAGES.shape]);

describe("the filters' gradient through", () => {
  it.each(Object.keys(NETS))("%s is the slope of the loss", async (name) => {
    const net = await loadTrained(NETS[name]!);
    expectSlopes(net, { x: IMAGES }, /\.kernel$/);
    net.dispose();
  });
});

describe("what has no gradient", () => {
  const settings = { optimizer: optimizers.sgd({ learningRate: 0 }), loss: losses.meanSquaredError() };

  it.each([
    ["a product over an axis", of("ReduceProd", "last"), "b (reduce)"],
    ["a norm of windows", [node("LpPool", ["a"], "b", { kernel_shape: [2, 2] })], "b_1 (onnx.LpPool)"],
  ])("%s is refused when the net is compiled, and runs", async (_, nodes, layer) => {
    const net = await loadTrained(nodes);
    expect(() => net.compile(settings)).toThrow(
      `compile: optimizer: expected layers with a backward pass behind all that learns, got ${layer} without one`,
    );
    expect(net.predict({ x: IMAGES }).y!.shape[0]).toBe(3);
    net.dispose();
  });

  it("may stand before all that learns", async () => {
    const nodes = [
      node("Add", ["x", "z"], "s"),
      node("LpPool", ["s"], "m", { kernel_shape: [1, 1] }),
      node("MatMul", ["m", "matrix"], "p"),
      node("Flatten", ["p"], "y"),
    ];
    const given = { x: IMAGES, z: noise(10, IMAGES.shape) };
    const net = await loadNet(engine, { given, constants: CONSTANTS, nodes });
    net.compile(settings);
    const targets = tensor(new Float32Array(54), [3, 18]);
    expect(
      net.trainOnBatch({ x: images, z: tensor(given.z.data, [...IMAGES.shape]) }, targets),
    ).toBeGreaterThan(0);
    net.dispose();
  });

  it("is no hindrance where what comes before it is frozen", () => {
    const x = input({ shape: [4] });
    const before = layers.dense({ units: 3 });
    const value = before.apply(x);
    const product = reduce({ kind: "prod", axes: [1] }).apply(value);
    const net = model({ inputs: x, outputs: layers.dense({ units: 2 }).apply(product) });
    expect(() => net.compile({ engine, ...settings })).toThrow("got reduce (reduce) without one");
    before.trainable = false;
    net.compile({ engine, ...settings });
    const row = tensor(random(1).uniform(4), [1, 4]);
    expect(net.trainOnBatch(row, tensor([1, 2], [1, 2]))).toBeGreaterThan(0);
    net.dispose();
  });
});

describe("inputs of integers", () => {
  const nodes = [
    node("Cast", ["input.ids"], "c", { to: 1 }),
    node("Add", ["x", "c"], "a"),
    node("Gemm", ["a", "matrix"], "y"),
  ];
  const given = {
    x: noise(1, [3, 4]),
    "input.ids": integers(
      [3, 4],
      Array.from({ length: 12 }, (_, i) => i),
    ),
  };
  const labels = [0, 1, 2];
  const settings = { optimizer: optimizers.sgd({ learningRate: 0.01 }), loss: losses.softmaxCrossEntropy() };

  it("are integers in training as in predict", async () => {
    const net = await loadNet(engine, { given, constants: CONSTANTS, nodes });
    const added = given.x.data.map((value, i) => value + i);
    const summed = await loadNet(engine, {
      given: { a: given.x },
      constants: CONSTANTS,
      nodes: nodes.slice(2),
    });
    const a = { shape: [3, 4], data: added };
    for (const each of [net, summed]) each.compile(settings);
    expect(net.evaluate(given, labels)).toEqual(summed.evaluate(a, labels));
    expect(net.trainOnBatch(given, labels)).toBe(summed.trainOnBatch({ a }, labels));
    const options = { epochs: 2, shuffle: false };
    const history = await net.fit(given, labels, { ...options, validationData: [given, labels] });
    expect(history).toEqual(await summed.fit(a, labels, { ...options, validationData: [a, labels] }));
    for (const each of [net, summed]) each.dispose();
  });

  it("are refused as floats, and images of other sizes than the net is drawn for", async () => {
    const net = await loadNet(engine, { given, constants: CONSTANTS, nodes });
    net.compile(settings);
    const wrong = { ...given, "input.ids": given.x };
    expect(() => net.trainOnBatch(wrong, labels)).toThrow(
      "trainOnBatch: images: input.ids.data: expected a BigInt64Array, got Float32Array of 12",
    );
    await expect(net.fit({ ...given, x: noise(1, [3, 5]) }, labels)).rejects.toThrow(
      "fit: images: x: expected shape n×4, got 3×5",
    );
    expect(() => net.evaluate({ x: given.x } as never, labels)).toThrow(
      "evaluate: images: expected x, input.ids, got none called input.ids",
    );
    net.dispose();
  });
});

describe("of equals", () => {
  /** The gradients of what is added to x [1, 2, 2] before `nodes`, by dy = 1. */
  const gradientsOf = async (
    added: readonly number[][],
    nodes: NodeProto[],
    size: number,
  ): Promise<number[][]> => {
    const names = added.map((_, i) => `w${i}`);
    const net = await loadNet(engine, {
      given: { x: floats([1, 2, 2], [0, 0, 0, 0]) },
      constants: {
        ...Object.fromEntries(names.map((name, i) => [name, floats([2, 2], added[i]!)])),
        last: integers([1], [-1]),
      },
      nodes: [...names.map((name, i) => node("Add", ["x", name], `a${i}`)), ...nodes],
    });
    const x = { x: floats([1, 2, 2], [0, 0, 0, 0]) };
    const y = net.predict(x)["y"]!;
    // The gradient of a mean of squares is 2 (y − t) / size.
    const targets = tensor(
      (y.data as Float32Array).map((value) => value - size / 2),
      [...y.shape],
    );
    net.compile({ optimizer: optimizers.sgd({ learningRate: 0 }), loss: losses.meanSquaredError() });
    net.trainOnBatch(x, targets);
    const gradients = names.map((name) => [...net.model.gradients.get(`${name}.constant`)!.data]);
    net.dispose();
    return gradients;
  };

  // PyTorch's maximum, minimum, amax and amin share as well.
  it.each(["Max", "Min"])("%s gives each a half", async (type) => {
    const [low, high] = type === "Max" ? [0, 1] : [1, 0];
    const made = await gradientsOf(
      [
        [1, 2, 3, 4],
        [1, 3, 2, 4],
      ],
      [node(type, ["a0", "a1"], "y")],
      4,
    );
    expect(made).toEqual([
      [0.5, low, high, 0.5],
      [0.5, high, low, 0.5],
    ]);
  });

  it("a maximum of three takes two at a time, from the left", async () => {
    const equal = [1, 1, 1, 1];
    const made = await gradientsOf([equal, equal, equal], [node("Max", ["a0", "a1", "a2"], "y")], 4);
    expect(made.map(([first]) => first)).toEqual([0.25, 0.25, 0.5]);
  });

  it("a maximum with a number gives the value a half", async () => {
    const nodes = [
      node("Constant", [], "one", { value_float: { float: 1 } }),
      node("Max", ["a0", "one"], "y"),
    ];
    expect(await gradientsOf([[1, 2, 0, 1]], nodes, 4)).toEqual([[0.5, 1, 0, 0.5]]);
  });

  it.each(["ReduceMax", "ReduceMin"])("%s gives each of an axis its share", async (type) => {
    expect(await gradientsOf([[3, 3, 1, 2]], [node(type, ["a0", "last"], "y")], 2)).toEqual([
      [0.5, 0.5, type === "ReduceMax" ? 0 : 1, type === "ReduceMax" ? 1 : 0],
    ]);
  });
});
