/** `loadStateDict` on state dicts written by hand, against nets that are computed NCHW, by their definitions, in float64. */
import { FormatError, input, layers, load, model, OptionError, sequential, ShapeError, tensor } from "im2row";
import { loadStateDict } from "im2row/pytorch";
import { afterAll, describe, expect, it } from "vitest";
import { expectWithin } from "../support/float.ts";
import { weightBits } from "../support/model.ts";
import { random } from "../support/random.ts";
import { COUNTER, imageThere, stateDict, type TorchTensor } from "./stateDict.ts";

const engine = await load();
afterAll(() => engine.dispose());

const sizeOf = (shape: readonly number[]): number => shape.reduce((product, size) => product * size, 1);

let drawn = 0;
const draw = (...shape: number[]): TorchTensor & { data: Float32Array } => ({
  shape,
  data: random(++drawn).uniform(sizeOf(shape), -1, 1),
});

/** Images `[c][h][w]` of float64. */
type Image = number[][][];

const imageOf = (
  [c, h, w]: readonly [number, number, number],
  at: (c: number, y: number, x: number) => number,
): Image =>
  Array.from({ length: c }, (_, k) =>
    Array.from({ length: h }, (__, y) => Array.from({ length: w }, (___, x) => at(k, y, x))),
  );

/** `nn.Conv2d` without padding: weight `[f, c / groups, kh, kw]`. */
function conv(image: Image, weight: TorchTensor, bias: TorchTensor, groups = 1): Image {
  const [f, cg, kh, kw] = weight.shape as [number, number, number, number];
  const [h, w] = [image[0]!.length - kh + 1, image[0]![0]!.length - kw + 1];
  return imageOf([f, h, w], (o, y, x) => {
    const first = Math.floor(o / (f / groups)) * cg;
    let sum = Number(bias.data[o]);
    for (let i = 0; i < cg; i++)
      for (let dy = 0; dy < kh; dy++)
        for (let dx = 0; dx < kw; dx++)
          sum +=
            image[first + i]![y + dy]![x + dx]! * Number(weight.data[((o * cg + i) * kh + dy) * kw + dx]);
    return sum;
  });
}

/** `nn.ConvTranspose2d` of stride 2 without padding: weight `[c, f, kh, kw]`. */
function transposed(image: Image, weight: TorchTensor, bias: TorchTensor): Image {
  const [c, f, kh, kw] = weight.shape as [number, number, number, number];
  const [h, w] = [image[0]!.length, image[0]![0]!.length];
  const result = imageOf([f, 2 * (h - 1) + kh, 2 * (w - 1) + kw], (o) => Number(bias.data[o]));
  for (let i = 0; i < c; i++)
    for (let y = 0; y < h; y++)
      for (let x = 0; x < w; x++)
        for (let o = 0; o < f; o++)
          for (let dy = 0; dy < kh; dy++)
            for (let dx = 0; dx < kw; dx++)
              result[o]![2 * y + dy]![2 * x + dx]! +=
                image[i]![y]![x]! * Number(weight.data[((i * f + o) * kh + dy) * kw + dx]);
  return result;
}

/** `nn.BatchNorm2d` in `eval()`, of epsilon 1e-5. */
function normalized(image: Image, [weight, bias, mean, variance]: readonly TorchTensor[]): Image {
  return image.map((plane, k) => {
    const of = (from: TorchTensor | undefined): number => Number(from!.data[k]);
    const scale = of(weight) / Math.sqrt(of(variance) + 1e-5);
    return plane.map((row) => row.map((value) => (value - of(mean)) * scale + of(bias)));
  });
}

/** `nn.Linear`: weight `[out, in]`. */
const linear = (row: readonly number[], weight: TorchTensor, bias: TorchTensor): number[] =>
  Array.from(
    { length: weight.shape[0]! },
    (_, o) =>
      row.reduce((sum, value, i) => sum + value * Number(weight.data[o * row.length + i]), 0) +
      Number(bias.data[o]),
  );

const relu = (row: readonly number[]): number[] => row.map((value) => Math.max(0, value));

/** The rows `[h, w, c]` of an image. */
const rowsOf = (image: Image): number[] =>
  image[0]!.flatMap((row, y) => row.flatMap((_, x) => image.map((plane) => plane[y]![x]!)));

function expectAbout(actual: Float32Array, expected: readonly number[]): void {
  const largest = Math.max(...expected.map((value) => Math.abs(value)));
  expectWithin(actual, expected, () => 1e-5 * largest);
}

const positive = (from: TorchTensor): TorchTensor => ({
  ...from,
  data: (from.data as Float32Array).map(Math.abs),
});

/** A net with a group convolution, a normalization, a transposed convolution and a matrix behind a flattening. */
const TENSORS = {
  "stem.weight": draw(4, 2, 3, 3),
  "stem.bias": draw(4),
  "bn.weight": draw(4),
  "bn.bias": draw(4),
  "bn.running_mean": draw(4),
  "bn.running_var": positive(draw(4)),
  "bn.num_batches_tracked": COUNTER,
  "grouped.weight": draw(6, 2, 2, 2),
  "grouped.bias": draw(6),
  "up.weight": draw(6, 3, 2, 2),
  "up.bias": draw(3),
  "norm.weight": draw(72),
  "norm.bias": draw(72),
  "norm.running_mean": draw(72),
  "norm.running_var": positive(draw(72)),
  "norm.num_batches_tracked": COUNTER,
  "fc.weight": draw(5, 72),
  "fc.bias": draw(5),
} satisfies Record<string, TorchTensor>;

const build = () =>
  sequential({
    inputShape: [6, 5, 2],
    layers: [
      layers.conv2d({ filters: 4, kernelSize: 3 }),
      layers.batchNormalization({ epsilon: 1e-5 }),
      layers.conv2d({ filters: 6, kernelSize: 2, groups: 2 }),
      layers.conv2dTranspose({ filters: 3, kernelSize: 2, strides: 2 }),
      layers.flatten(),
      layers.activation({ activation: "relu" }),
      layers.batchNormalization({ epsilon: 1e-5 }),
      layers.dense({ units: 5 }),
    ],
  });

const X = draw(2, 6, 5);
const theirImage = imageOf([2, 6, 5], (c, y, x) => X.data[(c * 6 + y) * 5 + x]!);
const ourImage = tensor(rowsOf(theirImage), [1, 6, 5, 2]);

it("gives what PyTorch's net computes, NCHW with all that a flattening decides", () => {
  const t = TENSORS;
  const stem = conv(theirImage, t["stem.weight"], t["stem.bias"]);
  const batch = (name: "bn" | "norm"): TorchTensor[] => [
    t[`${name}.weight`],
    t[`${name}.bias`],
    t[`${name}.running_mean`],
    t[`${name}.running_var`],
  ];
  const grouped = conv(normalized(stem, batch("bn")), t["grouped.weight"], t["grouped.bias"], 2);
  const up = transposed(grouped, t["up.weight"], t["up.bias"]);
  const flat = relu(up.flat(2));
  const even = normalized(
    flat.map((value) => [[value]]),
    batch("norm"),
  ).flat(2);
  const net = build();
  const loaded = loadStateDict(net, stateDict(TENSORS), { layout: "NCHW" });
  expect(loaded).toContainEqual({ tensor: "grouped.weight", weight: "conv2d_1.kernel" });
  expect(loaded).toContainEqual({
    tensor: "norm.running_var",
    weight: "batchNormalization_1.movingVariance",
  });
  expect(loaded).toHaveLength(16);
  net.compile({ engine });
  expectAbout(net.predict(ourImage).data, linear(even, t["fc.weight"], t["fc.bias"]));
});

it("turns the columns of a matrix before a row that becomes an image", () => {
  const tensors = {
    "fc.weight": draw(24, 3),
    "fc.bias": draw(24),
    "out.weight": draw(2, 2, 2, 2),
    "out.bias": draw(2),
  };
  const net = sequential({
    inputShape: [3],
    layers: [
      layers.dense({ units: 24, activation: "relu" }),
      layers.reshape({ targetShape: [3, 4, 2] }),
      layers.conv2d({ filters: 2, kernelSize: 2 }),
    ],
  });
  loadStateDict(net, stateDict(tensors));
  net.compile({ engine });
  const x = [0.5, -1, 2];
  const row = relu(linear(x, tensors["fc.weight"], tensors["fc.bias"]));
  const image = imageOf([2, 3, 4], (c, y, at) => row[(c * 3 + y) * 4 + at]!);
  expectAbout(
    net.predict(tensor(x, [1, 3])).data,
    rowsOf(conv(image, tensors["out.weight"], tensors["out.bias"])),
  );
});

it("knows where the parts of a row stand that is joined of flattenings", () => {
  const [a, b] = [input({ shape: [2, 2, 3], name: "a" }), input({ shape: [3, 1, 2], name: "b" })];
  const row = layers.concatenate().apply([layers.flatten().apply(a), layers.flatten().apply(b)]);
  const net = model({ inputs: [a, b], outputs: layers.dense({ units: 4, name: "fc" }).apply(row) });
  const tensors = { "fc.weight": draw(4, 18), "fc.bias": draw(4) };
  loadStateDict(net, stateDict(tensors));
  net.compile({ engine });
  const [x, y] = [draw(2, 2, 3), draw(3, 1, 2)];
  const there = [...imageThere(x.data, [2, 2, 3]), ...imageThere(y.data, [3, 1, 2])];
  const feeds = { a: tensor(x.data, [1, 2, 2, 3]), b: tensor(y.data, [1, 3, 1, 2]) };
  expectAbout(net.predict(feeds)["fc"]!.data, linear(there, tensors["fc.weight"], tensors["fc.bias"]));
});

it("counts a sequence behind a convolution as PyTorch's, [c, steps]", () => {
  const tensors = {
    "conv.weight": draw(3, 2, 2),
    "conv.bias": draw(3),
    "fc.weight": draw(2, 12),
    "fc.bias": draw(2),
  };
  const net = sequential({
    inputShape: [5, 2],
    layers: [layers.conv1d({ filters: 3, kernelSize: 2 }), layers.flatten(), layers.dense({ units: 2 })],
  });
  loadStateDict(net, stateDict(tensors));
  net.compile({ engine });
  const x = draw(5, 2);
  const there = imageOf([2, 1, 5], (c, _, step) => x.data[step * 2 + c]!);
  const weight = { ...tensors["conv.weight"], shape: [3, 2, 1, 2] };
  const flat = conv(there, weight, tensors["conv.bias"]).flat(2);
  expectAbout(
    net.predict(tensor(x.data, [1, 5, 2])).data,
    linear(flat, tensors["fc.weight"], tensors["fc.bias"]),
  );
});

const rows = () =>
  sequential({
    inputShape: [2],
    layers: [layers.dense({ units: 2, name: "first" }), layers.dense({ units: 2, name: "second" })],
  });

describe("modules of the same sizes", () => {
  it("are taken in the order of their numbers, not of texts", () => {
    const net = rows();
    const tensors = {
      "10.weight": draw(2, 2),
      "10.bias": draw(2),
      "9.weight": draw(2, 2),
      "9.bias": draw(2),
    };
    const loaded = loadStateDict(net, stateDict(tensors));
    expect(loaded.map(({ tensor: from, weight }) => `${from} ${weight}`)).toEqual([
      "9.weight first.kernel",
      "9.bias first.bias",
      "10.weight second.kernel",
      "10.bias second.bias",
    ]);
  });

  it("are told apart by the option names, or by the names of layers", () => {
    const tensors = {
      "z.fc.weight": draw(2, 2),
      "z.fc.bias": draw(2),
      "a.weight": draw(2, 2),
      "a.bias": draw(2),
    };
    const net = rows();
    expect(() => loadStateDict(net, stateDict(tensors))).toThrow(
      "loadStateDict: first, second: expected the option names to say which is which of a, z.fc, which have the same shapes, got no names of theirs",
    );
    loadStateDict(net, stateDict(tensors), { names: { first: "z.fc", second: "a" } });
    expect(net.weights.get("first.bias")!.data).toEqual(tensors["z.fc.bias"].data);
    const called = sequential({
      inputShape: [2],
      layers: [layers.dense({ units: 2, name: "z_fc" }), layers.dense({ units: 2, name: "a" })],
    });
    loadStateDict(called, stateDict(tensors));
    expect(called.weights.get("z_fc.bias")!.data).toEqual(tensors["z.fc.bias"].data);
  });
});

it("widens float16 and bfloat16 exactly", () => {
  const net = sequential({ inputShape: [3], layers: [layers.dense({ units: 2 })] });
  // By the formats: 1, -2, 65504, 2^-24, the smallest normal number, -0.
  const weight = {
    shape: [2, 3],
    data: Uint16Array.of(0x3c00, 0xc000, 0x7bff, 1, 0x400, 0x8000),
    dtype: "F16",
  } as const;
  // 1 and -2.5
  const bias = { shape: [2], data: Uint16Array.of(0x3f80, 0xc020), dtype: "BF16" } as const;
  loadStateDict(net, stateDict({ "fc.weight": weight, "fc.bias": bias }));
  expect([...net.weights.get("dense.kernel")!.data]).toEqual([1, 2 ** -24, -2, 2 ** -14, 65504, -0]);
  expect([...net.weights.get("dense.bias")!.data]).toEqual([1, -2.5]);
});

describe("refused, with no weight changed:", () => {
  const { "fc.bias": bias, ...without } = TENSORS;
  const cases: [
    what: string,
    tensors: Record<string, TorchTensor>,
    names: Record<string, string>,
    error: RegExp,
  ][] = [
    [
      "a tensor that is missing",
      without,
      { dense: "fc" },
      /^loadStateDict: fc\.bias: expected shape 5 for dense\.bias, got no such tensor$/,
    ],
    [
      "a tensor that is missing, of a layer that nothing names",
      without,
      {},
      /^loadStateDict: dense: expected 1 with bias 5, weight 5×72, got 0 of these: .*fc \(weight 5×72\)/,
    ],
    [
      "a tensor of another shape",
      { ...TENSORS, "fc.weight": draw(72, 5) },
      { dense: "fc" },
      /^loadStateDict: fc\.weight: expected shape 5×72 for dense\.kernel, got shape 72×5$/,
    ],
    [
      "a tensor too many",
      { ...TENSORS, "fc.mask": bias },
      { dense: "fc" },
      /^loadStateDict: fc\.mask: expected weight, bias for dense, got it besides$/,
    ],
    [
      "a module that is left over",
      { ...TENSORS, "aux.weight": draw(3, 3) },
      {},
      /^loadStateDict: expected a layer for each tensor, got none for aux\.weight$/,
    ],
    [
      "a name of no module",
      TENSORS,
      { dense: "fc2" },
      /^loadStateDict: names: dense: expected one of bn, .*; got "fc2"$/,
    ],
    [
      "a name of no layer",
      TENSORS,
      { fc: "fc" },
      /^loadStateDict: names: expected names of conv2d, .*; got "fc"$/,
    ],
    [
      "one module for two layers",
      TENSORS,
      { dense: "fc", conv2d: "fc" },
      /^loadStateDict: fc\.weight: expected shape 4×2×3×3 for conv2d\.kernel, got shape 5×72$/,
    ],
    [
      "a tensor of another type",
      { ...TENSORS, "fc.bias": { ...bias, dtype: "F8" as "F16" } },
      {},
      /^loadStateDict: tensor "fc\.bias": dtype: expected "F32", "F16", "BF16", "I64", got "F8"$/,
    ],
  ];
  it.each(cases)("%s", (_, tensors, names, error) => {
    const net = build();
    const before = weightBits(net);
    expect(() => loadStateDict(net, stateDict(tensors), { names })).toThrow(error);
    expect(weightBits(net)).toEqual(before);
  });

  it("options, models and layers that it has nothing for", () => {
    const file = stateDict(TENSORS);
    expect(() => loadStateDict(build(), file, { layout: "CHWN" as "NCHW" })).toThrow(OptionError);
    expect(() => loadStateDict(build(), file, { names: { dense: 1 } as never })).toThrow(OptionError);
    expect(() => loadStateDict({} as never, file)).toThrow("loadStateDict: expected a model, got {}");
    expect(() => loadStateDict(build(), new Uint8Array(3))).toThrow(FormatError);
    const net = sequential({
      inputShape: [2, 2, 2],
      layers: [layers.flatten(), layers.groupNormalization({ groups: 2 }), layers.dense({ units: 1 })],
    });
    expect(() => loadStateDict(net, file)).toThrow(
      "loadStateDict: groupNormalization: expected a layer that computes a flattened image element by element, or dense, got groupNormalization",
    );
    expect(() => loadStateDict(rows(), stateDict({}))).toThrow(ShapeError);
  });
});
