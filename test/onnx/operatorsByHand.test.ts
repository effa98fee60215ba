/** Operators whose results are worked out by hand or by their formulas: image by image and as a whole. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { load, type Engine } from "../../src/index.ts";
import type { OnnxTensor } from "../../src/onnx.ts";
import { activation, ELEMENTWISE } from "../oracles/activation.ts";
import { expectWithin, U } from "../support/float.ts";
import { node, type Attribute } from "../support/onnxFile.ts";
import { floats, integers, loadNet, noise, runBoth, runWhole, type Net } from "./support/net.ts";

let engine: Engine;

beforeAll(async () => {
  engine = await load();
});

afterAll(() => engine.dispose());

const count = (size: number): number[] => Array.from({ length: size }, (_, i) => i);

/** A node over `x` and constants. */
function one(
  operator: string,
  x: OnnxTensor,
  constants: readonly OnnxTensor<Float32Array | BigInt64Array>[] = [],
  attributes: Record<string, Attribute> = {},
): Net {
  const names = constants.map((_, i) => `c${i}`);
  return {
    given: { x },
    constants: Object.fromEntries(constants.map((value, i) => [names[i], value])),
    nodes: [node(operator, ["x", ...names], "y", attributes)],
  };
}

/** The output of a net that computes nothing: its results follow from constants and the shape of `x`. */
async function known({ given, ...net }: Net): Promise<OnnxTensor> {
  const loaded = await loadNet(engine, { given, ...net });
  const { y } = loaded.predict(given);
  loaded.dispose();
  return y!;
}

describe("shapes", () => {
  it("Size counts the elements of all images", async () => {
    expect(await known(one("Size", noise(1, [3, 2, 5])))).toEqual(integers([], [30]));
  });

  it("Squeeze drops axes of size 1: those that are named, or all but that of the images", async () => {
    const x = noise(1, [2, 1, 3, 1]);
    expect(await runBoth(engine, one("Squeeze", x, [integers([1], [-3])]))).toEqual({
      ...x,
      shape: [2, 3, 1],
    });
    expect(await runBoth(engine, one("Squeeze", x))).toEqual({ ...x, shape: [2, 3] });
    const single = noise(1, [1, 1, 3]);
    expect(await runBoth(engine, one("Squeeze", single, [integers([1], [1])]))).toEqual({
      ...single,
      shape: [1, 3],
    });
    await expect(loadNet(engine, one("Squeeze", x, [integers([1], [2])]))).rejects.toThrow(
      "y (Squeeze): expected an axis of size 1, got 3",
    );
  });

  it("Expand repeats what has one element along an axis", async () => {
    const x = floats([2, 1, 2], [1, 2, 3, 4]);
    const y = floats([2, 3, 2], [1, 2, 1, 2, 1, 2, 3, 4, 3, 4, 3, 4]);
    expect(await runBoth(engine, one("Expand", x, [integers([2], [3, 1])]))).toEqual(y);
    expect(await runBoth(engine, one("Expand", x, [integers([3], [1, 3, 2])]))).toEqual(y);
  });

  it("SpaceToDepth makes channels of the pixels of a block", async () => {
    const x = floats([2, 1, 2, 4], count(16));
    const image = [0, 2, 1, 3, 4, 6, 5, 7];
    expect(await runBoth(engine, one("SpaceToDepth", x, [], { blocksize: 2 }))).toEqual(
      floats([2, 4, 1, 2], [...image, ...image.map((value) => value + 8)]),
    );
  });

  it("Concat of parts without elements has the sum of their sizes", async () => {
    const [x, z] = [floats([2, 0, 3], []), floats([2, 0, 4], [])];
    const net = { given: { x, z }, nodes: [node("Concat", ["x", "z"], "y", { axis: 2 })] };
    expect(await runWhole(engine, net)).toEqual(floats([2, 0, 7], []));
  });
});

describe("numbers and types", () => {
  it.each([
    [2, 9, 3, [2, 5, 8]],
    [1, -1, -0.5, [1, 0.5, 0, -0.5]],
    [1, 1, 1, []],
  ])("Range goes from %d to below %d by %d", async (start, limit, delta, wanted) => {
    const bounds = [start, limit, delta].map((bound) => floats([], [bound]));
    const constants = { start: bounds[0]!, limit: bounds[1]!, delta: bounds[2]! };
    const nodes = [node("Range", ["start", "limit", "delta"], "y")];
    expect(await known({ given: { x: noise(1, [1, 2]) }, constants, nodes })).toEqual(
      floats([wanted.length], wanted),
    );
  });

  it("Range refuses steps of nothing", async () => {
    const nodes = [node("Range", ["from", "to", "from"], "y")];
    const constants = { from: integers([], [0]), to: integers([], [1]) };
    await expect(loadNet(engine, { given: { x: noise(1, [1, 2]) }, constants, nodes })).rejects.toThrow(
      "y (Range): expected a step towards the limit, got 0, 1 and 0",
    );
  });

  it("CastLike takes the type of its second input", async () => {
    const x = floats([2, 2], [1.75, -1.75, 0, 3]);
    const numbers = integers([2, 2], [1, -1, 0, 3]);
    expect(await runBoth(engine, one("CastLike", x, [integers([1], [9])]))).toEqual(numbers);
    expect(await runBoth(engine, one("CastLike", numbers, [floats([], [0.5])]))).toEqual(
      floats([2, 2], [1, -1, 0, 3]),
    );
  });

  it("Dropout drops nothing, and its mask is true throughout", async () => {
    const x = noise(1, [2, 3]);
    const nodes = [node("Dropout", ["x"], ["d", "mask"]), node("Neg", ["d"], "y")];
    expect(await runBoth(engine, { given: { x }, nodes })).toEqual({ ...x, data: x.data.map((v) => -v) });
    const mask = { given: { x }, nodes: [node("Dropout", ["x"], ["d", "y"])] };
    expect(await known(mask)).toEqual({ shape: [2, 3], data: new Uint8Array(6).fill(1) });
  });
});

describe("places", () => {
  it("GatherElements looks up along the axis, in each row by itself", async () => {
    const x = floats([2, 2], [1, 2, 3, 4]);
    const at = integers([2, 2], [0, 0, 1, -2]);
    const nodes = [node("GatherElements", ["x", "at"], "y", { axis: 1 })];
    expect(await runBoth(engine, { given: { x, at }, nodes })).toEqual(floats([2, 2], [1, 1, 4, 3]));
  });

  it("GatherElements looks up along the images", async () => {
    const x = floats([3, 3], [1, 2, 3, 4, 5, 6, 7, 8, 9]);
    const at = integers([2, 2], [1, 2, -1, 0]);
    expect(await runWhole(engine, one("GatherElements", x, [at], { axis: 0 }))).toEqual(
      floats([2, 2], [4, 8, 7, 2]),
    );
  });

  it.each([
    [[2], "2"],
    [[3, 1], "3×1"],
  ])("GatherElements refuses places of shape %j", async (shape, text) => {
    const at = integers(
      shape,
      Array.from({ length: shape.reduce((a, b) => a * b) }, () => 0),
    );
    const net = { given: { x: noise(1, [2, 4]) }, constants: { at }, version: 13 };
    const nodes = [node("GatherElements", ["x", "at"], "y", { axis: 1 })];
    await expect(loadNet(engine, { ...net, nodes }, false, true)).rejects.toThrow(
      `y (GatherElements): expected indices within 2×4 but for axis 1, got ${text}`,
    );
  });

  it("MaxUnpool puts values where they were", async () => {
    const x = floats([1, 1, 2, 2], [1, 2, 3, 4]);
    const at = integers([1, 1, 2, 2], [5, 7, 13, 15]);
    const attributes = { kernel_shape: [2, 2], strides: [2, 2] };
    const rows = [0, 0, 0, 0, 0, 1, 0, 2, 0, 0, 0, 0, 0, 3, 0, 4];
    expect(await runWhole(engine, one("MaxUnpool", x, [at], attributes))).toEqual(floats([1, 1, 4, 4], rows));
    const sizes = integers([4], [1, 1, 4, 5]);
    const wide = rows.flatMap((value, i) => (i % 4 === 3 ? [value, 0] : [value]));
    expect(await runWhole(engine, one("MaxUnpool", x, [at, sizes], attributes))).toEqual(
      floats([1, 1, 4, 5], wide),
    );
  });

  it.each([16, -1])("MaxUnpool refuses the place %i", async (place) => {
    const x = floats([1, 1, 2, 2], [1, 2, 3, 4]);
    const at = integers([1, 1, 2, 2], [5, 7, 13, place]);
    const attributes = { kernel_shape: [2, 2], strides: [2, 2] };
    await expect(runWhole(engine, one("MaxUnpool", x, [at], attributes))).rejects.toThrow(
      `y: expected indices into 16 elements, got ${place}`,
    );
  });
});

describe("images", () => {
  it("Col2Im adds patches up where they overlap", async () => {
    const x = floats([2, 2, 4], [1, 2, 3, 4, 5, 6, 7, 8, ...count(8).map((i) => -i - 1)]);
    const image = [1, 7, 6, 3, 11, 8];
    const sizes = [integers([2], [2, 3]), integers([2], [1, 2])];
    expect(await runBoth(engine, one("Col2Im", x, sizes))).toEqual(
      floats([2, 1, 2, 3], [...image, ...image.map((value) => -value)]),
    );
  });

  it.each([
    [1, [7, 2]],
    [2, [5, 2]],
    [3, [Math.cbrt(27 + 64), 2]],
  ])("GlobalLpPool of p = %i is the norm of all pixels", async (p, norms) => {
    const x = floats([2, 1, 1, 2], [3, -4, 0, -2]);
    const y = await runBoth(engine, one("GlobalLpPool", x, [], { p }));
    expect(y).toEqual(floats([2, 1, 1, 1], norms));
  });

  it.each([
    ["Gelu", "gelu", { approximate: "none" }],
    ["Gelu", "geluTanh", { approximate: "tanh" }],
    ["Mish", "mish", {}],
  ] as const)("%s is %s", async (operator, name, attributes) => {
    const { code, alpha, bound } = ELEMENTWISE.find((each) => each.name === name)!;
    const x = noise(1, [2, 3, 5], -4, 4);
    const { data } = await runBoth(engine, { ...one(operator, x, [], attributes), version: 20 });
    const exact = Array.from(x.data, (value) => activation(code, alpha, value));
    expectWithin(data as Float32Array, exact, (i) => bound(x.data[i]!, exact[i]!));
  });

  it.each([
    ["moving ones", 0],
    ["those of the batch", 1],
  ])("BatchNormalization divides by statistics that are %s", async (_, training_mode) => {
    const [n, c, pixels] = [3, 2, 10];
    const x = noise(1, [n, c, 2, 5]);
    const weights = [noise(2, [c]), noise(3, [c]), noise(4, [c]), noise(5, [c], 0.5, 1.5)] as const;
    const [scale, bias, mean, variance] = weights.map(({ data }) => data) as unknown as Float32Array[];
    const net = one("BatchNormalization", x, weights, { training_mode });
    const { data } = await (training_mode === 1 ? runWhole(engine, net) : runBoth(engine, net));
    const channelOf = (i: number): number => Math.floor(i / pixels) % c;
    const statistics = count(c).map((channel) => {
      if (training_mode === 0) return { mean: mean![channel]!, variance: variance![channel]! };
      const values = [...x.data].filter((__, i) => channelOf(i) === channel);
      const average = (all: readonly number[]): number => all.reduce((sum, v) => sum + v, 0) / all.length;
      return { mean: average(values), variance: average(values.map((v) => (v - average(values)) ** 2)) };
    });
    const exact = Array.from(x.data, (value, i) => {
      const own = statistics[channelOf(i)]!;
      return (
        ((value - own.mean) / Math.sqrt(own.variance + 1e-5)) * scale![channelOf(i)]! + bias![channelOf(i)]!
      );
    });
    // A few roundings of numbers below 4.
    expectWithin(data as Float32Array, exact, () => 4 * 8 * U);
  });

  it.each<[string, string, number, Record<string, Attribute>, number, (channel: number) => number]>([
    ["InstanceNormalization", "channel", 20, {}, 4, (channel) => channel],
    ["GroupNormalization", "group", 20, { num_groups: 2 }, 2, (channel) => channel >> 1],
    ["GroupNormalization", "channel", 21, { num_groups: 2 }, 2, (channel) => channel],
  ])("%s has a scale for each %s in opset %i", async (operator, _, version, attributes, groups, at) => {
    const [n, c, pixels] = [2, 4, 15];
    const x = noise(1, [n, c, 3, 5]);
    const weights = version < 21 ? groups : c;
    const [scale, bias] = [noise(2, [weights]), noise(3, [weights])];
    const { data } = await runBoth(engine, { ...one(operator, x, [scale, bias], attributes), version });
    const size = (c / groups) * pixels;
    const sum = (values: readonly number[]): number => values.reduce((all, value) => all + value, 0);
    const statistics = count(n * groups).map((set) => {
      const values = [...x.data.subarray(set * size, (set + 1) * size)];
      const mean = sum(values) / size;
      return { mean, deviation: Math.sqrt(sum(values.map((v) => (v - mean) ** 2)) / size + 1e-5) };
    });
    const exact = Array.from(x.data, (value, i) => {
      const { mean, deviation } = statistics[Math.floor(i / size)]!;
      const weight = at(Math.floor(i / pixels) % c);
      return ((value - mean) / deviation) * scale.data[weight]! + bias.data[weight]!;
    });
    // The mean and the variance are sums of `size` numbers below 1; what is divided is below 4.
    expectWithin(data as Float32Array, exact, () => 4 * (size + 4) * U);
  });
});
