/** im2row inspect and bench, as processes of their own. */
import { describe, expect, it } from "vitest";
import { operationsByNode, spreadOf } from "../../src/cli/nets/bench.ts";
import { operationsOf } from "../../src/cli/nets/onnxNet.ts";
import { at, im2row, refused, useFiles } from "./support/onnxFiles.ts";

useFiles();

describe("im2row inspect", () => {
  it("prints nodes, shapes of the file, weights, FLOPs and memory", async () => {
    const { code, stdout, stderr } = await im2row("inspect", at("sum.onnx"));
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    // 4 × 4 × 4 numbers, each a sum of 2 × 3 × 3 products.
    expect(stdout).toContain("/conv  Conv      [1, 4, 4, 4]  2.30 k\n");
    expect(stdout).toContain("/relu  Relu      [1, 4, 4, 4]\n");
    expect(stdout).toContain("input       x: float32 [n, 2, 6, 6]\ninput       z: float32 [n, 4, 4, 4]\n");
    expect(stdout).toContain("runs        any number of images, trainable\nparameters  72\n");
    expect(stdout).toMatch(
      /^memory {6}288 bytes of weights, [\d.]+ (?:bytes|kB) of buffers, [\d.]+ [kM]B held$/m,
    );
  });

  it("takes sizes that the file leaves open", async () => {
    for (const shape of ["1x3x4x6", "x=5x3x4x6"]) {
      const { stdout, stderr } = await im2row("inspect", at("open.onnx"), "--shape", shape);
      expect(stderr).toBe("");
      expect(stdout).toContain("/pool  GlobalAveragePool  [1, 3, 1, 1]\n");
    }
  });

  it.each<[string, string[], RegExp]>([
    ["files that leave sizes open", [], /open\.onnx: --shape: x: expected a size for "h", got none$/m],
    ["another shape", ["--shape", "1x2x4x4"], /--shape: x: expected shape n×3×h×w, got 1×2×4×4$/m],
    ["a shape of another input", ["--shape", "z=1x3"], /--shape: expected <name>=<shape> .* of x; got z$/m],
    ["no shape", ["--shape", "1x0"], /Expected a shape, as 1x3x224x224 or x=1x3x224x224, got "1x0"/],
  ])("refuses %s", (_, args, message) => refused(["inspect", at("open.onnx"), ...args], message));

  it("refuses nets that depend on numbers, with the file", () =>
    refused(
      ["inspect", at("reshape.onnx")],
      /reshape\.onnx: session: expected a net that is planned by shapes/,
    ));
});

describe("im2row bench", () => {
  it("prints the time of each node and the whole", async () => {
    const { stdout, stderr } = await im2row("bench", at("sum.onnx"), "--batch", "3", "--runs", "2");
    expect(stderr).toBe("");
    const rows = stdout.split("\n");
    expect(rows[0]).toMatch(/^node +median ms +quartiles +min–max +share +GFLOP\/s$/);
    expect(stdout).toMatch(
      /^\/conv +\d+\.\d{3} +\d+\.\d{3}–\d+\.\d{3} +\d+\.\d{3}–\d+\.\d{3} +[\d.]+ % +[\d.]+$/m,
    );
    expect(stdout).toMatch(/^total {2}\d+\.\d{3} ms, [\d.]+ GFLOP\/s, batch 3, 1 thread, median of 2 runs$/m);
    expect(stdout).toMatch(/^ {7}quartiles \d+\.\d{3}–\d+\.\d{3} ms, min–max \d+\.\d{3}–\d+\.\d{3} ms$/m);
  });

  it("counts the images of a net that joins them once", async () => {
    const { stdout } = await im2row("bench", at("joined.onnx"), "--batch", "64", "--runs", "5", "--json");
    const { batch, runs, flops, gflops, milliseconds, nodes } = JSON.parse(stdout) as {
      batch: number;
      runs: number;
      flops: number;
      gflops: number;
      milliseconds: { median: number; q1: number; q3: number; min: number; max: number };
      nodes: { name: string; flops: number }[];
    };
    expect({ batch, runs, flops }).toEqual({ batch: 64, runs: 5, flops: 2 * 64 * 256 * 256 });
    expect(nodes.find(({ name }) => name === "/product")!.flops).toBe(flops);
    const { min, q1, median, q3, max } = milliseconds;
    expect([min, q1, median, q3, max]).toEqual([min, q1, median, q3, max].sort((a, b) => a - b));
    expect(gflops).toBeCloseTo(flops / median / 1e6, 9);
  });

  it("refuses a batch that cannot be", () =>
    refused(
      ["bench", at("fixed.onnx"), "--batch", "4"],
      /fixed\.onnx: --batch: expected 4 images in all shapes, got 1$/m,
    ));
});

it("operations are those of convolutions and products", () => {
  const flops = (type: string, x: number[], w: number[], y: number[]): number =>
    operationsOf({ name: "", type, inputs: [x, w], outputs: [y] });
  expect(flops("Conv", [1, 4, 8, 8], [6, 2, 3, 3], [1, 6, 6, 6])).toBe(2 * 6 * 36 * 18);
  expect(flops("ConvTranspose", [1, 4, 8, 8], [4, 3, 2, 2], [1, 6, 9, 9])).toBe(2 * 4 * 64 * 12);
  expect(flops("Gemm", [5, 7], [7, 3], [5, 3])).toBe(2 * 5 * 7 * 3);
  expect(flops("Gemm", [5, 7], [3, 7], [5, 3])).toBe(2 * 5 * 7 * 3);
  expect(flops("MatMul", [2, 5, 7], [7, 3], [2, 5, 3])).toBe(2 * 2 * 5 * 7 * 3);
  expect(flops("Add", [5, 7], [5, 7], [5, 7])).toBe(0);
});

it("quartiles lie between the values as NumPy's do", () => {
  // numpy.percentile([7, 1, 2, 4], [0, 25, 50, 75, 100]).
  expect(spreadOf([7, 1, 2, 4])).toEqual({ min: 1, q1: 1.75, median: 3, q3: 4.75, max: 7 });
  expect(spreadOf([3])).toEqual({ min: 3, q1: 3, median: 3, q3: 3, max: 3 });
});

it("a product counts for the next node of its shape that has a time, which adds its bias", () => {
  const step = (name: string, output: number[], operations = 0) => ({ name, type: "", output, operations });
  const nodes = [
    step("conv", [1, 2, 4, 4], 96),
    step("other", [1, 3]),
    step("sum", [1, 2, 4, 4]),
    step("product", [1, 3], 18),
    step("y", [1, 3]),
    step("lost", [1, 7], 5),
  ];
  expect(operationsByNode(nodes, new Set(["other", "sum", "product", "y"]))).toEqual(
    new Map([
      ["other", 0],
      ["sum", 96],
      ["product", 18],
      ["y", 0],
    ]),
  );
});
