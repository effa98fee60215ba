/**
 * Mistakes in `src/`, tried by Stryker: it places them all in one copy of the repository, runs the tests once to learn which
 * of them go where, and then for each mistake those that come by.
 */
import { readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { relative, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import type { SyntaxNode, SyntaxPath } from "./operators.ts";
import { keyOf, type Mutant, operators, tools } from "./places.ts";
import type { Outcome, Verdict } from "./report.ts";

/** Types, tables of the hosts, and what runs in workers and processes of its own, where Stryker does not see it. */
const LEFT_OUT = /\.d\.ts$|^src\/(hosts|cli)\/|^src\/engine\/(threads\/)/;

export function sourceFiles(): string[] {
  return readdirSync("src", { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts"))
    .map((name) => `src/${name}`)
    .filter((file) => !LEFT_OUT.test(file))
    .sort();
}

/** Stryker's report of a mistake. */
interface Result {
  readonly fileName: string;
  readonly mutatorName: string;
  readonly replacement?: string;
  readonly status: string;
  readonly location: Record<"start" | "end", { line: number; column: number }>;
}

const VERDICTS: Readonly<Record<string, Verdict>> = {
  Killed: "noticed",
  RuntimeError: "noticed",
  Timeout: "stopped",
  Survived: "lived",
  NoCoverage: "lived",
};

const settings = (files: readonly string[], folder: string): object => ({
  mutate: files,
  testRunner: "vitest",
  plugins: [createRequire(import.meta.url).resolve("@stryker-mutator/vitest-runner")],
  vitest: { configFile: "test/mutation/vitest.config.ts", related: false },
  coverageAnalysis: "perTest",
  concurrency: 1,
  // Stryker rewrites it with TypeScript's compiler in JavaScript, which there is no more, for the sake of references that it has not.
  tsconfigFile: "none.json",
  disableTypeChecks: false,
  reporters: ["progress-append-only"],
  tempDirName: folder,
  ignorePatterns: ["bench", "docs", "dist", "examples", "build/mutation"],
  timeoutMS: 60_000,
  dryRunTimeoutMinutes: 60,
  allowEmpty: true,
});

/** Code that reads and writes files has many tests of its own; the other tests run all the rest. */
const AREAS = [
  { sources: /^src\/(formats|onnx)\//, tests: "test/{formats,onnx}/**/*.test.ts" },
  {
    sources: /^src\/(?!formats\/|onnx\/)/,
    tests: "test/{runtime,graph,layers,training,model}/*.test.ts test/*.test.ts",
  },
];

/** Tries the mistakes by these tests, or by those of their area, and tells what became of each. */
export async function runSources(
  mutants: readonly Mutant[],
  folder: string,
  chosen: string | undefined,
): Promise<Outcome[]> {
  await placeOnly(mutants);
  process.env["IM2ROW_DATA"] = resolve(process.env["IM2ROW_DATA"] ?? "../shared");
  const core = createRequire(import.meta.url).resolve("@stryker-mutator/core");
  const { Stryker } = (await import(pathToFileURL(core).href)) as {
    Stryker: new (options: object) => { runMutationTest(): Promise<Result[]> };
  };
  const outcomes: Outcome[] = [];
  for (const { sources, tests } of AREAS) {
    const files = [...new Set(mutants.map(({ file }) => file))].filter((file) => sources.test(file));
    if (files.length === 0) continue;
    process.env["IM2ROW_MUTATION_TESTS"] = chosen ?? tests;
    const results = await new Stryker(settings(files, folder)).runMutationTest();
    outcomes.push(...results.map(outcomeOf));
  }
  return outcomes;
}

/** Has Stryker make the mistakes of the sample alone. */
async function placeOnly(mutants: readonly Mutant[]): Promise<void> {
  const { allMutators, print } = await tools();
  const keys = new Set(mutants.map(({ key }) => key));
  const chosen = (await operators()).map((operator) => ({
    name: operator.name,
    *mutate(path: SyntaxPath): Iterable<SyntaxNode> {
      let index = 0;
      const { node } = path;
      for (const made of operator.mutate(path))
        if (keys.has(keyOf(operator.name, node, index++, print(node)))) yield made;
    },
  }));
  allMutators.splice(0, allMutators.length, ...chosen);
}

function outcomeOf({ fileName, mutatorName, location, replacement, status }: Result): Outcome {
  const file = relative(".", fileName);
  const text = readFileSync(file, "utf8");
  const [start, end] = [offsetOf(text, location.start), offsetOf(text, location.end)];
  const verdict = VERDICTS[status] ?? "invalid";
  return { file, operator: mutatorName, start, end, replacement: replacement ?? "", verdict };
}

/** The offset of a line and a column, both counted from 1. */
function offsetOf(text: string, { line, column }: { line: number; column: number }): number {
  let at = 0;
  for (let i = 1; i < line; i++) at = text.indexOf("\n", at) + 1;
  return at + column - 1;
}
