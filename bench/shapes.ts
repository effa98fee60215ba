/** The shapes of the networks, `shapes/<network>.txt`. */
import { readdirSync, readFileSync } from "node:fs";

const FOLDER = new URL("shapes/", import.meta.url);
const SUFFIX = ".txt";
const FIELDS = "h w c kernelSize filters strides padding groups times".split(" ");

/** A convolution with square filters, and the same padding on all sides. */
export interface ConvShape {
  readonly network: string;
  readonly n: number;
  readonly h: number;
  readonly w: number;
  readonly c: number;
  readonly kernelSize: number;
  readonly filters: number;
  readonly strides: number;
  readonly padding: number;
  readonly groups: number;
  /** The number of times that the network has it. */
  readonly times: number;
}

/** Height and width of the output. */
export function outputSize({ h, w, kernelSize, strides, padding }: ConvShape): [oh: number, ow: number] {
  const size = (input: number): number => Math.floor((input + 2 * padding - kernelSize) / strides) + 1;
  return [size(h), size(w)];
}

/** Multiplications and additions, of the definition and not of the algorithm. */
export function flopsOf(shape: ConvShape): number {
  const [oh, ow] = outputSize(shape);
  const { n, kernelSize, c, groups, filters } = shape;
  return (2 * n * oh * ow * kernelSize ** 2 * c * filters) / groups;
}

/** One line of a table. */
export function shapeText({ n, h, w, c, kernelSize, filters, strides, groups }: ConvShape): string {
  const kind = groups > 1 ? `dw` : `×${filters}`;
  return `${n > 1 ? `${n}×` : ""}${h}×${w}×${c} ${kernelSize}×${kernelSize}${kind} s${strides}`;
}

/** Parses a file's text; `name` stands in errors. @throws Error naming the line, the expected and the given. */
export function parseShapes(name: string, text: string): ConvShape[] {
  const network = name.replace(SUFFIX, "");
  let n = 1;
  return text.split("\n").flatMap((line, index): ConvShape[] => {
    const words = line.replace(/#.*/, "").trim().split(/\s+/);
    if (words[0] === "") return [];
    const where = `${name}: line ${index + 1}`;
    const numbers = words.slice(words[0] === "batch" ? 1 : 0).map(Number);
    const least = (i: number): number => (FIELDS[i] === "padding" ? 0 : 1);
    if (!numbers.every((value, i) => Number.isInteger(value) && value >= least(i))) {
      throw new Error(`${where}: expected whole numbers, got ${line.trim()}`);
    }
    if (words[0] === "batch" && numbers.length === 1) {
      n = numbers[0]!;
      return [];
    }
    if (numbers.length !== FIELDS.length || words[0] === "batch") {
      throw new Error(`${where}: expected ${FIELDS.join(" ")}, got ${line.trim()}`);
    }
    const values = Object.fromEntries(FIELDS.map((field, i) => [field, numbers[i]!]));
    return [{ network, n, ...values } as unknown as ConvShape];
  });
}

/** Names of the networks. */
export const NETWORKS: readonly string[] = readdirSync(FOLDER)
  .filter((file) => file.endsWith(SUFFIX))
  .map((file) => file.replace(SUFFIX, ""));

export function shapesOf(network: string): ConvShape[] {
  const file = network + SUFFIX;
  return parseShapes(file, readFileSync(new URL(file, FOLDER), "utf8"));
}
