/**
 * The benchmark: `npm run bench` runs all of it, `npm run bench -- gemm conv2d` some. What the options are, `--help` says.
 * Every result is compared with the peers' before it is timed.
 */
import { readFileSync } from "node:fs";
import { cpus } from "node:os";
import { parseArgs } from "node:util";
import { load } from "../src/index.ts";
import { coldStartTable, prepare, RESULTS } from "./coldStart.ts";
import { MEASURED } from "./contest.ts";
import { memoryTable } from "./memory.ts";
import { openPeak } from "./peak.ts";
import { openPeers, PEERS } from "./peers/index.ts";
import { torchTimes, type TorchTimes } from "./peers/torch.ts";
import { writeDocuments, writeFigures } from "./report.ts";
import { lineOf, type Result } from "./result.ts";
import { evaluate } from "./goals.ts";
import { NETWORKS } from "./shapes.ts";
import { importedTable } from "./imported/table.ts";
import { convolutions } from "./suites/convolutions.ts";
import { imported, type Starts } from "./suites/imported.ts";
import { inference, training } from "./suites/networks.ts";
import { pooling, products } from "./suites/products.ts";
import type { Bench } from "./suites/suite.ts";
import { relaxed, threads } from "./suites/variants.ts";
import { outcomeLines, type Report } from "./table.ts";

const SUITES = [
  "gemm",
  "conv2d",
  "depthwise",
  "gradients",
  "pooling",
  "inference",
  "training",
  "onnx",
  "threads",
  "relaxed",
  "cold-start",
  "memory",
];

const HELP = `npm run bench -- [suites] [options]

suites: ${SUITES.join(", ")}; all without any
--networks a,b   of ${NETWORKS.join(", ")}
--peers a,b      of ${Object.keys(PEERS).join(", ")}
--rounds n       samples of each contender, 7 by default, and processes of the cold start
--write          writes the table and the chart of the documents, which a run of everything does anyway
`;

const options = {
  networks: { type: "string", default: NETWORKS.join(",") },
  peers: { type: "string", default: Object.keys(PEERS).join(",") },
  rounds: { type: "string", default: "7" },
  write: { type: "boolean", default: false },
  help: { type: "boolean", default: false },
} as const;

/** The names of a list; @throws Error naming the one that is unknown. */
function namesOf(what: string, text: readonly string[], known: readonly string[]): string[] {
  const unknown = text.find((name) => !known.includes(name));
  if (unknown !== undefined) throw new Error(`${what}: expected ${known.join(", ")}; got ${unknown}`);
  return [...text];
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({ options, allowPositionals: true });
  if (values.help) {
    console.log(HELP);
    return;
  }
  const suites = new Set(namesOf("suites", positionals.length > 0 ? positionals : SUITES, SUITES));
  const networks = namesOf("--networks", values.networks.split(","), NETWORKS);
  const wanted = namesOf("--peers", values.peers.split(",").filter(Boolean), Object.keys(PEERS));
  const rounds = Number(values.rounds);
  if (!(Number.isInteger(rounds) && rounds > 0)) {
    throw new Error(`--rounds: expected a positive integer, got ${values.rounds}`);
  }
  const machine = cpus()[0]?.model.trim() ?? "unknown processor";
  console.log(`${machine}, Node ${process.version}, one thread, exact SIMD\n${MEASURED}`);
  const { peers, absent } = await openPeers(wanted);
  for (const line of absent) console.log(line);
  const results: Result[] = [];
  const engine = await load();
  const report = (result: Result): void => {
    results.push(result);
    console.log(lineOf(result));
  };
  const bench: Bench = { engine, peers, rounds, peak: openPeak(), networks, report };
  const torch = suites.has("training") ? torchTimes() : "not asked for";
  if (typeof torch === "string") console.log(`PyTorch absent: ${torch}`);
  const starts = await runSuites(bench, suites, typeof torch === "string" ? undefined : torch);
  const table = importedTable(results, starts, `${machine}, Node ${process.version}`);
  if (table !== "") console.log(`\n${table}\n`);
  engine.dispose();
  if (suites.has("cold-start")) await coldStartTable(rounds);
  if (suites.has("memory")) await memoryTable(RESULTS);
  const versions = Object.fromEntries(peers.map(({ name, version }) => [name, version]));
  if (typeof torch !== "string") versions["PyTorch"] = torch.version;
  const outcomes = evaluate(results);
  const whole: Report = {
    machine,
    node: process.version,
    versions,
    rounds,
    results,
    outcomes,
    networks: table,
  };
  for (const line of outcomeLines(outcomes)) console.log(line);
  writeFigures(whole, RESULTS);
  const all = suites.size === SUITES.length && networks.length === NETWORKS.length;
  if (values.write || (all && absent.length === 0 && typeof torch !== "string")) await writeDocuments(whole);
}

async function runSuites(
  bench: Bench,
  suites: ReadonlySet<string>,
  torch: TorchTimes | undefined,
): Promise<Starts[]> {
  if (suites.has("gemm")) await products(bench);
  await convolutions(bench, suites);
  if (suites.has("pooling")) await pooling(bench);
  if (suites.has("inference")) {
    await prepare(true);
    const image = new Float32Array(Uint8Array.from(readFileSync(`${RESULTS}image.f32`)).buffer);
    await inference(bench, readFileSync(`${RESULTS}lenet5.onnx`), image);
  }
  if (suites.has("training")) await training(bench, torch);
  const starts = suites.has("onnx") ? await imported(bench) : [];
  if (suites.has("threads")) await threads(bench);
  if (suites.has("relaxed")) await relaxed(bench);
  return starts;
}

await main();
// Peers keep threads and timers of their own.
process.exit();
