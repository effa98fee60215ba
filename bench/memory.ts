/** WebAssembly memory at its peak, for single layers of VGG-16 on an image of 224×224. */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { load, type Engine } from "../src/index.ts";
import type { Job } from "./contest.ts";
import { filterGradientJob, forwardJob, inputGradientJob, operandSizes } from "./ours.ts";
import type { ConvOperands } from "./peers/peer.ts";
import { outputSize, shapesOf, shapeText, type ConvShape } from "./shapes.ts";

const MB = 1e6;
const BYTES = 4;
const PEER = "onnxruntime-web";
const path = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url));

/** Bytes of one layer. */
export interface Memory {
  readonly name: string;
  /** `x`, `w`, `b` and `y`: what every implementation has to hold. */
  readonly operands: number;
  /** The matrix of patches that im2row by the book would write. */
  readonly patches: number;
  readonly forward: number;
  readonly filterGradient: number;
  readonly inputGradient: number;
  /** The peak of onnxruntime-web's forward pass, where that is installed. */
  readonly peer: number | undefined;
}

/** The memory of a fresh engine after one run. It never shrinks, so that this is its peak. */
async function peakOf(
  open: (engine: Engine, operands: ConvOperands) => Job,
  operands: ConvOperands,
): Promise<number> {
  const engine = await load();
  const job = open(engine, operands);
  await job.run();
  const { byteLength } = engine.runtime.heap.memory.buffer;
  job.dispose();
  engine.dispose();
  return byteLength;
}

/** The same of onnxruntime-web, in a process of its own. */
async function peerPeak(
  { h, w, c, kernelSize: k, filters: f, padding: pad }: ConvShape,
  folder: string,
): Promise<number | undefined> {
  if (!existsSync(path(`node_modules/${PEER}/package.json`))) return undefined;
  const { operatorFile } = await import("./onnx.ts");
  const file = `${folder}memory.onnx`;
  const operands = [
    { name: "x", shape: [1, c, h, w] },
    { name: "w", shape: [f, c, k, k], data: new Float32Array(f * c * k * k) },
    { name: "b", shape: [f], data: new Float32Array(f) },
  ];
  const attributes = { kernel_shape: [k, k], pads: [pad, pad, pad, pad] };
  writeFileSync(file, operatorFile("Conv", operands, attributes, [1, f, h, w]));
  const given = [path(`memory/${PEER}.mjs`), file, ...[h, w, c].map(String)];
  const { status, stdout, stderr } = spawnSync(process.execPath, given, { encoding: "utf8" });
  if (status !== 0) throw new Error(`${PEER}: expected exit code 0, got ${status}: ${stderr}`);
  return Number(stdout);
}

async function measure(shape: ConvShape, folder: string): Promise<Memory> {
  const sizes = operandSizes(shape);
  const [x, w, b, dy] = [sizes.x, sizes.w, sizes.b, sizes.dy].map((size) => new Float32Array(size)) as [
    Float32Array,
    Float32Array,
    Float32Array,
    Float32Array,
  ];
  const operands = { shape, x, w, b, dy };
  const [oh, ow] = outputSize(shape);
  return {
    name: shapeText(shape),
    operands: BYTES * (sizes.x + sizes.w + sizes.b + sizes.dy),
    patches: BYTES * oh * ow * shape.kernelSize ** 2 * shape.c,
    forward: await peakOf(forwardJob, operands),
    filterGradient: await peakOf(filterGradientJob, operands),
    inputGradient: await peakOf(inputGradientJob, operands),
    peer: await peerPeak(shape, folder),
  };
}

/** Prints the table and stores it in `folder`. */
export async function memoryTable(folder: string): Promise<void> {
  mkdirSync(folder, { recursive: true });
  const columns = ["operands", "patches", "forward", "filter grad.", "input grad.", PEER];
  console.log(`\npeak WebAssembly memory in MB, one layer; patches: what im2row by the book would write`);
  console.log("".padEnd(26) + columns.map((column) => column.padStart(16)).join(""));
  const rows: Memory[] = [];
  for (const shape of shapesOf("vgg-16")) {
    const row = await measure(shape, folder);
    const { name, operands, patches, forward, filterGradient, inputGradient, peer } = row;
    const cells = [operands, patches, forward, filterGradient, inputGradient, peer].map((bytes) =>
      bytes === undefined ? "absent" : (bytes / MB).toFixed(1),
    );
    console.log(name.padEnd(26) + cells.map((cell) => cell.padStart(16)).join(""));
    rows.push(row);
  }
  writeFileSync(`${folder}memory.json`, `${JSON.stringify(rows, null, 2)}\n`);
}
