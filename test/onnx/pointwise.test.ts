/** Functions of one element, comparisons, choices and casts: image by image and as a whole. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { load, type Engine } from "../../src/index.ts";
import { DATA_TYPE, type NodeProto } from "../../src/onnx/file/proto.ts";
import { expectWithin, ulp } from "../support/float.ts";
import { node, type Attribute } from "../support/onnxFile.ts";
import { floats, integers, loadNet, noise, run, runBoth, type Net } from "./support/net.ts";

let engine: Engine;

beforeAll(async () => {
  engine = await load();
});

afterAll(() => engine.dispose());

const X = noise(1, [3, 4, 2, 5], -4, 4);

const one = (operator: string, attributes: Record<string, Attribute> = {}): NodeProto =>
  node(operator, ["x"], "y", attributes);

/** At most so many ULP of results of which one is at least ¼, and of those ¼ below. */
async function expectEach(net: Net, f: (x: number, i: number) => number, ulps: number): Promise<void> {
  const y = await runBoth(engine, net);
  const exact = Array.from(X.data, f);
  expect(y.shape).toEqual(X.shape);
  expectWithin(y.data as Float32Array, exact, (i) => ulps * ulp(Math.max(0.25, Math.abs(exact[i]!))));
}

describe("functions with parameters", () => {
  it.each([
    ["HardSigmoid", { alpha: 0.3, beta: 0.25 }, (x: number) => Math.min(Math.max(0.3 * x + 0.25, 0), 1)],
    ["HardSigmoid", {}, (x: number) => Math.min(Math.max(0.2 * x + 0.5, 0), 1)],
    ["Elu", { alpha: -0.5 }, (x: number) => (x > 0 ? x : -0.5 * Math.expm1(x))],
    ["Elu", { alpha: 2 }, (x: number) => (x > 0 ? x : 2 * Math.expm1(x))],
    ["Selu", { alpha: 2, gamma: 3 }, (x: number) => 3 * (x > 0 ? x : 2 * Math.expm1(x))],
    ["Celu", { alpha: 2 }, (x: number) => (x > 0 ? x : 2 * Math.expm1(x / 2))],
    ["Celu", {}, (x: number) => (x > 0 ? x : Math.expm1(x))],
    ["LeakyRelu", { alpha: -0.5 }, (x: number) => (x > 0 ? x : -0.5 * x)],
    ["LeakyRelu", { alpha: 1.5 }, (x: number) => (x > 0 ? x : 1.5 * x)],
    ["ThresholdedRelu", { alpha: -1 }, (x: number) => (x > -1 ? x : 0)],
    ["ThresholdedRelu", {}, (x: number) => (x > 1 ? x : 0)],
    ["Swish", { alpha: 0.5 }, (x: number) => x / (1 + Math.exp(-0.5 * x))],
    ["Softsign", {}, (x: number) => x / (1 + Math.abs(x))],
  ] as const)("%s %j", async (operator, given, f) => {
    const attributes = Object.fromEntries(Object.entries(given).map(([name, float]) => [name, { float }]));
    await expectEach({ given: { x: X }, nodes: [one(operator, attributes)], version: 24 }, f, 12);
  });

  it("refuses what has no meaning", async () => {
    const nodes = [one("Celu", { alpha: { float: 0 } })];
    await expect(loadNet(engine, { given: { x: X }, nodes })).rejects.toThrow(
      "y (Celu): alpha: expected a number > 0, got 0",
    );
  });
});

describe("PRelu", () => {
  it.each([
    ["a channel", [4, 1, 1], (i: number) => Math.floor(i / 10) % 4, "prelu"],
    ["all", [1], () => 0, "prelu"],
    ["a pixel of each channel", [4, 2, 5], (i: number) => i % 40, "prelu"],
    ["a row", [1, 2, 1], (i: number) => Math.floor(i / 5) % 2, "broadcast"],
  ])("has slopes for %s", async (_, shape, at, layer) => {
    const s = noise(2, shape);
    const net = { given: { x: X }, constants: { s }, nodes: [node("PRelu", ["x", "s"], "y")] };
    await expectEach(net, (x, i) => (x > 0 ? x : x * s.data[at(i)]!), 0.5);
    const loaded = await loadNet(engine, net);
    expect(loaded.summary()).toContain(layer);
    loaded.dispose();
  });

  it("has slopes that are computed", async () => {
    const s = noise(2, [3, 1, 2, 5]);
    const net = { given: { x: X, s }, nodes: [node("PRelu", ["x", "s"], "y")] };
    await expectEach(net, (x, i) => (x > 0 ? x : x * s.data[Math.floor(i / 40) * 10 + (i % 10)]!), 0.5);
  });

  it("has slopes for channels up to opset 6", async () => {
    const s = noise(2, [4]);
    const net = { given: { x: X }, constants: { s }, nodes: [node("PRelu", ["x", "s"], "y")], version: 6 };
    await expectEach(net, (x, i) => (x > 0 ? x : x * s.data[Math.floor(i / 10) % 4]!), 0.5);
  });
});

describe("Clip", () => {
  const bounds = { low: floats([], [-0.5]), high: floats([], [1.25]) };
  const clip = (inputs: string[]): Net => ({
    given: { x: X },
    constants: bounds,
    nodes: [node("Clip", inputs, "y")],
  });

  it("has bounds that are known, or none", async () => {
    await expectEach(clip(["x", "low", "high"]), (x) => Math.min(Math.max(x, -0.5), 1.25), 0);
    await expectEach(clip(["x", "", "high"]), (x) => Math.min(x, 1.25), 0);
    await expectEach(clip(["x", "low"]), (x) => Math.max(x, -0.5), 0);
    await expectEach(clip(["x"]), (x) => x, 0);
  });

  it("has bounds that are attributes", async () => {
    const attributes = { min: { float: -0.5 }, max: { float: 1.25 } };
    const net = { given: { x: X }, nodes: [one("Clip", attributes)], version: 10 };
    await expectEach(net, (x) => Math.min(Math.max(x, -0.5), 1.25), 0);
  });

  it("has the upper bound where the lower one is above it", async () => {
    const net = { ...clip(["x", "high", "low"]) };
    await expectEach(net, () => -0.5, 0);
  });

  it("has bounds that are computed", async () => {
    const [low, high] = [floats([1], [-0.5]), floats([1], [1.25])];
    const nodes = [node("Clip", ["x", "low", "high"], "y")];
    const y = await run(engine, { given: { x: X, low, high }, nodes }, true);
    expect(y).toEqual(
      floats(
        X.shape,
        X.data.map((x) => Math.min(Math.max(x, -0.5), 1.25)),
      ),
    );
  });

  it("keeps integers", async () => {
    const x = integers([2, 2], [-5, 7, 0, 3]);
    const constants = { low: integers([], [-1]), high: integers([], [4]) };
    const nodes = [node("Clip", ["x", "low", "high"], "y")];
    expect(await runBoth(engine, { given: { x }, constants, nodes })).toEqual(
      integers([2, 2], [-1, 4, 0, 3]),
    );
  });

  it("between 0 and 6, or from 0 on, is an activation that fuses", async () => {
    const constants = { low: floats([], [0]), high: floats([], [6]) };
    for (const inputs of [
      ["x", "low", "high"],
      ["x", "low"],
    ]) {
      const net = await loadNet(engine, { given: { x: X }, constants, nodes: [node("Clip", inputs, "y")] });
      expect(net.summary()).not.toContain("unary");
      net.dispose();
    }
  });
});

describe("products with an activation of the same", () => {
  it.each([
    ["Sigmoid", {}, (x: number) => x / (1 + Math.exp(-x))],
    ["HardSigmoid", { alpha: { float: 1 / 6 } }, (x: number) => (x * Math.min(Math.max(x + 3, 0), 6)) / 6],
  ])("%s are one activation", async (operator, attributes, f) => {
    for (const inputs of [
      ["x", "a"],
      ["a", "x"],
    ]) {
      const nodes = [
        node(operator, ["x"], "a", attributes as Record<string, Attribute>),
        node("Mul", inputs, "y"),
      ];
      await expectEach({ given: { x: X }, nodes }, f, 12);
      const net = await loadNet(engine, { given: { x: X }, nodes });
      expect(net.summary()).not.toContain("multiply");
      net.dispose();
    }
  });

  it("are products where the activation is of something else", async () => {
    const nodes = [node("Neg", ["x"], "n"), node("Sigmoid", ["n"], "a"), node("Mul", ["x", "a"], "y")];
    await expectEach({ given: { x: X }, nodes }, (x) => x / (1 + Math.exp(x)), 12);
  });
});

describe("functions of integers and constants", () => {
  const x = integers([2, 3], [-3, 0, 7, -1, 2, -8]);

  it.each([
    ["Abs", [3, 0, 7, 1, 2, 8]],
    ["Neg", [3, 0, -7, 1, -2, 8]],
    ["Sign", [-1, 0, 1, -1, 1, -1]],
  ])("%s of integers", async (operator, expected) => {
    expect(await runBoth(engine, { given: { x }, nodes: [one(operator)] })).toEqual(
      integers([2, 3], expected),
    );
  });

  it.each(["Sqrt", "Exp", "Floor"])("%s refuses integers", async (operator) => {
    await expect(loadNet(engine, { given: { x }, nodes: [one(operator)] })).rejects.toThrow(
      `y (${operator}): expected float32, got int64`,
    );
  });

  const FUNCTIONS = [
    ["Abs", "Neg", "Sqrt", "Reciprocal", "Floor", "Ceil", "Round", "Sign", "Exp", "Log", "Erf"],
    ["Sigmoid", "Tanh", "Softplus", "Softsign", "HardSwish", "Elu", "Celu", "Gelu", "Mish", "Relu"],
  ].flat();

  it.each(FUNCTIONS)("%s gives a constant the bits of a value", async (operator) => {
    const c = floats([1, 8], [0.5, 1.5, 2.5, 2.49, 0.1, 3, 1e-40, 7e20]);
    const nodes = [node(operator, ["c"], "b"), node("Mul", ["x", "b"], "y")];
    const ones = floats(
      [1, 8],
      Array.from({ length: 8 }, () => 1),
    );
    const known = await runBoth(engine, { given: { x: ones }, constants: { c }, nodes });
    expect(known).toEqual(await run(engine, { given: { x: c }, nodes: [one(operator)] }));
  });

  it("filters may be functions of constants, and images stay apart", async () => {
    const w = noise(2, [3, 4, 1, 1]);
    const nodes = [node("Exp", ["w"], "e"), node("Conv", ["x", "e"], "y")];
    const y = await runBoth(engine, { given: { x: X }, constants: { w }, nodes });
    const e = (await run(engine, { given: { x: w }, nodes: [one("Exp")] })) as typeof w;
    const plain = { given: { x: X }, constants: { w: e }, nodes: [node("Conv", ["x", "w"], "y")] };
    expect(y).toEqual(await runBoth(engine, plain));
  });

  it("filters that nothing computes without an input are told, with the node", async () => {
    const nodes = [node("Softmax", ["w"], "e"), node("Conv", ["x", "e"], "y")];
    const constants = { w: noise(2, [3, 4, 1, 1]) };
    await expect(loadNet(engine, { given: { x: X }, constants, nodes })).rejects.toThrow(
      "y (Conv): filters: expected numbers that are known when the file is loaded, got computed ones",
    );
  });
});

describe("comparisons and choices", () => {
  const [a, b] = [floats([2, 3], [1, 2, 3, NaN, -0, 5]), floats([3], [1, 3, 2])];

  it.each([
    ["Equal", [1, 0, 0, 0, 0, 0]],
    ["Less", [0, 1, 0, 0, 1, 0]],
    ["LessOrEqual", [1, 1, 0, 0, 1, 0]],
    ["Greater", [0, 0, 1, 0, 0, 1]],
    ["GreaterOrEqual", [1, 0, 1, 0, 0, 1]],
  ])("%s", async (operator, expected) => {
    const net = { given: { a }, constants: { b }, nodes: [node(operator, ["a", "b"], "y")] };
    expect(await runBoth(engine, net)).toEqual({ shape: [2, 3], data: Uint8Array.from(expected) });
  });

  it.each([
    ["And", [0, 0, 0, 1]],
    ["Or", [0, 1, 1, 1]],
    ["Xor", [0, 1, 1, 0]],
  ])("%s", async (operator, expected) => {
    const [p, q] = [Uint8Array.of(0, 0, 1, 1), Uint8Array.of(0, 1, 0, 1)];
    const given = { p: { shape: [2, 2], data: p }, q: { shape: [2, 2], data: q } };
    const y = await runBoth(engine, { given, nodes: [node(operator, ["p", "q"], "y")] });
    expect(y).toEqual({ shape: [2, 2], data: Uint8Array.from(expected) });
  });

  it("chooses, with all three broadcast", async () => {
    const c = floats([], [9]);
    const nodes = [
      node("Greater", ["a", "b"], "g"),
      node("Not", ["g"], "h"),
      node("Where", ["h", "a", "c"], "y"),
    ];
    const y = await runBoth(engine, { given: { a }, constants: { b, c }, nodes });
    expect(y).toEqual(floats([2, 3], [1, 2, 9, NaN, -0, 9]));
  });

  it("finds NaN and infinities", async () => {
    const x = floats([1, 4], [NaN, Infinity, -Infinity, 1]);
    const bits = (...values: number[]): object => ({ shape: [1, 4], data: Uint8Array.from(values) });
    expect(await runBoth(engine, { given: { x }, nodes: [one("IsNaN")] })).toEqual(bits(1, 0, 0, 0));
    expect(await runBoth(engine, { given: { x }, nodes: [one("IsInf")] })).toEqual(bits(0, 1, 1, 0));
    const above = [one("IsInf", { detect_negative: 0 })];
    expect(await runBoth(engine, { given: { x }, nodes: above })).toEqual(bits(0, 1, 0, 0));
  });

  it("refuses types that differ", async () => {
    const nodes = [node("Equal", ["a", "b"], "y")];
    await expect(
      loadNet(engine, { given: { a }, constants: { b: integers([3], [1, 2, 3]) }, nodes }),
    ).rejects.toThrow("y (Equal): expected values of float32, got int64");
  });
});

describe("casts", () => {
  const x = floats([2, 2], [1.75, -1.75, 0, -0.5]);
  const to = (type: keyof typeof DATA_TYPE): NodeProto[] => [one("Cast", { to: DATA_TYPE[type] })];

  it("of floats go towards 0, and to whether they are not 0", async () => {
    expect(await runBoth(engine, { given: { x }, nodes: to("int64") })).toEqual(
      integers([2, 2], [1, -1, 0, 0]),
    );
    const bools = { shape: [2, 2], data: Uint8Array.of(1, 1, 0, 1) };
    expect(await runBoth(engine, { given: { x }, nodes: to("bool") })).toEqual(bools);
    expect(await runBoth(engine, { given: { x }, nodes: to("float16") })).toEqual(x);
  });

  it("of integers keep what fits", async () => {
    const given = { x: integers([2, 2], [1, -2, 0, 3]) };
    expect(await runBoth(engine, { given, nodes: to("float32") })).toEqual(floats([2, 2], [1, -2, 0, 3]));
    const { data } = await runBoth(engine, { given, nodes: to("int32") });
    expect(data).toEqual(Int32Array.of(1, -2, 0, 3));
    const bools = { shape: [2, 2], data: Uint8Array.of(1, 1, 0, 1) };
    expect(await runBoth(engine, { given, nodes: to("bool") })).toEqual(bools);
  });

  it("refuse types that nobody computes with, and numbers that do not fit", async () => {
    await expect(loadNet(engine, { given: { x }, nodes: to("float64") })).rejects.toThrow(
      "y (Cast): to: expected a type that is computed here, got float64",
    );
    const wide = { x: floats([1, 1], [1e10]) };
    await expect(run(engine, { given: wide, nodes: to("int32") })).rejects.toThrow(
      "expected integers of 32 bits, got 10000000000",
    );
  });
});
