/** Initializers that learn: those that scale and shift, wherever they meet images, and which stay as they are. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { load, losses, optimizers, type Engine } from "../../src/index.ts";
import { loadOnnx, type OnnxModel } from "../../src/onnx.ts";
import { decodeModel } from "../../src/onnx/file/decode.ts";
import type { NodeProto, TensorProto } from "../../src/onnx/file/proto.ts";
import { readTensor } from "../../src/onnx/file/tensorData.ts";
import { constant, node, onnxFile, valueInfo } from "../support/onnxFile.ts";
import { noise } from "./support/net.ts";
import { expectSlopes } from "./support/slopes.ts";

let engine: Engine;

beforeAll(async () => {
  engine = await load();
});

afterAll(() => engine.dispose());

const x = noise(1, [3, 2, 3, 4], 0.25, 1);

const weight = (name: string, dims: readonly number[], seed = 2): TensorProto =>
  constant(name, dims, noise(seed, dims, 0.5, 1.5).data);

function load1(
  nodes: readonly NodeProto[],
  initializers: TensorProto[],
  images: number | string = "n",
): Promise<OnnxModel> {
  const file = onnxFile({
    inputs: [valueInfo("x", [images, 2, 3, 4])],
    initializers,
    nodes,
    outputs: ["y"],
    version: 18,
  });
  return loadOnnx(file, { engine });
}

const settings = { optimizer: optimizers.sgd({ learningRate: 0.5 }), loss: losses.meanSquaredError() };

/** The numbers of an initializer in the file that a net writes. */
function written(net: OnnxModel, name: string): number[] {
  const tensors = decodeModel(net.toOnnx()).graph!.initializers;
  return [
    ...readTensor(
      name,
      tensors.find((each) => each.name === name)!,
    ).data(),
  ];
}

const SHAPES: [string, number[]][] = [
  ["each channel", [2, 1, 1]],
  ["each channel of an image", [1, 2, 1, 1]],
  ["each column", [4]],
  ["each row and column", [3, 4]],
  ["each row of a channel", [2, 3, 1]],
  ["each element", [1, 2, 3, 4]],
];
const SIDES = ["left", "right"] as const;

describe("an initializer for", () => {
  describe.each(SHAPES)("%s", (_, dims) => {
    it.each(["Add", "Sub", "Mul", "Div"].flatMap((type) => SIDES.map((side) => [type, side] as const)))(
      "%s on the %s learns by the slopes of the loss, and is written",
      async (type, side) => {
        const operands = side === "left" ? ["w", "x"] : ["x", "w"];
        const net = await load1([node(type, operands, "y")], [weight("w", dims)]);
        expect(net.notTrainable).toBeUndefined();
        expect(net.frozen).toEqual([]);
        expect(net.parameterCount).toBe(dims.reduce((a, b) => a * b, 1));
        expectSlopes(net, { x });
        net.compile(settings);
        net.trainOnBatch(x, noise(3, x.shape));
        const { y } = net.predict({ x });
        const again = await loadOnnx(net.toOnnx(), { engine });
        expect(again.predict({ x }).y).toEqual(y);
        const before = [...weight("w", dims).raw!];
        expect(written(net, "w")).not.toEqual([...new Float32Array(Uint8Array.from(before).buffer)]);
        for (const each of [net, again]) each.dispose();
      },
    );
  });
});

describe("an initializer", () => {
  it.each<[string, NodeProto[], TensorProto[]]>([
    ["from the left of a product of matrices", [node("MatMul", ["w", "x"], "y")], [weight("w", [5, 3])]],
    ["of a matrix for each channel", [node("MatMul", ["x", "w"], "y")], [weight("w", [2, 4, 3])]],
    [
      "of slopes for each channel",
      [node("Neg", ["x"], "m"), node("PRelu", ["m", "w"], "y")],
      [weight("w", [2, 1, 1])],
    ],
    [
      "of slopes for each row",
      [node("Neg", ["x"], "m"), node("PRelu", ["m", "w"], "y")],
      [weight("w", [1, 3, 1])],
    ],
    [
      "that two nodes read, in different shapes",
      [
        node("Mul", ["x", "w"], "a"),
        node("Reshape", ["w", "flat"], "v"),
        node("Mul", ["a", "v"], "b"),
        node("Add", ["w", "b"], "y"),
      ],
      [weight("w", [1, 2, 1, 1]), constant("flat", [3], BigInt64Array.of(2n, 1n, 1n))],
    ],
    [
      "of a row that is expanded for each image, and joined to it",
      [
        node("Shape", ["x"], "s", { start: 0, end: 1 }),
        node("Concat", ["s", "rest"], "sizes", { axis: 0 }),
        node("Expand", ["w", "sizes"], "row"),
        node("Concat", ["row", "x"], "y", { axis: 2 }),
      ],
      [weight("w", [1, 2, 1, 4]), constant("rest", [3], BigInt64Array.of(2n, 1n, 4n))],
    ],
  ])("%s learns by the slopes of the loss", async (_, nodes, initializers) => {
    const net = await load1(nodes, initializers);
    expect(net.notTrainable).toBeUndefined();
    expect(net.frozen).toEqual([]);
    expectSlopes(net, { x });
    net.compile(settings);
    net.trainOnBatch(x, noise(4, net.predict({ x })["y"]!.shape));
    const { y } = net.predict({ x });
    const again = await loadOnnx(net.toOnnx(), { engine });
    expect(again.predict({ x }).y).toEqual(y);
    for (const each of [net, again]) each.dispose();
  });
});

describe("PyTorch's GroupNorm", () => {
  // As its exporter writes it up to opset 17: ones and zeros in the place of a scale and a shift, which follow by themselves.
  const nodes = [
    node("Constant", [], "one", { value: constant("", [2], [1, 1]) }),
    node("Constant", [], "zero", { value: constant("", [2], [0, 0]) }),
    node("InstanceNormalization", ["x", "one", "zero"], "h"),
    node("Mul", ["h", "scale"], "g"),
    node("Add", ["g", "shift"], "y"),
  ];
  const initializers = [constant("scale", [2, 1, 1], [1.5, 0.5]), constant("shift", [2, 1, 1], [0.1, 0.2])];

  it("learns its scale and shift over several steps, and nothing in their place", async () => {
    const net = await load1(nodes, initializers);
    expect(net.frozen).toEqual([]);
    const { predict } = net;
    const normal = await load1(
      [{ ...nodes[2]!, outputs: ["y"] }],
      [constant("one", [2], [1, 1]), constant("zero", [2], [0, 0])],
    );
    const h = normal.predict({ x })["y"]!.data as Float32Array;
    const target = noise(5, x.shape);
    expect(predict.call(net, { x })["y"]!.data[0]).toBeCloseTo(1.5 * h[0]! + 0.1, 6);
    net.compile(settings);
    // y = scale·h + shift: dL/dscale = Σ 2 (y − t) h / 72, dL/dshift = Σ 2 (y − t) / 72.
    const [scale, shift] = [
      [1.5, 0.5],
      [0.1, 0.2],
    ].map((values) => Float64Array.from(values)) as [Float64Array, Float64Array];
    for (let step = 0; step < 5; step++) {
      net.trainOnBatch(x, target);
      const [dScale, dShift] = [new Float64Array(2), new Float64Array(2)];
      for (let i = 0; i < 72; i++) {
        const channel = Math.floor(i / 12) % 2;
        const slope = (2 * (scale[channel]! * h[i]! + shift[channel]! - target.data[i]!)) / 72;
        dScale[channel]! += slope * h[i]!;
        dShift[channel]! += slope;
      }
      for (const channel of [0, 1]) {
        scale[channel]! -= 0.5 * dScale[channel]!;
        shift[channel]! -= 0.5 * dShift[channel]!;
      }
    }
    for (const channel of [0, 1]) {
      expect(written(net, "scale")[channel]).toBeCloseTo(scale[channel]!, 5);
      expect(written(net, "shift")[channel]).toBeCloseTo(shift[channel]!, 5);
    }
    for (const each of [net, normal]) each.dispose();
  });
});

describe("frozen", () => {
  it("tells of each initializer that stays as it is, and why", async () => {
    const nodes = [
      node("Mul", ["x", "half"], "a"),
      node("BatchNormalization", ["a", "gamma", "beta", "mean", "variance"], "b"),
      node("Exp", ["logs"], "scale"),
      node("Mul", ["b", "scale"], "c"),
      node("Constant", [], "fixed", { value: constant("", [2, 1, 1], [2, 3]) }),
      node("Add", ["c", "fixed"], "y"),
    ];
    const initializers = [
      constant("half", [], [0.5]),
      ...["gamma", "beta", "mean", "variance"].map((name) => weight(name, [2])),
      weight("logs", [2, 1, 1]),
      weight("idle", [2]),
      constant("integers", [2], BigInt64Array.of(1n, 2n)),
    ];
    const net = await load1(nodes, initializers);
    const before = net.toOnnx();
    expect(net.frozen).toEqual([
      { name: "half", reason: "a single number is a constant" },
      { name: "mean", reason: "moving statistics have no gradient" },
      { name: "variance", reason: "moving statistics have no gradient" },
      { name: "logs", reason: "it is a constant to scale (Exp)" },
      { name: "idle", reason: "no node reads it" },
    ]);
    net.compile(settings);
    net.trainOnBatch(x, noise(5, x.shape));
    expect([...net.model.gradients.keys()].map((name) => name.replace(/.*\./, ""))).toEqual([
      "gamma",
      "beta",
    ]);
    const after = decodeModel(net.toOnnx()).graph!;
    const changed = decodeModel(before).graph!.initializers.filter(
      ({ raw }, i) => String(raw) !== String(after.initializers[i]!.raw),
    );
    expect(changed.map(({ name }) => name)).toEqual(["gamma", "beta", "mean", "variance"]);
    net.dispose();
  });

  it("tells of layers that the caller froze, and of what no gradient comes to", async () => {
    const nodes = [
      node("Mul", ["x", "w"], "a"),
      node("Add", ["a", "v"], "b"),
      node("Conv", ["x", "k"], "c"),
      node("Greater", ["c", "half"], "g"),
      node("Cast", ["g"], "m", { to: 1 }),
      node("Mul", ["b", "m"], "y"),
    ];
    const initializers = [
      weight("w", [2, 1, 1]),
      weight("v", [4]),
      weight("k", [2, 2, 1, 1]),
      constant("half", [], [0.5]),
    ];
    const net = await load1(nodes, initializers);
    const { layers } = net.model;
    layers.find(({ name }) => name === "v")!.trainable = false;
    expect(net.frozen).toEqual([
      { name: "v", reason: "the layer v is frozen" },
      { name: "k", reason: "no gradient comes to it" },
      { name: "half", reason: "a single number is a constant" },
    ]);
    net.compile(settings);
    net.trainOnBatch(x, noise(5, x.shape));
    expect([...net.model.gradients.keys()]).toEqual(["w.constant"]);
    net.dispose();
  });

  it("tells of weights that the net also reads as they are in the file: it stays what the file says", async () => {
    const nodes = [
      node("Mul", ["x", "w"], "a"),
      node("Add", ["a", "v"], "b"),
      node("Greater", ["x", "w"], "g"),
      node("Cast", ["g"], "m", { to: 1 }),
      node("Mul", ["b", "m"], "y"),
    ];
    const net = await load1(nodes, [weight("w", [2, 1, 1]), weight("v", [4])]);
    expect(net.frozen).toEqual([{ name: "w", reason: "it is a constant to a (Mul), g (Greater)" }]);
    net.compile(settings);
    net.trainOnBatch(x, noise(5, x.shape));
    expect([...net.model.gradients.keys()]).toEqual(["v.constant"]);
    const again = await loadOnnx(net.toOnnx(), { engine });
    expect(again.predict({ x })).toEqual(net.predict({ x }));
    for (const each of [net, again]) each.dispose();
  });

  it("is refused of a net whose images meet", async () => {
    const net = await load1(
      [node("Softmax", ["x"], "s", { axis: 0 }), node("Mul", ["s", "w"], "y")],
      [weight("w", [4])],
    );
    expect(() => net.frozen).toThrow("frozen: expected a net that takes any number of images");
    net.dispose();
  });
});

describe("a constant that is the same for each image", () => {
  const zeros = node("ConstantOfShape", ["sizes"], "z");
  const list = (...sizes: number[]): TensorProto =>
    constant("sizes", [sizes.length], BigInt64Array.from(sizes, BigInt));
  const tiled = Float32Array.of(...noise(6, [24]).data, ...noise(6, [24]).data);

  it.each<[string, NodeProto[], TensorProto[], number | string]>([
    [
      "of zeros, joined as channels",
      [zeros, node("Concat", ["x", "z"], "y", { axis: 1 })],
      [list(1, 3, 3, 4)],
      1,
    ],
    [
      "of zeros, as many as there are images",
      [node("Shape", ["x"], "sizes"), zeros, node("Concat", ["z", "x"], "y", { axis: 1 })],
      [],
      "n",
    ],
    ["of zeros for a batch of two", [zeros, node("Add", ["x", "z"], "y")], [list(2, 2, 3, 4)], 2],
    [
      "of numbers for a batch of two",
      [node("Mul", ["x", "c"], "y")],
      [constant("c", [2, 2, 3, 4], tiled)],
      2,
    ],
    [
      "in a choice",
      [node("Greater", ["x", "c"], "g"), node("Where", ["g", "x", "c"], "y")],
      [constant("c", [2, 2, 3, 4], tiled)],
      2,
    ],
    [
      "divided by the width, which is no number of images",
      [
        node("Shape", ["x"], "s"),
        node("Gather", ["s", "at"], "w"),
        node("Cast", ["w"], "f", { to: 1 }),
        node("Div", ["x", "f"], "y"),
      ],
      [constant("at", [], BigInt64Array.of(3n))],
      "n",
    ],
  ])("%s leaves the batch open", async (_, nodes, initializers, images) => {
    const net = await load1(
      [
        node("Conv", ["x", "k"], "c0"),
        ...nodes.map((each) => ({
          ...each,
          inputs: each.inputs.map((name) => (name === "x" ? "c0" : name)),
        })),
      ],
      [weight("k", [2, 2, 1, 1]), ...initializers],
      images,
    );
    expect(net.notBatched).toBeUndefined();
    const whole = net.predict({ x })["y"]!;
    const size = whole.data.length / 3;
    for (let image = 0; image < 3; image++) {
      const alone = net.predict({
        x: { shape: [1, 2, 3, 4], data: x.data.slice(24 * image, 24 * image + 24) },
      })["y"]!;
      expect(alone.data).toEqual(whole.data.slice(size * image, size * image + size));
    }
    net.dispose();
  });

  it.each<[string, NodeProto[], TensorProto[], number | string]>([
    [
      "of numbers that differ",
      [node("Mul", ["x", "c"], "y")],
      [constant("c", [2, 2, 3, 4], noise(6, [48]).data)],
      2,
    ],
    [
      "made of their number",
      [
        node("Shape", ["x"], "s"),
        node("Gather", ["s", "at"], "w"),
        node("Cast", ["w"], "f", { to: 1 }),
        node("Div", ["x", "f"], "y"),
      ],
      [constant("at", [], BigInt64Array.of(0n))],
      "n",
    ],
  ])("%s does not, where it is another for other images", async (_, nodes, initializers, images) => {
    const net = await load1(nodes, initializers, images);
    const x2 = { shape: [2, 2, 3, 4], data: x.data.slice(0, 48) };
    net.predict({ x: x2 });
    expect(net.notBatched).toMatch(/^y \(\w+\): /);
    net.dispose();
  });
});
