/** All mistakes that can be made in a file, and a sample of them. */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { Random } from "../../src/random.ts";
import { OPERATORS, type Operator, type SyntaxNode, type SyntaxPath } from "./operators.ts";

/** A mistake: the characters from `start` to `end` of a file replaced. */
export interface Mutant {
  readonly file: string;
  readonly operator: string;
  readonly start: number;
  readonly end: number;
  readonly original: string;
  readonly replacement: string;
  /** Tells it from all others, as Stryker meets it. */
  readonly key: string;
  readonly node: SyntaxNode;
}

/** Texts of messages and patterns are not what a mistake is looked for in. */
const LEFT_OUT = new Set(["StringLiteral", "Regex"]);

interface Tools {
  /** The operators by which Stryker mutates; what is in here when it starts counts. */
  readonly allMutators: Operator[];
  parse(text: string, file: string): Promise<unknown>;
  transform(...args: unknown[]): void;
  print(node: SyntaxNode): string;
}

let loaded: Promise<Tools> | undefined;

/** The tools that are installed beside this file, and have no types. */
export function tools(): Promise<Tools> {
  return (loaded ??= loadTools());
}

async function loadTools(): Promise<Tools> {
  const require = createRequire(import.meta.url);
  const folder = dirname(require.resolve("@stryker-mutator/instrumenter/package.json"));
  const part = async (file: string): Promise<Record<string, never>> =>
    (await import(pathToFileURL(join(folder, "dist/src", file)).href)) as Record<string, never>;
  const { allMutators } = await part("mutators/index.js");
  const { parseTS } = await part("parsers/ts-parser.js");
  const { transformBabel } = await part("transformers/babel-transformer.js");
  const generator = require("@babel/generator") as { default: (node: SyntaxNode) => { code: string } };
  return {
    allMutators: allMutators!,
    parse: parseTS!,
    transform: transformBabel!,
    print: (node) => generator.default(node).code,
  };
}

/** Stryker's operators and ours. */
export async function operators(): Promise<Operator[]> {
  const { allMutators } = await tools();
  return [...allMutators.filter(({ name }) => !LEFT_OUT.has(name)), ...OPERATORS];
}

/** The name of mistake number `index` of an operator at a node, the same in each pass over the file. */
export function keyOf(operator: string, node: SyntaxNode, index: number, original: string): string {
  return `${operator} ${index} ${node.start} ${node.end} ${original}`;
}

/** All mistakes in a file; decorators, which Babel knows for classes alone, are blank to it. */
export async function mutantsOf(file: string): Promise<Mutant[]> {
  const { parse, transform, print } = await tools();
  const text = readFileSync(file, "utf8").replace(/^@\w+/gm, (decorator) => " ".repeat(decorator.length));
  const mutants: Mutant[] = [];
  const collecting = (await operators()).map((operator) => ({
    name: operator.name,
    mutate(path: SyntaxPath): Iterable<SyntaxNode> {
      const { node } = path;
      const { start, end } = node as { start: number; end: number };
      let index = 0;
      for (const made of operator.mutate(path)) {
        const original = text.slice(start, end);
        const key = keyOf(operator.name, node, index++, print(node));
        const replacement = print(made);
        mutants.push({ file, operator: operator.name, start, end, original, replacement, key, node });
      }
      return [];
    },
  }));
  const collector = { hasPlacedMutants: () => false };
  const options = { options: { excludedMutations: [], ignorers: [] }, mutateDescription: true };
  transform(await parse(text, file), collector, options, collecting, [
    { name: "nowhere", canPlace: () => false },
  ]);
  return mutants;
}

/** `count` of them, the same for the same seed. */
export function sample<T>(all: readonly T[], count: number, seed: number): T[] {
  const order = Uint32Array.from(all, (_, i) => i);
  new Random(seed).shuffle(order);
  return Array.from(order.subarray(0, count), (i) => all[i]!);
}
