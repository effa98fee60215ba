/** The operators beyond their conformance cases: several images, and whatever else ONNX's own suite does not ask. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { load, type Engine } from "../../src/index.ts";
import { loadOnnx, type OnnxTensor } from "../../src/onnx.ts";
import { constant, node, onnxFile, valueInfo } from "../support/onnxFile.ts";
import { noise } from "./support/net.ts";
import { at, bothWays, outputsOf, tensorOf, type OneNode } from "./support/oneNode.ts";

let engine: Engine;

beforeAll(async () => {
  engine = await load();
});

afterAll(() => engine.dispose());

const both = (one: OneNode, x: OnnxTensor<Float32Array>): Promise<OnnxTensor[]> => bothWays(engine, one, x);

const LAST = 2n ** 63n - 1n;
const FIRST = -(2n ** 63n);

describe("parts of images", () => {
  const x = noise(1, [3, 5, 4, 6]);

  it("slices backwards, from and to beyond the ends", async () => {
    const constants = [
      [LAST, -2],
      [FIRST, 0],
      [3, 1],
      [-2, -1],
    ];
    const [y] = await both({ operator: "Slice", constants }, x);
    expect(y).toEqual(tensorOf([3, 3, 4, 3], (n, c, h, w) => at(x, n, 3 - c, h, 5 - 2 * w)));
  });

  it("slices by bounds that are attributes", async () => {
    const attributes = { starts: [1, -3], ends: [100, -1], axes: [1, -1] };
    const [y] = await both({ operator: "Slice", version: 9, attributes }, x);
    expect(y).toEqual(tensorOf([3, 4, 4, 2], (n, c, h, w) => at(x, n, c + 1, h, w + 3)));
  });

  it("splits channels, the last part being smaller", async () => {
    const parts = await both({ operator: "Split", attributes: { axis: 1, num_outputs: 3 }, outputs: 3 }, x);
    const made = parts.map((_, i) =>
      tensorOf([3, i < 2 ? 2 : 1, 4, 6], (n, c, h, w) => at(x, n, 2 * i + c, h, w)),
    );
    expect(parts).toEqual(made);
  });

  it("takes channels and drops the axis", async () => {
    const [y] = await both({ operator: "Gather", attributes: { axis: 1 }, constants: [[-1, 0]] }, x);
    expect(y).toEqual(tensorOf([3, 2, 4, 6], (n, c, h, w) => at(x, n, c === 0 ? 4 : 0, h, w)));
  });

  it("puts blocks together from channels that lie side by side", async () => {
    const images = noise(2, [2, 8, 3, 2]);
    const [y] = await both({ operator: "DepthToSpace", attributes: { blocksize: 2, mode: "CRD" } }, images);
    expect(y).toEqual(
      tensorOf([2, 2, 6, 4], (n, c, h, w) => at(images, n, 4 * c + 2 * (h % 2) + (w % 2), h >> 1, w >> 1)),
    );
  });
});

describe("padding", () => {
  const x = noise(3, [2, 3, 4, 5]);
  const mirrored = (i: number, size: number): number => {
    const period = 2 * (size - 1);
    const own = ((i % period) + period) % period;
    return own < size ? own : period - own;
  };
  const SOURCES: Record<string, (i: number, size: number) => number> = {
    reflect: mirrored,
    edge: (i, size) => Math.min(size - 1, Math.max(0, i)),
    wrap: (i, size) => (i + 10 * size) % size,
  };

  it.each(Object.keys(SOURCES))("%s, with columns cut off", async (mode) => {
    const constants = [[0, 0, 2, -1, 0, 0, 3, 2]];
    const source = SOURCES[mode]!;
    const [y] = await both({ operator: "Pad", attributes: { mode }, constants }, x);
    expect(y).toEqual(
      // The column that is cut off is no source of those behind, as in onnxruntime.
      tensorOf([2, 3, 9, 6], (n, c, h, w) => at(x, n, c, source(h - 2, 4), 1 + source(w, 4))),
    );
  });

  it.each([
    ["zeros around images", [0, 0, 1, 2, 0, 0, 3, 0], 0],
    ["zeros around channels, with rows cut off", [0, 2, -1, 0, 0, 1, -1, 0], 0],
    ["another number", [0, 1, 1, 0, 0, 0, 0, 2], 7],
  ])("%s", async (_, pads, value) => {
    const fill = { shape: [], data: Float32Array.of(value) };
    const [y] = await both({ operator: "Pad", constants: [pads, fill] }, x);
    const shape = x.shape.map((size, i) => size + pads[i]! + pads[i + 4]!);
    const made = tensorOf(shape, (...index) => {
      const from = index.map((each, i) => each - pads[i]!);
      return from.every((each, i) => each >= 0 && each < x.shape[i]!) ? at(x, ...from) : value;
    });
    expect(y).toEqual(made);
  });
});

describe("places", () => {
  const x = noise(30, [3, 6, 4]);

  it("finds the largest of each image", async () => {
    const one = { operator: "TopK", attributes: { axis: 1 }, constants: [[2]], outputs: 2 };
    const [values, places] = await both(one, x);
    const sorted = (n: number, w: number): number[] =>
      Array.from({ length: 6 }, (_, c) => at(x, n, c, w)).sort((a, b) => b - a);
    expect(values).toEqual(tensorOf([3, 2, 4], (n, c, w) => sorted(n!, w!)[c!]!));
    expect(tensorOf([3, 2, 4], (n, c, w) => at(x, n!, at(places!, n!, c!, w!), w!))).toEqual(values);
  });

  it("finds the last of equal ones", async () => {
    const flat = tensorOf([2, 4], (n, c) => [1, 0, 1, n!][c!]!);
    const attributes = { axis: -1, select_last_index: 1, keepdims: 0 };
    expect(await both({ operator: "ArgMax", attributes }, flat)).toEqual([
      { shape: [2], data: BigInt64Array.of(2n, 3n) },
    ]);
    expect(await both({ operator: "ArgMin", attributes }, flat)).toEqual([
      { shape: [2], data: BigInt64Array.of(3n, 1n) },
    ]);
  });

  it("looks rows of a table up, and refuses those that are not there", async () => {
    const table = noise(31, [5, 3]);
    const net = await loadOnnx(
      onnxFile({
        inputs: [valueInfo("words", ["n", 2], 7)],
        initializers: [constant("table", table.shape, table.data)],
        nodes: [node("Gather", ["table", "words"], "y")],
        outputs: ["y"],
      }),
      { engine },
    );
    const words = [4, -5, 1, 1, 0, 2];
    const { y } = net.predict({ words: { shape: [3, 2], data: BigInt64Array.from(words, BigInt) } });
    expect(y).toEqual(tensorOf([3, 2, 3], (n, w, i) => at(table, (words[2 * n! + w!]! + 5) % 5, i!)));
    expect(() => net.predict({ words: { shape: [1, 2], data: BigInt64Array.of(0n, 5n) } })).toThrow(
      "expected indices into 5 elements, got 5",
    );
    net.dispose();
  });
});

describe("a file of a few bytes that asks for more than there is", () => {
  const x = noise(70, [1, 1, 2, 2, 2]);

  it.each<[string, OneNode]>([
    ["copies", { operator: "Tile", constants: [[1, 1, 1, 2 ** 40, 1]] }],
    ["pads", { operator: "Pad", constants: [[0, 0, 0, 0, 0, 0, 0, 0, 0, 2 ** 31]] }],
    ["sizes", { operator: "Resize", constants: [undefined, undefined, [1, 1, 2, 2, 2 ** 33]] }],
    [
      "windows",
      {
        operator: "MaxPool",
        attributes: { kernel_shape: [300, 300, 300], pads: [299, 299, 299, 299, 299, 299] },
      },
    ],
  ])("%s: is refused", async (_, one) => {
    await expect(outputsOf(engine, one, x)).rejects.toThrow("at most");
  });
});
