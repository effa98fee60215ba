/** Pooling, convolution, normalization and resizing, against their definitions: image by image and as a whole. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { load, type Engine } from "../../src/index.ts";
import { loadOnnx, type OnnxTensor } from "../../src/onnx.ts";
import { constant, node, onnxFile, valueInfo, type Attribute } from "../support/onnxFile.ts";
import { random } from "../support/random.ts";
import { noise, sizeOf } from "./support/net.ts";
import { at, bothWays, outputsOf, tensorOf, type OneNode } from "./support/oneNode.ts";

let engine: Engine;

beforeAll(async () => {
  engine = await load();
});

afterAll(() => engine.dispose());

const both = (one: OneNode, x: OnnxTensor<Float32Array>): Promise<OnnxTensor[]> => bothWays(engine, one, x);

/** The result of each window of a pooling, by its definition: values inside, and how many taps lie in the padding. */
function pooled(
  x: OnnxTensor,
  shape: readonly number[],
  window: { kernel_shape: number[]; strides: number[]; dilations: number[]; pads: number[] },
  reduce: (values: number[], padding: number) => number,
): OnnxTensor<Float32Array> {
  const { kernel_shape: kernel, strides, dilations, pads } = window;
  const rank = kernel.length;
  return tensorOf(shape, (n, c, ...position) => {
    const values: number[] = [];
    let padding = 0;
    tensorOf(kernel, (...tap) => {
      const place = tap.map((k, i) => position[i]! * strides[i]! + k * dilations[i]! - pads[i]!);
      const sizes = x.shape.slice(2);
      if (place.every((p, i) => p >= 0 && p < sizes[i]!)) values.push(at(x, n!, c!, ...place));
      else if (place.every((p, i) => p < sizes[i]! + pads[rank + i]!)) padding++;
      return 0;
    });
    return reduce(values, padding);
  });
}

const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);

describe("pooling", () => {
  const POOLS: [string, Record<string, number>, (values: number[], padding: number) => number][] = [
    ["MaxPool", {}, (values) => Math.max(...values)],
    ["AveragePool", {}, (values) => sum(values) / values.length],
    ["AveragePool", { count_include_pad: 1 }, (values, padding) => sum(values) / (values.length + padding)],
    ["LpPool", { p: 3 }, (values) => sum(values.map((value) => Math.abs(value) ** 3)) ** (1 / 3)],
  ];

  it.each([1, 2, 3])("is its definition over %i dimensions", async (rank) => {
    const draw = random(40 + rank);
    for (let round = 0; round < 12; round++) {
      const each = (low: number, high: number): number[] =>
        Array.from({ length: rank }, () => draw.integer(low, high));
      const kernel_shape = each(1, 3);
      const dilations = round % 3 === 0 ? each(1, 2) : each(1, 1);
      const pads = [...kernel_shape, ...kernel_shape].map((k) => draw.integer(0, k - 1));
      const window = { kernel_shape, strides: each(1, 3), dilations, pads };
      const ceil_mode = round % 2;
      const x = noise(round, [2, 3, ...each(5, 8)]);
      for (const [operator, extra, reduce] of POOLS) {
        const one = { operator, attributes: { ...window, ...extra, ceil_mode } };
        const [y] = await both(one, x);
        const wanted = pooled(x, y!.shape, window, reduce);
        const bound = (sizeOf(kernel_shape) + 2) * 2 ** -24 * sizeOf(kernel_shape);
        wanted.data.forEach((value, i) => {
          expect(Math.abs(Number(y!.data[i]) - value)).toBeLessThanOrEqual(bound);
        });
        const [before, after] = [pads.slice(0, rank), pads.slice(rank)];
        x.shape.slice(2).forEach((size, i) => {
          const room = size + before[i]! + after[i]! - ((kernel_shape[i]! - 1) * dilations[i]! + 1);
          const steps = room / window.strides[i]!;
          const last = Math.ceil(steps);
          const starts = last * window.strides[i]! < size + before[i]!;
          expect(y!.shape[i + 2]).toBe(1 + (ceil_mode && starts ? last : Math.floor(steps)));
        });
      }
    }
  });

  it("tells the winners' places through all images, by rows or by columns", async () => {
    const x = noise(9, [2, 2, 4, 6]);
    const attributes = { kernel_shape: [2, 3], strides: [2, 3] };
    const [values, rows] = await outputsOf(engine, { operator: "MaxPool", attributes, outputs: 2 }, x);
    values!.data.forEach((value, i) => expect(x.data[Number(rows!.data[i])]).toBe(value));
    const byColumns = { ...attributes, storage_order: 1 };
    const [, columns] = await outputsOf(
      engine,
      { operator: "MaxPool", attributes: byColumns, outputs: 2 },
      x,
    );
    const turned = Array.from(rows!.data as BigInt64Array, (place) => {
      const [image, pixel] = [Math.floor(Number(place) / 24), Number(place) % 24];
      return image * 24 + (pixel % 6) * 4 + Math.floor(pixel / 6);
    });
    expect(columns!.data).toEqual(BigInt64Array.from(turned.map(BigInt)));
  });
});

describe("transposed convolution", () => {
  const CASES: [string, number[], Record<string, Attribute>, Record<string, Attribute>?][] = [
    [
      "of one dimension",
      [7],
      { strides: [2], pads: [1, 0], output_padding: [1] },
      { strides: [2], pads: [1, 0] },
    ],
    ["in groups", [5, 4], { group: 2, strides: [2, 1], dilations: [1, 2] }],
    ["of three dimensions", [3, 4, 3], { pads: [1, 0, 1, 0, 1, 1] }],
    [
      "of a given size",
      [4, 4],
      { strides: [2, 2], output_shape: [8, 9] },
      { strides: [2, 2], pads: [1, 0, 0, 0] },
    ],
    ["as large as its strides", [4, 5], { strides: [2, 3], auto_pad: "SAME_UPPER" }],
  ];

  it.each(CASES)(
    "%s, is the adjoint of the convolution",
    async (_, sizes, attributes, forward = attributes) => {
      const [c, f, groups] = [4, 6, (attributes.group as number | undefined) ?? 1];
      const w = noise(11, [c, f / groups, ...sizes.map(() => 3)]);
      const x = noise(12, [2, c, ...sizes]);
      const [y] = await both({ operator: "ConvTranspose", attributes, constants: [w] }, x);
      const dy = noise(13, y!.shape);
      const [dx] = await outputsOf(engine, { operator: "Conv", attributes: forward, constants: [w] }, dy);
      expect(dx!.shape).toEqual(x.shape);
      const product = (a: OnnxTensor, b: OnnxTensor): number =>
        sum([...tensorOf(a.shape, (...index) => at(a, ...index) * at(b, ...index)).data]);
      // Each term is a product with a sum of at most 27·6 numbers below 1.
      const bound = (27 * 6 + 2) * 2 ** -24 * (27 * 6) * (x.data.length + dy.data.length);
      expect(Math.abs(product(y!, dy) - product(x, dx!))).toBeLessThanOrEqual(bound);
    },
  );
});

describe("normalization", () => {
  it("of whole images whose channels lie last takes its weights in their order", async () => {
    const [c, h, w] = [3, 4, 5];
    const x = noise(60, [2, c, h, w]);
    const [scale, bias] = [noise(61, [c, h, w]), noise(62, [c, h, w])];
    const same = tensorOf([c, c, 1, 1], (f, channel) => (f === channel ? 1 : 0));
    const net = await loadOnnx(
      onnxFile({
        inputs: [valueInfo("x", ["n", c, h, w])],
        initializers: [
          constant("same", same.shape, same.data),
          constant("scale", scale.shape, scale.data),
          constant("bias", bias.shape, bias.data),
        ],
        nodes: [
          node("Conv", ["x", "same"], "a"),
          node("LayerNormalization", ["a", "scale", "bias"], "y", { axis: 1 }),
        ],
        outputs: ["y"],
      }),
      { engine },
    );
    const { y } = net.predict({ x });
    net.dispose();
    const size = c * h * w;
    const statistics = [0, 1].map((n) => {
      const values = [...x.data.subarray(n * size, (n + 1) * size)];
      const mean = sum(values) / size;
      return { mean, deviation: Math.sqrt(sum(values.map((value) => (value - mean) ** 2)) / size + 1e-5) };
    });
    const wanted = tensorOf(x.shape, (n, ...index) => {
      const { mean, deviation } = statistics[n!]!;
      return ((at(x, n!, ...index) - mean) / deviation) * at(scale, ...index) + at(bias, ...index);
    });
    // The mean and the variance are sums of 60 numbers below 1; what is divided is below 4.
    const bound = 4 * (60 + 4) * 2 ** -24;
    wanted.data.forEach((value, i) =>
      expect(Math.abs(Number(y!.data[i]) - value)).toBeLessThanOrEqual(bound),
    );
  });

  it.each([0.5, 0.75, 0.6])("divides by the neighbours' power of %d", async (beta) => {
    const x = noise(63, [2, 7, 3, 2]);
    const attributes = { size: 4, alpha: { float: 2 }, beta: { float: beta }, bias: { float: 1.5 } };
    const [y] = await both({ operator: "LRN", attributes }, x);
    const wanted = tensorOf(x.shape, (n, c, h, w) => {
      let squares = 0;
      for (let i = Math.max(0, c! - 1); i <= Math.min(6, c! + 2); i++) squares += at(x, n!, i, h!, w!) ** 2;
      return at(x, n!, c!, h!, w!) / (1.5 + (2 / 4) * squares) ** Math.fround(beta);
    });
    // d is below 3.5, so that beta·|ln d| is below 1.
    const bound = beta === 0.6 ? (1.5 + 0.3 + 1) * 2 ** -23 : 0.51 * 2 ** -23;
    wanted.data.forEach((value, i) => {
      expect(Math.abs(Number(y!.data[i]) - value)).toBeLessThanOrEqual(
        bound * Math.abs(value) + 2 ** -24 * Math.abs(value),
      );
    });
  });
});

describe("resizing", () => {
  const x = noise(20, [2, 3, 5, 7]);

  it.each([
    ["linear", { mode: "linear" }],
    [
      "linear, its corners being corners",
      { mode: "linear", coordinate_transformation_mode: "align_corners" },
    ],
    ["nearest", { mode: "nearest", nearest_mode: "ceil" }],
    ["cubic without what lies outside", { mode: "cubic", exclude_outside: 1 }],
    ["linear for fewer pixels", { mode: "linear", antialias: 1 }],
  ])("%s: images, sequences of images and one image make the same", async (_, attributes) => {
    const sizes = "antialias" in attributes ? [3, 4] : [8, 9];
    const one = (dims: number[]): OneNode => ({
      operator: "Resize",
      attributes,
      constants: [undefined, undefined, dims],
    });
    const [y] = await both(one([2, 3, ...sizes]), x);
    const deep = { shape: [2, 3, 1, 5, 7], data: x.data };
    const [z] = await outputsOf(engine, one([2, 3, 1, ...sizes]), deep);
    expect(z!.shape).toEqual([2, 3, 1, ...sizes]);
    // Two sums of at most 16 products each, of numbers below 1 with weights below 2.
    const bound = 2 * 18 * 2 ** -24 * 16;
    y!.data.forEach((value, i) =>
      expect(Math.abs(Number(value) - Number(z!.data[i]))).toBeLessThanOrEqual(bound),
    );
  });

  it("takes the mean of four neighbours by their distances", async () => {
    const [y] = await both(
      {
        operator: "Upsample",
        version: 9,
        attributes: { mode: "linear" },
        constants: [{ shape: [4], data: Float32Array.of(1, 1, 2, 4) }],
      },
      x,
    );
    const wanted = tensorOf([2, 3, 10, 28], (n, c, h, w) => {
      const [top, left] = [Math.floor(h / 2), Math.floor(w / 4)];
      const [below, right] = [Math.min(4, top + 1), Math.min(6, left + 1)];
      const [dy, dx] = [h / 2 - top, w / 4 - left];
      const row = (i: number): number => at(x, n!, c!, i, left) * (1 - dx) + at(x, n!, c!, i, right) * dx;
      return row(top) * (1 - dy) + row(below) * dy;
    });
    wanted.data.forEach((value, i) =>
      expect(Math.abs(Number(y!.data[i]) - value)).toBeLessThanOrEqual(6 * 2 ** -24),
    );
  });
});
