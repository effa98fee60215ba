/** ONNX files and images in a folder, and the command line as a process of its own that reads them. */
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { encode as encodePng } from "fast-png";
import { encode as encodeJpeg } from "jpeg-js";
import { afterAll, beforeAll, expect } from "vitest";
import { DATA_TYPE } from "../../../src/onnx/file/proto.ts";
import { writeNpy } from "../../../src/formats/npy.ts";
import { layers, sequential, tensor, type ModelMetadata } from "../../../src/index.ts";
import { constant, node, onnxFile, valueInfo } from "../../support/onnxFile.ts";

const CLI = new URL("../../../dist/cli.js", import.meta.url).pathname;

let folder: string;
/** The path of a file in the folder. */
export const at = (name: string): string => join(folder, name);

/** Runs the command line; its exit code, and what it prints. */
export function im2row(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, [CLI, ...args], (error, stdout, stderr) => {
      resolve({ code: error ? Number(error.code) : 0, stdout, stderr });
    });
  });
}

/** Exit code 2 and one line on stderr. */
export async function refused(args: string[], message: string | RegExp): Promise<void> {
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
  "unnamed.onnx": { preprocessing: {} },
  "cropped.onnx": { preprocessing: { fit: "crop" } },
  "boxed.onnx": { preprocessing: { fit: "letterbox", fillValue: [0, 0, 255], interpolation: "nearest" } },
  "middle.onnx": { preprocessing: { shortSide: 2 } },
  "larger.onnx": { preprocessing: { shortSide: 1 } },
  "endless.onnx": { preprocessing: { shortSide: 20000 } },
  "misnamed.onnx": { classNames: ["uno", "dos"], preprocessing: { mean: [0, 1] } },
};

/** Writes the files before the tests of a file, and removes them after them. */
export function useFiles(): void {
  beforeAll(writeFiles);
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
}

function writeFiles(): void {
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
  // Two rows of a red, two green and a blue pixel.
  const row = [255, 0, 0, 0, 255, 0, 0, 255, 0, 0, 0, 255];
  const wide = { width: 4, height: 2, data: Uint8Array.of(...row, ...row), channels: 3 } as const;
  writeFileSync(at("wide.png"), encodePng(wide));
  for (const [name, metadata] of Object.entries(NAMED)) {
    const net = sequential({ inputShape: [2, 2, 3], layers: [layers.globalAveragePooling2d({ name: "y" })] });
    net.metadata = metadata;
    writeFileSync(at(name), net.toOnnx());
    writeFileSync(at(name.replace(".onnx", ".safetensors")), net.toSafetensors());
  }
  const white = Uint8Array.from({ length: 16 * 16 * 4 }, () => 255);
  writeFileSync(at("x.jpg"), encodeJpeg({ width: 16, height: 16, data: white }, 95).data);
}
