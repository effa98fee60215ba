/** Arithmetic with broadcasts: image by image and as a whole, in whatever order values lie in memory. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { load, type Engine } from "../../src/index.ts";
import type { OnnxTensor } from "../../src/onnx.ts";
import type { NodeProto } from "../../src/onnx/file/proto.ts";
import { broadcast } from "../oracles/strided.ts";
import { node } from "../support/onnxFile.ts";
import { floats, integers, loadNet, noise, run, runBoth, runWhole, type Net } from "./support/net.ts";

let engine: Engine;

beforeAll(async () => {
  engine = await load();
});

afterAll(() => engine.dispose());

const OPERATORS: Readonly<Record<string, (a: number, b: number) => number>> = {
  Add: (a, b) => a + b,
  Sub: (a, b) => a - b,
  Mul: (a, b) => a * b,
  Div: (a, b) => a / b,
  Min: Math.min,
  Max: Math.max,
};

/** Combines float32 numbers in float64 and rounds once, as the kernels do. */
function combined(operator: string, a: OnnxTensor, b: OnnxTensor): OnnxTensor {
  const rank = Math.max(a.shape.length, b.shape.length);
  const pad = ({ shape, data }: OnnxTensor): { shape: number[]; data: number[] } => ({
    shape: [...Array.from({ length: rank - shape.length }, () => 1), ...shape],
    data: Array.from(data as Float32Array),
  });
  const [left, right] = [pad(a), pad(b)];
  const shape = left.shape.map((size, axis) => (size === 1 ? right.shape[axis]! : size));
  return floats(shape, broadcast(shape, left, right, OPERATORS[operator]!));
}

const positive = (seed: number, ...shape: number[]): OnnxTensor<Float32Array> => noise(seed, shape, 0.5, 2);

describe.each(Object.keys(OPERATORS))("%s", (operator) => {
  const x = positive(1, 3, 4, 5, 6);

  it.each([
    ["a number", []],
    ["a single element of full rank", [1, 1, 1, 1]],
    ["a row", [6]],
    ["channels", [4, 1, 1]],
    ["an image", [1, 4, 5, 6]],
    ["a plane", [5, 6]],
    ["channels and columns", [1, 4, 1, 6]],
  ])("of images and %s that is known, on either side", async (_, shape) => {
    const c = positive(2, ...shape);
    const net = { given: { x }, constants: { c } };
    expect(await runBoth(engine, { ...net, nodes: [node(operator, ["x", "c"], "y")] })).toEqual(
      combined(operator, x, c),
    );
    expect(await runBoth(engine, { ...net, nodes: [node(operator, ["c", "x"], "y")] })).toEqual(
      combined(operator, c, x),
    );
  });

  it.each([
    ["the same shape", [3, 4, 5, 6]],
    ["a number an image", [3, 1, 1, 1]],
    ["channels", [3, 4, 1, 1]],
    ["pixels", [3, 1, 5, 6]],
    ["rows", [3, 1, 5, 1]],
  ])("of images and %s that are computed", async (_, shape) => {
    const z = positive(2, ...shape);
    expect(await runBoth(engine, { given: { x, z }, nodes: [node(operator, ["x", "z"], "y")] })).toEqual(
      combined(operator, x, z),
    );
    expect(await runBoth(engine, { given: { x, z }, nodes: [node(operator, ["z", "x"], "y")] })).toEqual(
      combined(operator, z, x),
    );
  });

  it("of a column and a row: neither has the shape of the result", async () => {
    const [a, b] = [positive(1, 2, 3, 1), positive(2, 2, 1, 4)];
    expect(await runBoth(engine, { given: { a, b }, nodes: [node(operator, ["a", "b"], "y")] })).toEqual(
      combined(operator, a, b),
    );
  });

  it("of values that lie in different orders", async () => {
    const z = positive(2, 3, 6, 4, 5);
    const turned = floats(
      [3, 4, 5, 6],
      Array.from({ length: 360 }, (_, i) => {
        const [n, c, h, w] = [Math.floor(i / 120), Math.floor(i / 30) % 4, Math.floor(i / 6) % 5, i % 6];
        return z.data[((n * 6 + w) * 4 + c) * 5 + h]!;
      }),
    );
    const nodes = [node("Transpose", ["z"], "t", { perm: [0, 2, 3, 1] }), node(operator, ["x", "t"], "y")];
    expect(await runBoth(engine, { given: { x, z }, nodes })).toEqual(combined(operator, x, turned));
  });

  it("of images and a value of lower rank, whose first axis is none of images", async () => {
    const z = positive(2, 4, 5, 6);
    const net = { given: { x, z }, nodes: [node(operator, ["x", "z"], "y")] };
    // The file calls both first axes n.
    const given = { ...net, given: { x: positive(1, 4, 4, 5, 6), z } };
    expect(await runWhole(engine, given)).toEqual(combined(operator, given.given.x, z));
  });

  it("refuses shapes that do not fit together, and types that differ", async () => {
    const refused = (constants: Net["constants"]): Promise<unknown> =>
      loadNet(engine, { given: { x }, constants: constants!, nodes: [node(operator, ["x", "c"], "y")] }).then(
        (net) => net.predict({ x }),
      );
    await expect(refused({ c: positive(2, 3) })).rejects.toThrow(
      /y .*: expected shapes that can be broadcast, got .*×4×5×6 and 3/,
    );
    await expect(refused({ c: integers([], [1]) })).rejects.toThrow(
      "expected two values of one type, got float32 and int64",
    );
  });
});

describe("arithmetic of several values", () => {
  const [a, b, c] = [noise(1, [2, 3, 4]), noise(2, [2, 3, 4]), noise(3, [2, 1, 4])];
  const sum = combined("Add", combined("Add", a, b), c);

  it.each([
    ["Sum", sum],
    ["Mean", combined("Div", sum, floats([], [3]))],
    ["Min", combined("Min", combined("Min", a, b), c)],
    ["Max", combined("Max", combined("Max", a, b), c)],
  ])("%s goes from left to right", async (operator, expected) => {
    const nodes = [node(operator, ["a", "b", "c"], "y")];
    expect(await runBoth(engine, { given: { a, b, c }, nodes })).toEqual(expected);
  });

  it("leaves one value as it is", async () => {
    expect(await runBoth(engine, { given: { a }, nodes: [node("Mean", ["a"], "y")] })).toEqual(a);
  });
});

describe("integers", () => {
  const a = integers([2, 3], [7, -7, 8, -8, 2 ** 30, 0]);
  const b = integers([3], [2, 2, 3]);

  it.each([
    ["Add", [9, -5, 11, -6, 2 ** 30 + 2, 3]],
    ["Div", [3, -3, 2, -4, 2 ** 29, 0]],
    ["Max", [7, 2, 8, 2, 2 ** 30, 3]],
  ])("%s is exact, and truncates", async (operator, expected) => {
    const nodes = [node(operator, ["a", "b"], "y")];
    expect(await runBoth(engine, { given: { a }, constants: { b }, nodes })).toEqual(
      integers([2, 3], expected),
    );
  });

  it("tell that they leave 32 bits, and that the divisor is 0", async () => {
    const with0 = {
      given: { a },
      constants: { b: integers([], [0]) },
      nodes: [node("Div", ["a", "b"], "y")],
    };
    await expect(run(engine, with0)).rejects.toThrow("expected a divisor other than 0, got 0");
    const product = { given: { a }, nodes: [node("Mul", ["a", "a"], "y")] };
    await expect(run(engine, product)).rejects.toThrow(
      "expected integers of 32 bits, got 1152921504606847000",
    );
  });
});

describe("up to opset 6", () => {
  it("the second operand lies along the axes from `axis` on", async () => {
    const [x, c] = [noise(1, [2, 3, 4, 5]), noise(2, [3, 4])];
    const nodes = [node("Add", ["x", "c"], "y", { broadcast: 1, axis: 1 })];
    const expected = combined("Add", x, { ...c, shape: [3, 4, 1] });
    expect(await runBoth(engine, { given: { x }, constants: { c }, nodes, version: 6 })).toEqual(expected);
  });
});

describe("a sum with a constant per channel", () => {
  const x = noise(1, [2, 3, 5, 5]);
  const constants = {
    w: noise(2, [4, 3, 3, 3]),
    c: noise(3, [1, 4, 1, 1]),
    p: noise(4, [5, 6]),
    q: noise(5, [6]),
  };
  const conv = node("Conv", ["x", "w"], "a");

  it("is the bias of the convolution before it", async () => {
    const net = { given: { x }, constants, nodes: [conv, node("Add", ["c", "a"], "y")] };
    const fused = await loadNet(engine, net);
    expect(fused.summary()).not.toContain("broadcast");
    const shaped = { ...net, nodes: [conv, node("Identity", ["a"], "b"), node("Sub", ["b", "m"], "y")] };
    const minus = floats(
      [1, 4, 1, 1],
      constants.c.data.map((value) => -value),
    );
    const apart = await run(engine, { ...shaped, constants: { ...constants, m: minus } });
    expect(fused.predict({ x }).y).toEqual(apart);
    fused.dispose();
  });

  it("is the bias of the product before it", async () => {
    const rows = noise(6, [2, 3, 5]);
    const nodes = [node("MatMul", ["x", "p"], "a"), node("Add", ["a", "q"], "y")];
    const net = await loadNet(engine, { given: { x: rows }, constants, nodes });
    expect(net.summary()).not.toContain("broadcast");
    expect([...net.model.weights.keys()].map((name) => name.split(".")[1])).toEqual(["kernel", "bias"]);
    net.dispose();
  });

  it("is a sum of its own where it differs within a channel", async () => {
    const nodes = [conv, node("Add", ["a", "d"], "y")];
    const net = await loadNet(engine, {
      given: { x },
      constants: { ...constants, d: noise(7, [4, 3, 1]) },
      nodes,
    });
    expect(net.summary()).toContain("broadcast");
    net.dispose();
  });

  it.each<[string, number[], NodeProto, NodeProto, number[], number[]]>([
    [
      "a product of one column, turned",
      [2, 3, 5],
      node("MatMul", ["x", "w"], "a"),
      node("Transpose", ["a"], "b", { perm: [0, 2, 1] }),
      [5, 1],
      [1],
    ],
    [
      "a product of as many columns as rows, turned",
      [2, 8, 8],
      node("MatMul", ["x", "w"], "a"),
      node("Transpose", ["a"], "b", { perm: [0, 2, 1] }),
      [8, 8],
      [8],
    ],
    [
      "a convolution of one filter, channels last",
      [2, 3, 5, 4],
      node("Conv", ["x", "w"], "a"),
      node("Transpose", ["a"], "b", { perm: [0, 2, 3, 1] }),
      [1, 3, 1, 1],
      [1],
    ],
    [
      "a product whose columns are split",
      [2, 3, 5],
      node("MatMul", ["x", "w"], "a"),
      node("Unsqueeze", ["a", "last"], "b"),
      [5, 1],
      [1, 1, 1],
    ],
  ])("is a sum behind another view: %s", async (_, shape, product, view, w, c) => {
    const given = { x: noise(8, shape) };
    const added = noise(10, c);
    const minus = { ...added, data: added.data.map((value) => -value) };
    const own = { w: noise(9, w), c: added, m: minus, last: integers([1], [-1]) };
    const net = (last: NodeProto): Net => ({ given, constants: own, nodes: [product, view, last] });
    const y = await runBoth(engine, net(node("Add", ["b", "c"], "y")));
    expect(y).toEqual(await runBoth(engine, net(node("Sub", ["b", "m"], "y"))));
  });
});

describe("powers", () => {
  const x = noise(1, [2, 6], -2, 2);

  it.each([
    [2, (v: number) => v * v],
    [3, (v: number) => v ** 3],
    [-1, (v: number) => 1 / v],
    [1, (v: number) => v],
  ])("to the %i are rounded once", async (exponent, power) => {
    const nodes = [node("Pow", ["x", "e"], "y")];
    const constants = { e: floats([], [exponent]) };
    expect(await runBoth(engine, { given: { x }, constants, nodes })).toEqual(
      floats([2, 6], x.data.map(power)),
    );
  });

  it("to the half are roots", async () => {
    const given = { x: positive(1, 2, 6) };
    const net = { given, constants: { e: floats([1], [0.5]) }, nodes: [node("Pow", ["x", "e"], "y")] };
    expect(await runBoth(engine, net)).toEqual(floats([2, 6], given.x.data.map(Math.sqrt)));
  });

  it("of integers are exact, of negative exponents what is left of the fraction", async () => {
    const given = { a: integers([2, 4], [2, -3, -1, 10, 3, 2, 1, -2]) };
    const constants = { e: integers([2, 1, 4], [30, 3, 5, 0, 2, -3, -5, 1]) };
    const nodes = [node("Pow", ["a", "e"], "y")];
    const rows = { given: { a: { ...given.a, shape: [2, 1, 4] } }, constants, nodes };
    expect(await runWhole(engine, rows)).toEqual(integers([2, 1, 4], [2 ** 30, -27, -1, 1, 9, 0, 1, -2]));
  });

  it("of integers to fractions have the base's type", async () => {
    const net = {
      given: { a: integers([2, 2], [4, 9, 2, 3]) },
      constants: { e: floats([2], [1.5, 2]) },
      nodes: [node("Pow", ["a", "e"], "y")],
    };
    expect(await runBoth(engine, net)).toEqual(integers([2, 2], [8, 81, 2, 9]));
  });
});
