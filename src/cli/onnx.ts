/** The commands that take an ONNX file: run, inspect, bench. */
import { readFileSync, writeFileSync } from "node:fs";
import { FormatError, MemoryError, ShapeError } from "../errors.ts";
import { readNpy, writeNpy } from "../formats/npy.ts";
import { load, type Engine, type Tensor } from "../index.ts";
import { loadOnnx, type OnnxInput, type OnnxModel, type OnnxNode, type OnnxTensor } from "../onnx.ts";
import { Random } from "../random.ts";
import { sizeOf, type Shape } from "../tensor.ts";
import { isJpeg, isPng, readImage, type ImageOptions } from "./image.ts";
import { fileSize, formatTable, percent } from "./report.ts";
import { causeOf, UsageError } from "./usage.ts";

/** `name=file`, or the file alone where there is one input or output. */
export interface NamedFile {
  readonly name?: string;
  readonly file: string;
}

export interface RunOptions {
  readonly input: readonly NamedFile[];
  readonly output: readonly NamedFile[];
  /** How many classes to tell; all numbers without it. */
  readonly top?: number;
  /** File with a label in each line. */
  readonly labels?: string;
  readonly size?: readonly [number, number];
  readonly scale: number;
  readonly mean: readonly number[];
  readonly std: readonly number[];
}

export interface BenchOptions {
  readonly batch: number;
  readonly runs: number;
}

/** Numbers of an output that are printed. */
const SHOWN = 8;

function read(file: string): Uint8Array {
  try {
    return readFileSync(file);
  } catch (error) {
    throw new UsageError(`${file}: cannot be read (${causeOf(error)})`);
  }
}

/** Errors about what the user's files hold are the user's. */
async function telling<T>(file: string, work: () => T | Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const users = error instanceof FormatError || error instanceof ShapeError || error instanceof MemoryError;
    throw users ? new UsageError(`${file}: ${error.message}`) : error;
  }
}

/** Works with the net of a file on an engine of its own. */
async function withNet(file: string, work: (net: OnnxModel, engine: Engine) => void): Promise<void> {
  const bytes = read(file);
  const engine = await load();
  try {
    await telling(file, async () => work(await loadOnnx(bytes, { engine }), engine));
  } finally {
    engine.dispose();
  }
}

/** The one of `names` that an option's file is for. */
function nameFor(option: string, { name, file }: NamedFile, names: readonly string[]): string {
  if (name !== undefined && names.includes(name)) return name;
  if (name === undefined && names.length === 1) return names[0]!;
  const given = name === undefined ? `${file} without a name` : name;
  throw new UsageError(`--${option}: expected <name>=<file> with one of ${names.join(", ")}; got ${given}`);
}

function readInput(file: string, input: OnnxInput, options: RunOptions): Tensor {
  const bytes = read(file);
  if (!isPng(bytes) && !isJpeg(bytes)) {
    try {
      return readNpy(bytes, file);
    } catch (error) {
      throw error instanceof FormatError ? new UsageError(error.message) : error;
    }
  }
  const [, channels, height, width] = input.dims;
  if (input.dims.length !== 4 || typeof channels !== "number") {
    throw new UsageError(`${file}: expected a net for images [n, c, h, w], got [${input.dims.join(", ")}]`);
  }
  const declared =
    typeof height === "number" && typeof width === "number" ? ([height, width] as const) : undefined;
  const size = options.size ?? declared;
  const image: ImageOptions = { ...options, ...(size && { size }) };
  for (const [name, list] of [
    ["mean", options.mean],
    ["std", options.std],
  ] as const) {
    if (list.length !== 1 && list.length !== channels) {
      throw new UsageError(`--${name}: expected 1 or ${channels} numbers, got ${list.length}`);
    }
  }
  return readImage(file, bytes, channels, image);
}

/** The largest numbers of each row `[n, classes]` with their labels. */
function topClasses(
  name: string,
  { shape, data }: OnnxTensor,
  top: number,
  labels: readonly string[],
): string {
  const classes = shape.at(-1) ?? 1;
  const values = Array.from(data as ArrayLike<number | bigint>, Number);
  const lines: string[] = [];
  for (let row = 0; row < values.length / classes; row++) {
    const scores = values.slice(row * classes, (row + 1) * classes);
    const order = [...scores.keys()].sort((a, b) => scores[b]! - scores[a]! || a - b).slice(0, top);
    const table = order.map((k) => [String(k), scores[k]!.toPrecision(6), labels[k] ?? ""]);
    lines.push(`${name}, image ${row}`, formatTable([["class", "score", "label"], ...table], "rrl"));
  }
  return lines.join("\n");
}

function describeOutput(name: string, { shape, data }: OnnxTensor): string {
  const first = Array.from(data.subarray(0, SHOWN) as ArrayLike<number | bigint>, (value) =>
    Number(value.toString()),
  );
  const shown = first.map((value) => String(Number(value.toPrecision(7)))).join(" ");
  return `${name}  [${shape.join(", ")}]  ${shown}${data.length > SHOWN ? " …" : ""}`;
}

function save({ file }: NamedFile, name: string, { shape, data }: OnnxTensor): void {
  if (!(data instanceof Float32Array)) {
    throw new UsageError(`--output: expected an output of float32, got ${name}, a ${data.constructor.name}`);
  }
  try {
    writeFileSync(file, writeNpy({ shape, data }));
  } catch (error) {
    throw new UsageError(`--output ${file}: cannot be written (${causeOf(error)})`);
  }
}

/** Runs a net on files. @throws UsageError for files and options that will not do */
export async function run(file: string, options: RunOptions, print: (text: string) => void): Promise<void> {
  const labels =
    options.labels === undefined
      ? []
      : new TextDecoder().decode(read(options.labels)).trimEnd().split(/\r?\n/);
  await withNet(file, (net) => {
    const feeds: Record<string, Tensor> = {};
    for (const each of options.input) {
      const name = nameFor("input", each, net.inputNames);
      feeds[name] = readInput(
        each.file,
        net.inputs.find((input) => input.name === name)!,
        options,
      );
    }
    const wanted = options.output.map((each) => [each, nameFor("output", each, net.outputNames)] as const);
    const outputs = net.predict(feeds);
    for (const [name, output] of Object.entries(outputs)) {
      print(
        options.top === undefined
          ? describeOutput(name, output)
          : topClasses(name, output, options.top, labels),
      );
    }
    for (const [each, name] of wanted) save(each, name, outputs[name]!);
  });
}

/** Multiplications and additions of a node, each one; of what is no convolution or product nothing is counted. */
export function operationsOf({ type, inputs, outputs }: OnnxNode): number {
  const [x, w] = inputs;
  const y = outputs[0];
  if (!x || !w || !y) return 0;
  if (type === "Conv") return 2 * sizeOf(y) * sizeOf(w.slice(1));
  if (type === "ConvTranspose") return 2 * sizeOf(x) * sizeOf(w.slice(1));
  if (type === "MatMul") return 2 * sizeOf(y) * x.at(-1)!;
  // The matrices may be transposed: the sizes of both together have each size of the result, and the sum's twice.
  if (type === "Gemm") return 2 * sizeOf(y) * Math.sqrt((sizeOf(x) * sizeOf(w)) / sizeOf(y));
  return 0;
}

/** 3,643,957 → `3.64 M`. */
function count(value: number): string {
  if (value < 1e3) return String(value);
  const [unit, name] = value < 1e6 ? [1e3, "k"] : value < 1e9 ? [1e6, "M"] : [1e9, "G"];
  return `${(value / unit).toPrecision(3)} ${name}`;
}

const shapeText = (shape: Shape | undefined): string => (shape ? `[${shape.join(", ")}]` : "");

/** Some numbers for each input, the same in every run. */
function fill(inputs: Readonly<Record<string, Float32Array | Int32Array>>): void {
  const random = new Random(1);
  for (const view of Object.values(inputs)) {
    for (let i = 0; i < view.length; i++) view[i] = view instanceof Float32Array ? random.uniform() : 0;
  }
}

/** Prints a net's nodes, and what it takes: weights, operations, memory. */
export async function inspect(file: string, print: (text: string) => void): Promise<void> {
  await withNet(file, (net, engine) => {
    const session = net.session();
    const { used } = engine.memory;
    const weights = 4 * net.parameterCount;
    const { nodes } = net;
    const rows = nodes.map((node) => [
      node.name,
      node.type,
      shapeText(node.outputs[0]),
      operationsOf(node) > 0 ? count(operationsOf(node)) : "",
    ]);
    print(formatTable([["node", "operator", "output", "FLOPs"], ...rows], "lllr"));
    const total = nodes.reduce((sum, node) => sum + operationsOf(node), 0);
    const kind =
      net.notTrainable === undefined ? "any number of images, trainable" : `as declared: ${net.notTrainable}`;
    for (const { name, type, dims } of net.inputs) print(`input       ${name}: ${type} [${dims.join(", ")}]`);
    print(`outputs     ${net.outputNames.join(", ")}`);
    print(`runs        ${kind}`);
    print(`parameters  ${net.parameterCount.toLocaleString("en")}`);
    print(`FLOPs       ${count(total)} for one image, of convolutions and products`);
    print(
      `memory      ${fileSize(weights)} of weights, ${fileSize(used - weights)} of buffers, ${fileSize(engine.memory.bytes)} held`,
    );
    session.dispose();
  });
}

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1]!;

/** Times a net, as a whole and by nodes. */
export async function bench(
  file: string,
  options: BenchOptions,
  print: (text: string) => void,
): Promise<void> {
  const { batch, runs } = options;
  await withNet(file, (net) => {
    const session = net.session({ batchSize: batch });
    fill(session.inputs);
    session.run();
    const totals: number[] = [];
    const times = new Map<string, number[]>();
    for (let i = 0; i < runs; i++) {
      const started = performance.now();
      session.run();
      totals.push(performance.now() - started);
      for (const { node, milliseconds } of session.profile()) {
        times.set(node, [...(times.get(node) ?? []), milliseconds]);
      }
    }
    const nodes = [...times].map(([name, values]) => ({ name, time: median(values) }));
    const sum = nodes.reduce((total, { time }) => total + time, 0);
    const work = new Map(net.nodes.map((node) => [node.name, batch * operationsOf(node)]));
    const rows = nodes.map(({ name, time }) => {
      const operations = work.get(name) ?? 0;
      return [
        name,
        time.toFixed(3),
        percent(time / sum),
        operations > 0 ? (operations / time / 1e6).toFixed(1) : "",
      ];
    });
    print(formatTable([["node", "ms", "share", "GFLOP/s"], ...rows], "lrrr"));
    const all = [...work.values()].reduce((total, value) => total + value, 0);
    const time = median(totals);
    print(
      `total  ${time.toFixed(3)} ms, ${(all / time / 1e6).toFixed(1)} GFLOP/s, batch ${batch}, median of ${runs} runs`,
    );
  });
}
