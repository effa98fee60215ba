/**
 * The benchmarks on one core: `npm run bench` runs all, `npm run bench -- gemm cold-start` some. Each result is checked
 * before it is timed; figures are medians. `--rounds` sets how often each process of the cold start is run.
 */
import { cpus } from "node:os";
import { parseArgs } from "node:util";
import { coldStartTable } from "./coldStart.ts";
import { conv2dTables, gemmTable } from "./kernels.ts";

const options = { rounds: { type: "string", default: "15" } } as const;
const { values, positionals } = parseArgs({ options, allowPositionals: true });
const rounds = Number(values.rounds);
if (!(Number.isInteger(rounds) && rounds > 0)) {
  throw new Error(`--rounds: expected a positive integer, got ${values.rounds}`);
}
const BENCHES = new Map([
  ["gemm", gemmTable],
  ["conv2d", conv2dTables],
  ["cold-start", () => coldStartTable(rounds)],
]);

const unknown = positionals.find((name) => !BENCHES.has(name));
if (unknown !== undefined) {
  throw new Error(`expected the names ${[...BENCHES.keys()].join(", ")}, got ${unknown}`);
}

console.log(`${cpus()[0]?.model ?? "unknown processor"}, Node ${process.version}, one thread, exact SIMD`);
for (const [name, run] of BENCHES) {
  if (positionals.length === 0 || positionals.includes(name)) await run();
}
