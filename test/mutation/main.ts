/**
 * Deliberate mistakes, of the kinds that people make, and whether the tests notice them.
 *
 *   npm run mutate -- [--count 60] [--seed 1] [--only src|assembly] [--file part-of-a-path]
 *                     [--tests "globs of tests, for src"] [--list]
 *
 * `--count` mistakes of each folder are drawn by the seed, and those that lived are printed. Ends with a line of counts,
 * and with exit code 1 when fewer than 95 % of those that can be noticed were.
 */
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { parseArgs } from "node:util";
import { type Mutant, mutantsOf, sample } from "./places.ts";
import { isEquivalent, type Outcome, outcomeText, summary } from "./report.ts";
import { runSources, sourceFiles } from "./sources.ts";

const FOLDER = "test/mutation";
/** The share that has to be noticed, of the mistakes that can be noticed. */
const ENOUGH = 0.95;

const { values } = parseArgs({
  options: {
    count: { type: "string", default: "60" },
    seed: { type: "string", default: "1" },
    only: { type: "string" },
    file: { type: "string", multiple: true, default: [""] },
    tests: { type: "string" },
    list: { type: "boolean", default: false },
  },
});
const count = Number(values.count);
const seed = Number(values.seed);
const outcomes: Outcome[] = [];

function tell(outcome: Outcome): void {
  outcomes.push(outcome);
  process.stdout.write(outcomeText(outcome));
}

/** The mistakes drawn from files of the given names; told at once if they are known to change nothing. */
async function drawn(
  files: readonly string[],
  mutants: (file: string) => Promise<Mutant[]>,
): Promise<Mutant[]> {
  const all: Mutant[] = [];
  for (const file of files)
    if (values.file.some((part) => file.includes(part))) all.push(...(await mutants(file)));
  const chosen = sample(all, count, seed);
  console.log(`${chosen.length} of ${all.length} mistakes in ${files.length} files, seed ${seed}`);
  if (values.list) {
    for (const mutant of chosen) process.stdout.write(outcomeText({ ...mutant, verdict: "lived" }));
    return [];
  }
  const equivalent = chosen.filter(isEquivalent);
  for (const mutant of equivalent) tell({ ...mutant, verdict: "equivalent" });
  return chosen.filter((mutant) => !equivalent.includes(mutant));
}

if (!existsSync(`${FOLDER}/node_modules`))
  execFileSync("npm", ["ci", "--prefix", FOLDER, "--ignore-scripts", "--no-audit", "--no-fund"], {
    stdio: "inherit",
  });
if (values.only !== "src") {
  // Here, since the compiler takes its time to load.
  const { kernelFiles, kernelMutants, runKernels } = await import("./kernels.ts");
  const mutants = await drawn(kernelFiles(), kernelMutants);
  if (mutants.length > 0)
    await runKernels(mutants, "build/mutation/kernels", (mutant, verdict) => tell({ ...mutant, verdict }));
}
if (values.only !== "assembly") {
  const mutants = await drawn(sourceFiles(), mutantsOf);
  if (mutants.length > 0)
    for (const outcome of await runSources(mutants, "build/mutation", values.tests)) tell(outcome);
}
if (!values.list) {
  const { text, enough } = summary(outcomes, ENOUGH);
  console.log(text);
  process.exitCode = enough ? 0 : 1;
}
