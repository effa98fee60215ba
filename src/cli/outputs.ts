/** A net's outputs are printed on stdout and written to files here. */
import { extname, resolve } from "node:path";
import { writeNpy } from "../formats/npy.ts";
import type { OnnxTensor } from "../onnx.ts";
import type { NamedFile } from "./inputs.ts";
import { formatTable, shortName } from "./report.ts";
import { checkPlace, save } from "./save.ts";
import { causeOf, UsageError } from "./usage.ts";

/** Numbers of an output that are printed. */
const SHOWN = 8;

/** Numbers that become text at once: strings have a longest length, files do not. */
const CHUNK = 65536;

/** Whole numbers in full, others to seven digits. */
function shortNumber(value: number | bigint): string {
  return typeof value === "bigint" || Number.isInteger(value)
    ? String(value)
    : String(Number(value.toPrecision(7)));
}

/** An output's name, shape and first numbers, on one line. */
function describeOutput(name: string, { shape, data }: OnnxTensor): string {
  const shown = Array.from(data.subarray(0, SHOWN) as ArrayLike<number | bigint>, shortNumber).join(" ");
  return `${shortName(name)}  [${shape.join(", ")}]  ${shown}${data.length > SHOWN ? " …" : ""}`;
}

/** Larger numbers first, what is no number last, the rest in the order of the classes. */
function ranking(scores: readonly number[]): number[] {
  const before = (a: number, b: number): number =>
    Number.isNaN(a) || Number.isNaN(b) ? Number(Number.isNaN(a)) - Number(Number.isNaN(b)) : b - a;
  // Equal infinities differ by NaN.
  return [...scores.keys()].sort((a, b) => before(scores[a]!, scores[b]!) || a - b);
}

/** `[n, classes]` of an output with scores, where sizes of 1 may follow; undefined if it is none. */
function scoresShape({ shape }: OnnxTensor): readonly [number, number] | undefined {
  const [n = 1, classes, ...rest] = shape.length === 1 ? [1, ...shape] : shape;
  return classes !== undefined && rest.every((size) => size === 1) ? [n, classes] : undefined;
}

/** The largest numbers of each row with their labels. */
function topClasses(
  name: string,
  { data }: OnnxTensor,
  [n, classes]: readonly [number, number],
  top: number,
  labels: readonly string[] | undefined,
): string {
  const values = Array.from(data as ArrayLike<number | bigint>, Number);
  const lines: string[] = [];
  for (let row = 0; row < n; row++) {
    const scores = values.slice(row * classes, (row + 1) * classes);
    const table = ranking(scores)
      .slice(0, top)
      .map((k) => [String(k), scores[k]!.toPrecision(6), ...(labels ? [shortName(labels[k]!)] : [])]);
    const head = ["class", "score", ...(labels ? ["label"] : [])];
    lines.push(`${shortName(name)}, image ${row}`, formatTable([head, ...table], "rrl"));
  }
  return lines.join("\n");
}

/** Names of classes, and where they are from. */
export interface ClassLabels {
  readonly names: readonly string[];
  readonly from: string;
}

/** Outputs on stdout: with `top` the classes with the largest scores of those that have some. @throws UsageError */
export function tellOutputs(
  outputs: Readonly<Record<string, OnnxTensor>>,
  { top, labels }: { readonly top?: number; readonly labels?: ClassLabels },
  print: (text: string) => void,
): void {
  const all = Object.entries(outputs);
  const shapes = all.map(([name, { shape }]) => `${name} of [${shape.join(", ")}]`).join(", ");
  const scored = all.filter(([, output]) => scoresShape(output));
  if (top !== undefined && scored.length === 0) {
    throw new UsageError(`--top: expected an output [n, classes], got ${shapes}`);
  }
  if (labels && !scored.some(([, output]) => scoresShape(output)![1] === labels.names.length)) {
    const classes = scored.map(([name, output]) => `${scoresShape(output)![1]} for ${name}`).join(", ");
    throw new UsageError(
      `${labels.from}: expected a label for each class, ${classes}, got ${labels.names.length}`,
    );
  }
  for (const [name, output] of all) {
    const shape = scoresShape(output);
    const fitting = labels?.names.length === shape?.[1] ? labels?.names : undefined;
    print(
      top === undefined || !shape
        ? describeOutput(name, output)
        : topClasses(name, output, shape, top, fitting),
    );
  }
}

/** A number as JSON has it; what JSON has no number for is a string. */
function jsonNumber(value: number | bigint): string {
  if (Object.is(value, -0)) return "-0.0";
  return typeof value === "bigint" || Number.isFinite(value) ? String(value) : `"${value}"`;
}

/** `{ "name", "shape", "data" }`, numbers in row-major order; NaN and infinities are strings by their names. */
export function writeJson(name: string, { shape, data }: OnnxTensor): Uint8Array {
  const pieces = [Buffer.from(`{"name":${JSON.stringify(name)},"shape":${JSON.stringify(shape)},"data":[`)];
  for (let at = 0; at < data.length; at += CHUNK) {
    const part = Array.from(data.subarray(at, at + CHUNK) as ArrayLike<number | bigint>, jsonNumber);
    pieces.push(Buffer.from(`${at === 0 ? "" : ","}${part.join(",")}`));
  }
  pieces.push(Buffer.from("]}\n"));
  return Buffer.concat(pieces);
}

/** The kind of file that a name asks for. @throws UsageError */
function formatOf(file: string): "npy" | "json" {
  const extension = extname(file).toLowerCase();
  if (extension === ".json") return "json";
  // Devices and pipes have none.
  if (extension === ".npy" || extension === "") return "npy";
  throw new UsageError(`--output ${file}: expected a name that ends in .npy or .json, got ${extension}`);
}

/** Finds out whether outputs can be written before any work is done for them. @throws UsageError */
export function checkOutputs(wanted: ReadonlyMap<string, NamedFile>): void {
  const places = new Map<string, string>();
  for (const [name, { file }] of wanted) {
    if (file === "")
      throw new UsageError(`--output: expected the name of a file for ${name}, got an empty one`);
    formatOf(file);
    const other = places.get(resolve(file));
    if (other !== undefined) {
      throw new UsageError(
        `--output ${file}: expected a file for each output, got it for ${other} and ${name}`,
      );
    }
    places.set(resolve(file), name);
    try {
      checkPlace(file);
    } catch (error) {
      throw new UsageError(`--output ${file}: cannot be written (${causeOf(error)})`);
    }
  }
}

/** Writes an output as the file's name says. @throws UsageError, or an error if the system cannot */
export async function saveOutput({ file }: NamedFile, name: string, output: OnnxTensor): Promise<void> {
  const { shape, data } = output;
  const json = formatOf(file) === "json";
  if (!json && !(data instanceof Float32Array)) {
    throw new UsageError(
      `--output ${file}: expected an output of float32, or a name that ends in .json, got ${name}, a ${data.constructor.name}`,
    );
  }
  const bytes = json ? writeJson(name, output) : writeNpy({ shape, data: data as Float32Array });
  try {
    await save(file, bytes);
  } catch (error) {
    throw new Error(`--output ${file}: cannot be written (${causeOf(error)})`, { cause: error });
  }
}
