/** im2row run, inspect and bench, as their own processes. */
import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { encode as encodePng } from "fast-png";
import { encode as encodeJpeg } from "jpeg-js";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { bench, operationsOf } from "../../src/cli/onnx.ts";
import { DATA_TYPE } from "../../src/onnx/file/proto.ts";
import { readNpy, writeNpy } from "../../src/formats/npy.ts";
import { layers, sequential, tensor, type ModelMetadata } from "../../src/index.ts";
import { constant, node, onnxFile, valueInfo } from "../support/onnxFile.ts";

const CLI = new URL("../../dist/cli.js", import.meta.url).pathname;

let folder: string;
const at = (name: string): string => join(folder, name);

function im2row(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, [CLI, ...args], (error, stdout, stderr) => {
      resolve({ code: error ? Number(error.code) : 0, stdout, stderr });
    });
  });
}

/** Exit code 2 and one line on stderr. */
async function refused(args: string[], message: string | RegExp): Promise<void> {
  const { code, stdout, stderr } = await im2row(...args);
  expect(stderr).toMatch(message);
  expect({ code, stdout, lines: stderr.split("\n").length }).toEqual({ code: 2, stdout: "", lines: 2 });
}

/** Means over each channel. */
const MEANS = {
  nodes: [node("GlobalAveragePool", ["x"], "/pool"), node("Flatten", ["/pool"], "y")],
  inputs: [valueInfo("x", ["n", 3, 2, 2])],
  outputs: ["y"],
};

/** Nets that say what their classes and images are. */
const NAMED: Readonly<Record<string, ModelMetadata>> = {
  "named.onnx": {
    classNames: ["uno", "dos", "tres"],
    preprocessing: { mean: [0.5, 0, 0.25], std: [0.5, 1, 2] },
  },
  "misnamed.onnx": { classNames: ["uno", "dos"], preprocessing: { mean: [0, 1] } },
};

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "im2row-onnx-"));
  writeFileSync(at("means.onnx"), onnxFile(MEANS));
  writeFileSync(at("open.onnx"), onnxFile({ ...MEANS, inputs: [valueInfo("x", ["n", 3, "h", "w"])] }));
  writeFileSync(at("grey.onnx"), onnxFile({ ...MEANS, inputs: [valueInfo("x", ["n", 1, 1, 1])] }));
  const roots = [
    node("GlobalAveragePool", ["x"], "/pool"),
    node("Sub", ["/pool", "three"], "/less"),
    node("Sqrt", ["/less"], "y"),
  ];
  const three = constant("three", [], Float32Array.of(3));
  writeFileSync(at("roots.onnx"), onnxFile({ ...MEANS, nodes: roots, initializers: [three] }));
  const largest = [
    ...MEANS.nodes.slice(0, 1),
    node("Flatten", ["/pool"], "/flat"),
    node("ArgMax", ["/flat"], "y", { axis: 1 }),
  ];
  writeFileSync(at("largest.onnx"), onnxFile({ ...MEANS, nodes: largest }));
  for (const [file, name] of [
    ["escape.onnx", "y\u001b[2J\nfake\u202e"],
    ["long.onnx", "y".repeat(50_000)],
  ] as const) {
    const named = [node("GlobalAveragePool", ["x"], "/pool"), node("Flatten", ["/pool"], name)];
    writeFileSync(at(file), onnxFile({ ...MEANS, nodes: named, outputs: [name] }));
  }
  writeFileSync(at("two.txt"), "ant\nbee\n");
  writeFileSync(at("x.gif"), "GIF89a........");
  writeFileSync(
    at("cut.jpg"),
    encodeJpeg({ width: 16, height: 16, data: new Uint8Array(1024) }, 95).data.subarray(0, 500),
  );
  const nodes = [
    node("Conv", ["x", "w"], "/conv", { kernel_shape: [3, 3] }),
    node("Relu", ["/conv"], "/relu"),
    node("Add", ["/relu", "z"], "y"),
  ];
  const initializers = [constant("w", [4, 2, 3, 3], new Float32Array(72).fill(0.25))];
  const inputs = [valueInfo("x", ["n", 2, 6, 6]), valueInfo("z", ["n", 4, 4, 4])];
  writeFileSync(at("sum.onnx"), onnxFile({ nodes, inputs, outputs: ["y"], initializers }));
  const unknown = [node("Fly", ["x"], "a"), node("Swim", ["a"], "y")];
  writeFileSync(at("unknown.onnx"), onnxFile({ ...MEANS, nodes: unknown }));
  const numbers = [valueInfo("x", [1, 4]), valueInfo("shape", [2], DATA_TYPE.int64)];
  const reshape = [node("Reshape", ["x", "shape"], "y")];
  writeFileSync(at("reshape.onnx"), onnxFile({ nodes: reshape, inputs: numbers, outputs: ["y"] }));
  const joined = (images: number | string): Uint8Array =>
    onnxFile({
      nodes: [node("MatMul", ["x", "w"], "/product"), node("Softmax", ["/product"], "y", { axis: 0 })],
      inputs: [valueInfo("x", [images, 256])],
      outputs: ["y"],
      initializers: [constant("w", [256, 256], new Float32Array(256 * 256))],
    });
  writeFileSync(at("joined.onnx"), joined("n"));
  writeFileSync(at("fixed.onnx"), joined(1));
  writeFileSync(at("x.npy"), writeNpy(tensor([1, 2, 3, 4, 5, 6, 7, 8, 3, 3, 3, 3], [1, 3, 2, 2])));
  writeFileSync(at("labels.txt"), "ant\nbee\ncat\n");
  // Two columns: a red and a blue one.
  const pixels = Uint8Array.of(255, 0, 0, 0, 0, 255, 255, 0, 0, 0, 0, 255);
  writeFileSync(at("x.png"), encodePng({ width: 2, height: 2, data: pixels, channels: 3 }));
  for (const [name, metadata] of Object.entries(NAMED)) {
    const net = sequential({ inputShape: [2, 2, 3], layers: [layers.globalAveragePooling2d({ name: "y" })] });
    net.metadata = metadata;
    writeFileSync(at(name), net.toOnnx());
  }
  const white = Uint8Array.from({ length: 16 * 16 * 4 }, () => 255);
  writeFileSync(at("x.jpg"), encodeJpeg({ width: 16, height: 16, data: white }, 95).data);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("im2row run", () => {
  it("takes from the file how images become its input, unless it is told otherwise", async () => {
    const line = async (...rest: string[]): Promise<string> =>
      (await im2row("run", at("named.onnx"), "--input", at("x.png"), ...rest)).stdout;
    expect(await line()).toBe("y  [1, 3]  0 0 0.125\n");
    expect(await line("--mean", "0")).toBe("y  [1, 3]  1 0 0.25\n");
    const { stdout, stderr } = await im2row("run", at("named.onnx"), "--input", at("x.npy"));
    expect({ stdout, stderr }).toEqual({ stdout: "y  [1, 3]  2.5 6.5 3\n", stderr: "" });
  });

  it("takes the names of the classes from the file, unless it is told others", async () => {
    const names = async (...rest: string[]): Promise<string[]> => {
      const { stdout } = await im2row("run", at("named.onnx"), "--input", at("x.npy"), "--top", "2", ...rest);
      return stdout.split("\n").slice(3, 5);
    };
    expect(await names()).toEqual(["    1  6.50000  dos", "    2  3.00000  tres"]);
    expect(await names("--labels", at("labels.txt"))).toEqual(["    1  6.50000  bee", "    2  3.00000  cat"]);
  });

  it("prints outputs, and writes them", async () => {
    const args = ["run", at("means.onnx"), "--input", at("x.npy"), "--output", at("y.npy")];
    expect(await im2row(...args)).toEqual({ code: 0, stdout: "y  [1, 3]  2.5 6.5 3\n", stderr: "" });
    expect(readNpy(readFileSync(at("y.npy")), "y")).toEqual(tensor([2.5, 6.5, 3], [1, 3]));
  });

  it("names the classes with the largest scores", async () => {
    const args = [
      "run",
      at("means.onnx"),
      "--input",
      `x=${at("x.npy")}`,
      "--top",
      "2",
      "--labels",
      at("labels.txt"),
    ];
    expect((await im2row(...args)).stdout.split("\n")).toEqual([
      "y, image 0",
      "class    score  label",
      "─────────────────────",
      "    1  6.50000  bee",
      "    2  3.00000  cat",
      "─────────────────────",
      "",
    ]);
  });

  it.each<[string, string[], string]>([
    ["a PNG image", ["x.png"], "y  [1, 3]  0.5 0 0.5"],
    ["one that is normalised", ["x.png", "--mean", "0.5,0,0.25", "--std", "0.5,1,2"], "y  [1, 3]  0 0 0.125"],
    ["pixels from 0 to 255", ["x.png", "--scale", "1"], "y  [1, 3]  127.5 0 127.5"],
    ["a JPEG image, made smaller", ["x.jpg"], "y  [1, 3]  1 1 1"],
  ])("takes %s", async (_, [file, ...rest], line) => {
    const { stdout, stderr } = await im2row("run", at("means.onnx"), "--input", at(file!), ...rest);
    expect({ stdout, stderr }).toEqual({ stdout: `${line}\n`, stderr: "" });
  });

  it("ranks what is no number last, and tells classes of [n, c, 1, 1]", async () => {
    const args = [
      "run",
      at("roots.onnx"),
      "--input",
      at("x.npy"),
      "--top",
      "4",
      "--labels",
      at("labels.txt"),
    ];
    const { stdout, stderr } = await im2row(...args);
    expect(stderr).toBe("");
    // Means of 2.5, 6.5 and 3, less 3: the roots of −0.5, 3.5 and 0.
    expect(stdout.split("\n").slice(3, 6)).toEqual([
      "    1  1.87083  bee",
      "    2  0.00000  cat",
      "    0      NaN  ant",
    ]);
  });

  it("writes JSON, by the name of the file", async () => {
    const args = ["run", at("roots.onnx"), "--input", at("x.npy"), "--output", at("y.json")];
    expect((await im2row(...args)).code).toBe(0);
    const text = readFileSync(at("y.json"), "utf8");
    expect(JSON.parse(text)).toEqual({
      name: "y",
      shape: [1, 3, 1, 1],
      data: ["NaN", Math.fround(Math.sqrt(3.5)), 0],
    });
    const integers = ["run", at("largest.onnx"), "--input", at("x.npy"), "--output", at("y.json")];
    expect((await im2row(...integers)).stdout).toBe("y  [1, 1]  1\n");
    expect(JSON.parse(readFileSync(at("y.json"), "utf8"))).toEqual({ name: "y", shape: [1, 1], data: [1] });
  });

  it("spells out what a file has for the terminal", async () => {
    const { stdout } = await im2row("run", at("escape.onnx"), "--input", at("x.npy"));
    expect(stdout).toBe("y\\u001b[2J\\u000afake\\u202e  [1, 3]  2.5 6.5 3\n");
    const inspected = (await im2row("inspect", at("escape.onnx"))).stdout;
    // oxlint-disable-next-line no-control-regex
    expect(inspected).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/);
    expect(inspected).not.toMatch(/^fake/m);
    const long = (await im2row("inspect", at("long.onnx"))).stdout;
    expect(Math.max(...long.split("\n").map(({ length }) => length))).toBeLessThan(300);
  });

  it("takes an image as it is, or of another size, where the net leaves that open", async () => {
    // The bytes of Pillow's resize: half of 255 is 128, and 5 rows of 255, 204 … have a mean of 127.67.
    for (const [size, mean] of [
      [[], "0.5"],
      [["--size", "1"], "0.5019608"],
      [["--size", "5x3"], "0.5006536"],
    ] as const) {
      const { stdout } = await im2row("run", at("open.onnx"), "--input", at("x.png"), ...size);
      expect(stdout).toBe(`y  [1, 3]  ${mean} 0 ${mean}\n`);
    }
  });

  it("makes grey of colours", async () => {
    // Half red, half blue: bytes of 76 and 29 by Pillow's convert("L"), of which one pixel is made, 53.
    const { stdout } = await im2row("run", at("grey.onnx"), "--input", at("x.png"));
    expect(stdout).toBe("y  [1, 1]  0.2078431\n");
  });

  it.each<[string, () => string[], RegExp]>([
    ["no such model", () => [at("none.onnx")], /none\.onnx: cannot be read \(no such file or directory\)$/m],
    ["a model that is none", () => [at("x.png")], /x\.png: loadOnnx: expected the bytes of an ONNX file/],
    [
      "operators that do not exist",
      () => [at("unknown.onnx")],
      /got 2 nodes that are not: a \(Fly\): .*; y \(Swim\): /,
    ],
    ["no input", () => [at("means.onnx")], /^im2row: --input: expected a file for x, got none$/m],
    [
      "two files for an input",
      () => [at("means.onnx"), "--input", at("x.npy"), "--input", `x=${at("x.png")}`],
      /--input: expected one for x, got .*x\.npy and .*x\.png$/m,
    ],
    ...["--size 2", "--scale 1", "--mean 0", "--std 1"].map((option): [string, () => string[], RegExp] => [
      `${option} beside an array`,
      () => [at("means.onnx"), "--input", at("x.npy"), ...option.split(" ")],
      new RegExp(`${option.split(" ")[0]}: expected an image among the inputs, got \\.npy files alone$`, "m"),
    ]),
    [
      "labels without --top",
      () => [at("means.onnx"), "--input", at("x.npy"), "--labels", at("labels.txt")],
      /--labels: expected --top besides, got none$/m,
    ],
    [
      "a division by zero",
      () => [at("means.onnx"), "--input", at("x.png"), "--std", "1,0,1"],
      /Expected positive numbers, got "1,0,1"/,
    ],
    [
      "an input without a name",
      () => [at("sum.onnx"), "--input", at("x.npy")],
      /expected <name>=<file> with one of x, z; got .*x\.npy without a name$/m,
    ],
    [
      "another input",
      () => [at("means.onnx"), "--input", `q=${at("x.npy")}`],
      /--input: expected <name>=<file> with one of x; got q$/m,
    ],
    [
      "another output",
      () => [at("means.onnx"), "--input", at("x.npy"), "--output", "q=y.npy"],
      /--output: expected .* one of y; got q$/m,
    ],
    [
      "another shape",
      () => [at("grey.onnx"), "--input", at("x.npy")],
      /predict: x: expected shape n×1×1×1, got 1×3×2×2$/m,
    ],
    [
      "a file of another kind",
      () => [at("means.onnx"), "--input", at("labels.txt")],
      /labels\.txt: expected PNG, JPEG or \.npy, got a file that begins with the bytes 61 6e 74 0a$/m,
    ],
    [
      "a GIF image",
      () => [at("means.onnx"), "--input", at("x.gif")],
      /x\.gif: expected PNG, JPEG or \.npy, got a GIF image$/m,
    ],
    [
      "a JPEG image that breaks off",
      () => [at("means.onnx"), "--input", at("cut.jpg")],
      /cut\.jpg: expected PNG, JPEG or \.npy, got a JPEG image that breaks off after 500 bytes$/m,
    ],
    [
      "more pixels than can be",
      () => [at("open.onnx"), "--input", at("x.png"), "--size", "99999"],
      /x\.png: expected an image of at most 67108864 numbers, got 29999400003 of \[1, 3, 99999, 99999\]$/m,
    ],
    [
      "labels of other classes",
      () => [at("means.onnx"), "--input", at("x.npy"), "--top", "1", "--labels", at("two.txt")],
      /--labels: expected a label for each class, 3 for y, got 2$/m,
    ],
    [
      "names of other classes in the file",
      () => [at("misnamed.onnx"), "--input", at("x.npy"), "--top", "1"],
      /misnamed\.onnx: class names: expected a label for each class, 3 for y, got 2$/m,
    ],
    [
      "means of other channels in the file",
      () => [at("misnamed.onnx"), "--input", at("x.png")],
      /preprocessing of the net: mean: expected 1 or 3 numbers, got 2$/m,
    ],
    [
      "labels that are none",
      () => [at("means.onnx"), "--input", at("x.npy"), "--top", "1", "--labels", at("x.png")],
      /--labels .*x\.png: expected lines of text in UTF-8, got a PNG image$/m,
    ],
    [
      "an output of another kind",
      () => [at("means.onnx"), "--input", at("x.npy"), "--output", "y.txt"],
      /--output y\.txt: expected a name that ends in \.npy or \.json, got \.txt$/m,
    ],
    [
      "an output where nothing can be written",
      () => [at("means.onnx"), "--input", at("x.npy"), "--output", at("none/y.npy")],
      /--output .*y\.npy: cannot be written \(no such file or directory\)$/m,
    ],
    [
      "a file without a name",
      () => [at("means.onnx"), "--input", "x="],
      /^im2row: expected the name of a file, got an empty one$/m,
    ],
    [
      "means of other channels",
      () => [at("means.onnx"), "--input", at("x.png"), "--mean", "1,2"],
      /--mean: expected 1 or 3 numbers, got 2$/m,
    ],
    [
      "means that are no numbers",
      () => [at("means.onnx"), "--mean", "a"],
      /Expected numbers, as 0\.5 or 0\.485,0\.456,0\.406, got "a"/,
    ],
    [
      "a size that is none",
      () => [at("means.onnx"), "--size", "0x4"],
      /Expected a size, as 224 or 224x320, got "0x4"/,
    ],
  ])("refuses %s", (_, args, message) => refused(["run", ...args()], message));
});

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
    expect(rows[0]).toMatch(/^node +ms +share +GFLOP\/s$/);
    expect(stdout).toMatch(/^\/conv +\d+\.\d{3} +[\d.]+ % +[\d.]+$/m);
    expect(stdout).toMatch(/^total {2}\d+\.\d{3} ms, [\d.]+ GFLOP\/s, batch 3, median of 2 runs$/m);
  });

  it("counts the images of a net that joins them once", async () => {
    const lines: string[] = [];
    await bench(at("joined.onnx"), { shape: [], batch: 64, runs: 5 }, (line) => lines.push(line));
    const [, ms, rate] = /^\/product +(\d+\.\d{3}) .* ([\d.]+)$/m.exec(lines[0]!)!;
    // 2 · 64 · 256 · 256 operations; each figure is rounded.
    const [time, expected] = [Number(ms), 2 * 64 * 256 * 256 * 1e-6];
    expect(Number(rate)).toBeGreaterThan(expected / (time + 0.0005) - 0.05);
    expect(Number(rate)).toBeLessThan(expected / (time - 0.0005) + 0.05);
    expect(lines[1]).toContain(", batch 64, ");
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
