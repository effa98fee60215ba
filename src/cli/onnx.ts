/** The commands that take an ONNX file: run, inspect, bench. */
import { FormatError, legible, MemoryError, OptionError, ShapeError } from "../errors.ts";
import { load, type Engine } from "../index.ts";
import { loadOnnx, type OnnxModel, type OnnxNode, type OnnxSession } from "../onnx.ts";
import { Random } from "../random.ts";
import { listed } from "../options.ts";
import { sizeOf, type Shape } from "../tensor.ts";
import { kindOf } from "../images/files/read.ts";
import { byName, read, readInputs, type NamedFile, type NamedShape, type PixelOptions } from "./inputs.ts";
import { checkOutputs, saveOutput, tellOutputs } from "./outputs.ts";
import { fileSize, formatTable, percent, shortName } from "./report.ts";
import { UsageError } from "./usage.ts";

export interface RunOptions extends PixelOptions {
  readonly input: readonly NamedFile[];
  readonly output: readonly NamedFile[];
  /** The number of classes to print; without it all numbers are printed. */
  readonly top?: number;
  /** File with a label in each line. */
  readonly labels?: string;
}

export interface InspectOptions {
  /** Shapes of the inputs whose sizes the file leaves open. */
  readonly shape: readonly NamedShape[];
}

export interface BenchOptions extends InspectOptions {
  readonly batch?: number;
  readonly runs: number;
}

/** Errors about what the user's files hold are the user's. */
async function telling<T>(file: string, work: () => T | Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const users = [FormatError, ShapeError, OptionError, MemoryError].some((type) => error instanceof type);
    throw users ? new UsageError(`${file}: ${(error as Error).message}`) : error;
  }
}

/** Works with the net of a file on an engine of its own. */
async function withNet(
  file: string,
  work: (net: OnnxModel, engine: Engine) => void | Promise<void>,
): Promise<void> {
  const bytes = read(file);
  const engine = await load();
  try {
    await telling(file, async () => work(await loadOnnx(bytes, { engine }), engine));
  } finally {
    engine.dispose();
  }
}

/** A session as the options say. @throws ShapeError, which names them */
function sessionOf(net: OnnxModel, shape: readonly NamedShape[], batch?: number): OnnxSession {
  const shapes = Object.fromEntries(
    [...byName("shape", shape, net.inputNames)].map(([name, given]) => [name, given.shape]),
  );
  try {
    return net.session({ shapes, ...(batch !== undefined && { batchSize: batch }) });
  } catch (error) {
    if (!(error instanceof ShapeError)) throw error;
    const text = error.message.replace(/^session: shapes: /, "--shape: ").replace(/^session: /, "--batch: ");
    throw new ShapeError(text, { cause: error });
  }
}

/** The lines of a file. @throws UsageError */
function readLabels(file: string): string[] {
  const bytes = read(file);
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes).trimEnd().split(/\r?\n/);
  } catch {
    throw new UsageError(`--labels ${file}: expected lines of text in UTF-8, got ${kindOf(bytes)}`);
  }
}

/** Runs a net on files. @throws UsageError for files and options that will not do */
export async function run(file: string, options: RunOptions, print: (text: string) => void): Promise<void> {
  const { top } = options;
  if (options.labels !== undefined && top === undefined) {
    throw new UsageError("--labels: expected --top besides, got none");
  }
  const given = options.labels === undefined ? undefined : readLabels(options.labels);
  await withNet(file, async (net, engine) => {
    const { classNames, preprocessing } = net.metadata;
    const names = given ?? (top === undefined ? undefined : classNames);
    const labels = names && { names, from: given ? "--labels" : `${file}: class names` };
    const wanted = byName("output", options.output, net.outputNames);
    checkOutputs(wanted);
    const feeds = readInputs(engine, options.input, net.inputs, options, preprocessing);
    const outputs = net.predict(feeds);
    tellOutputs(outputs, { ...(top !== undefined && { top }), ...(labels && { labels }) }, print);
    for (const [name, each] of wanted) await saveOutput(each, name, outputs[name]!);
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
export async function inspect(
  file: string,
  options: InspectOptions,
  print: (text: string) => void,
): Promise<void> {
  await withNet(file, (net, engine) => {
    const session = sessionOf(net, options.shape);
    const { used } = engine.memory;
    const weights = 4 * net.parameterCount;
    const { nodes } = net;
    const rows = nodes.map((node) => [
      shortName(node.name),
      shortName(node.type),
      shapeText(node.outputs[0]),
      operationsOf(node) > 0 ? count(operationsOf(node)) : "",
    ]);
    print(formatTable([["node", "operator", "output", "FLOPs"], ...rows], "lllr"));
    const total = nodes.reduce((sum, node) => sum + operationsOf(node), 0);
    const batched = net.notBatched === undefined;
    const trains = net.notTrainable === undefined ? "trainable" : `not trainable: ${net.notTrainable}`;
    const kind = batched
      ? `any number of images, ${trains}`
      : `whole, in these shapes: ${legible(net.notBatched)}`;
    for (const { name, type, dims } of net.inputs)
      print(
        `input       ${shortName(name)}: ${type} [${dims.map((size) => shortName(String(size))).join(", ")}]`,
      );
    print(`outputs     ${listed(net.outputNames.map(shortName))}`);
    print(`runs        ${kind}`);
    print(`parameters  ${net.parameterCount.toLocaleString("en")}`);
    print(`FLOPs       ${count(total)} for ${batched ? "one image" : "a run"}, of convolutions and products`);
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
  const { shape, batch, runs } = options;
  await withNet(file, (net) => {
    const session = sessionOf(net, shape, batch);
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
    // The shapes of a net that joins images hold all of them, any other's hold one.
    const images = net.notBatched === undefined ? session.batchSize : 1;
    const work = new Map(net.nodes.map((node) => [node.name, images * operationsOf(node)]));
    const rows = nodes.map(({ name, time }) => {
      const operations = work.get(name) ?? 0;
      return [
        shortName(name),
        time.toFixed(3),
        percent(time / sum),
        operations > 0 ? (operations / time / 1e6).toFixed(1) : "",
      ];
    });
    print(formatTable([["node", "ms", "share", "GFLOP/s"], ...rows], "lrrr"));
    const all = [...work.values()].reduce((total, value) => total + value, 0);
    const time = median(totals);
    print(
      `total  ${time.toFixed(3)} ms, ${(all / time / 1e6).toFixed(1)} GFLOP/s, batch ${session.batchSize}, median of ${runs} runs`,
    );
  });
}
