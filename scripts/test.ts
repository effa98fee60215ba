/**
 * The tests of every day, and a table of those that it leaves to other commands.
 *
 *   npm test [-- <what vitest takes>]
 */
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";

/** Runs a program of the repository by this Node; gives its exit code. */
function run(file: string, ...args: readonly string[]): number {
  return spawnSync(process.execPath, [file, ...args], { stdio: "inherit" }).status ?? 1;
}

const count = (ending: string): number =>
  readdirSync("test", { recursive: true, encoding: "utf8" }).filter(
    (file) => file.endsWith(ending) && !file.includes("node_modules"),
  ).length;

/** What `npm test` leaves out, and the command that runs it. */
function leftOut(): (readonly [what: string, command: string])[] {
  const peers = existsSync("bench/node_modules/onnxruntime-node");
  return [
    [
      `${count(".long.test.ts")} files of tests that take long: damaged files, whole networks, ONNX's own cases`,
      "npm run test:long",
    ],
    [
      `${count(".package.test.ts")} files about the installed package; they install 1.4 GB`,
      "npm run test:package",
    ],
    ["the conformance suite in all runtimes and bundlers", "npm run test:matrix"],
    ...(peers ? [] : [["comparisons with onnxruntime", "npm ci --prefix bench && npm test"] as const]),
    ["ever more damaged files", "npm run fuzz"],
    ["saves that fail at each of their calls", "npm run test:saves"],
    ["runs that are killed and go on", "npm run test:kills"],
    ["memory over time", "npm run soak"],
    ["deliberate mistakes in the code", "npm run mutate"],
  ];
}

function printLeftOut(): void {
  const rows = [["not run here", "command"] as const, ...leftOut()];
  const width = Math.max(...rows.map(([what]) => what.length));
  for (const [what, command] of rows) console.log(`| ${what.padEnd(width)} | ${command}`);
}

const tests = process.argv.slice(2);
process.exitCode =
  run("node_modules/tsx/dist/cli.mjs", "scripts/build.ts") ||
  run("node_modules/vitest/vitest.mjs", "run", "--project", "quick", ...tests);
printLeftOut();
