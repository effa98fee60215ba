/** A net's outputs are printed on stdout and written to files here. */
import { extname, resolve } from "node:path";
import { writeNpy } from "../../formats/npy.ts";
import type { OnnxTensor } from "../../onnx.ts";
import type { NamedFile } from "./inputs.ts";
import { jsonPieces, type Json } from "../json.ts";
import { formatTable, shortName } from "../report.ts";
import { checkPlace, save } from "../save.ts";
import { causeOf, UsageError } from "../usage.ts";

/** Numbers of an output that are printed. */
const SHOWN = 8;

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

/** Names of classes, and where they are from. */
export interface ClassLabels {
  readonly names: readonly string[];
  readonly from: string;
}

/** A class with its score, and its name where there is one. */
export interface ScoredClass {
  readonly class: number;
  readonly score: number;
  readonly label?: string;
}

/** What a net makes of one sample; by output with scores the classes with the largest ones, of each image. */
export interface Results {
  readonly outputs: Readonly<Record<string, OnnxTensor>>;
  readonly top: ReadonlyMap<string, readonly (readonly ScoredClass[])[]>;
}

type Outputs = Results["outputs"];

/** The largest numbers of each row with their labels. */
function topRows(
  { data }: OnnxTensor,
  [n, classes]: readonly [number, number],
  top: number,
  labels: readonly string[] | undefined,
): ScoredClass[][] {
  const values = Array.from(data as ArrayLike<number | bigint>, Number);
  return Array.from({ length: n }, (_, row) => {
    const scores = values.slice(row * classes, (row + 1) * classes);
    return ranking(scores)
      .slice(0, top)
      .map((k) => ({ class: k, score: scores[k]!, ...(labels && { label: labels[k]! }) }));
  });
}

/** Whether an output has a score for each name. */
export function haveLabels(outputs: Outputs, { names }: ClassLabels): boolean {
  return Object.values(outputs).some((output) => scoresShape(output)?.[1] === names.length);
}

/** Outputs with, if `top` is told, the classes of the largest scores in those that have some. @throws UsageError */
export function resultsOf(outputs: Outputs, top: number | undefined, labels?: ClassLabels): Results {
  if (top === undefined) return { outputs, top: new Map() };
  const all = Object.entries(outputs);
  const scored = all.flatMap(([name, output]) => {
    const shape = scoresShape(output);
    return shape ? [{ name, output, shape }] : [];
  });
  if (scored.length === 0) {
    const shapes = all.map(([name, { shape }]) => `${name} of [${shape.join(", ")}]`).join(", ");
    throw new UsageError(`--top: expected an output [n, classes], got ${shapes}`);
  }
  const fits = (classes: number): boolean => labels?.names.length === classes;
  if (labels && !scored.some(({ shape }) => fits(shape[1]))) {
    const classes = scored.map(({ name, shape }) => `${shape[1]} for ${name}`).join(", ");
    throw new UsageError(
      `${labels.from}: expected a label for each class, ${classes}, got ${labels.names.length}`,
    );
  }
  const rows = scored.map(({ name, output, shape }) => {
    const names = fits(shape[1]) ? labels!.names : undefined;
    return [name, topRows(output, shape, top, names)] as const;
  });
  return { outputs, top: new Map(rows) };
}

const scoreText = ({ score }: ScoredClass): string => score.toPrecision(6);

/** A class, its score and its name, as cells of a row. */
const cellsOf = (each: ScoredClass): string[] => [
  String(each.class),
  scoreText(each),
  ...(each.label === undefined ? [] : [shortName(each.label)]),
];

/** The text for the only sample of a run: a table for each image, or a line for each output. */
export function describeResults({ outputs, top }: Results): string {
  const lines = Object.entries(outputs).flatMap(([name, output]) => {
    const images = top.get(name);
    if (!images) return [describeOutput(name, output)];
    return images.flatMap((classes, row) => {
      const head = ["class", "score", ...(classes[0]?.label === undefined ? [] : ["label"])];
      return [`${shortName(name)}, image ${row}`, formatTable([head, ...classes.map(cellsOf)], "rrl")];
    });
  });
  return lines.join("\n");
}

/** The text for one sample of several: lines that begin with its name, in columns of a width that all have. */
export function describeSample(sample: string, width: number, { outputs, top }: Results): string {
  const names = Object.keys(outputs).map(shortName);
  const widest = Math.max(...names.map(({ length }) => length));
  const lines = Object.entries(outputs).flatMap(([name, output]) => {
    const images = top.get(name);
    if (!images) return [`${sample.padEnd(width)}  ${describeOutput(name, output)}`];
    const digits = String(scoresShape(output)![1] - 1).length;
    return images.flatMap((classes, row) => {
      const begin = [
        sample.padEnd(width),
        ...(names.length > 1 ? [shortName(name).padEnd(widest)] : []),
        ...(images.length > 1 ? [`image ${String(row).padEnd(String(images.length - 1).length)}`] : []),
      ].join("  ");
      return classes.map((each, rank) => {
        const [number, score, ...label] = cellsOf(each) as [string, string, ...string[]];
        const start = rank === 0 ? begin : " ".repeat(begin.length);
        return [start, number.padStart(digits), score.padStart(12), ...label].join("  ");
      });
    });
  });
  return lines.join("\n");
}

/** The results for a script: of each output the shape and its classes, or all numbers of one without. */
export function resultsJson({ outputs, top }: Results): Json {
  const entries = Object.entries(outputs).map(([name, { shape, data }]): [string, Json] => {
    const images = top.get(name) as Json | undefined;
    return [name, { shape, ...(images === undefined ? { data } : { top: images }) }];
  });
  return Object.fromEntries(entries);
}

/** `{ "name", "shape", "data" }`, numbers in row-major order; NaN and infinities are strings by their names. */
export function writeJson(name: string, { shape, data }: OnnxTensor): Uint8Array {
  const pieces = Array.from(jsonPieces({ name, shape, data }), (piece) => Buffer.from(piece));
  return Buffer.concat([...pieces, Buffer.from("\n")]);
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
