/** Times a fresh process to its first inference: the package beside its peers, on the same net and image. */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { fileURLToPath } from "node:url";
import { Random } from "../src/index.ts";
import { compareLogits, expectLogits, lenet5, type Expected } from "./lenet5.ts";
import { median } from "./timing.ts";

const MEASURED = [
  "a fresh process imports, loads and runs LeNet-5 on one image, one thread: wall time from start to exit",
  "surplus: less the empty process of the same round; all files are in the system's cache",
];
const INSTALL = "npm ci --prefix bench";
const NAME_WIDTH = 28;
/** Milliseconds after which a process is given up. */
const LIMIT = 60_000;

const folder = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const SCRIPTS = folder("cold-start/");
const PACKAGES = folder("node_modules/");
export const RESULTS = folder("../build/bench/");

/** The environment without the variables for Node, which would change what is measured. */
const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("NODE_")));

interface Contender {
  readonly name: string;
  /** In `cold-start/`. It gets the folder of the files and prints the logits as JSON. */
  readonly script: string;
  /** The packages that a peer needs, its own first. This package itself needs none. */
  readonly packages: readonly string[];
}

const EMPTY: Contender = { name: "empty process", script: "empty.mjs", packages: [] };
const OURS: Contender = { name: "im2row/inference", script: "im2row-inference.mjs", packages: [] };
const TFJS = ["@tensorflow/tfjs-backend-wasm", "@tensorflow/tfjs-core"];
const CONTENDERS: readonly Contender[] = [
  OURS,
  { name: "im2row", script: "im2row.mjs", packages: [] },
  { name: "onnxruntime-web", script: "onnxruntime-web.mjs", packages: ["onnxruntime-web", "protobufjs"] },
  { name: "tfjs-wasm, import", script: "tfjs-wasm.mjs", packages: TFJS },
  { name: "tfjs-wasm, require", script: "tfjs-wasm-required.mjs", packages: TFJS },
];

/** Milliseconds of one contender. */
interface Times {
  readonly name: string;
  readonly version: string | undefined;
  readonly median: number;
  readonly min: number;
  /** Median of what a round took longer than the empty process did. */
  readonly surplus: number;
  /** Largest difference of a logit from the package's. */
  readonly difference: number | undefined;
  /** Each round. */
  readonly wall: readonly number[];
}

const isPeer = ({ packages }: Contender): boolean => packages.length > 0;
const manifest = (name: string): string => `${PACKAGES}${name}/package.json`;
const isInstalled = ({ packages }: Contender): boolean =>
  packages.every((name) => existsSync(manifest(name)));

function versionOf({ packages: [name] }: Contender): string | undefined {
  if (name === undefined) return undefined;
  return (JSON.parse(readFileSync(manifest(name), "utf8")) as { version: string }).version;
}

/** A script in a process of its own: what it printed, and the milliseconds from start to exit. */
function run(script: string): { printed: string; wall: number } {
  const start = process.hrtime.bigint();
  const { status, stdout, stderr, error } = spawnSync(process.execPath, [SCRIPTS + script, RESULTS], {
    env,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "pipe"],
    timeout: LIMIT,
  });
  const wall = Number(process.hrtime.bigint() - start) / 1e6;
  if (status !== 0)
    throw new Error(`${script}: expected exit code 0, got ${error ?? `${status}: ${stderr}`}`);
  return { printed: stdout, wall };
}

/** Writes the files that the scripts read: the net, also for onnxruntime where that is installed, and an image. */
export function prepare(withOnnx: boolean): Promise<Expected> {
  const model = lenet5();
  const random = new Random(1);
  const image = new Float32Array(28 * 28).map(() => random.uniform());
  mkdirSync(RESULTS, { recursive: true });
  writeFileSync(`${RESULTS}lenet5.safetensors`, model.toSafetensors());
  writeFileSync(`${RESULTS}image.f32`, new Uint8Array(image.buffer));
  if (withOnnx) run("write-onnx.mjs");
  return expectLogits(model, image);
}

/** Checks one run of each contender, then runs every one once a round, the empty process first. */
function measure(contenders: readonly Contender[], expected: Expected, rounds: number): Times[] {
  const differences = contenders.map((contender) => {
    const { name, script } = contender;
    const logits = JSON.parse(run(script).printed) as number[];
    return compareLogits(name, logits, isPeer(contender) ? expected : { logits: expected.logits });
  });
  const all = [EMPTY, ...contenders];
  const walls = Array.from({ length: rounds }, () => all.map(({ script }) => run(script).wall));
  return all.map((contender, i) => {
    const wall = walls.map((round) => round[i]!);
    return {
      name: contender.name,
      version: versionOf(contender),
      median: median(wall),
      min: Math.min(...wall),
      surplus: median(walls.map((round) => round[i]! - round[0]!)),
      difference: differences[i - 1],
      wall,
    };
  });
}

function line(name: string, ...cells: string[]): string {
  return name.padEnd(NAME_WIDTH) + cells.map((cell) => cell.padStart(11)).join("");
}

function print(times: readonly Times[], absent: readonly Contender[], ours: Times): void {
  console.log(line("", "median ms", "min ms", "surplus ms", "to ours", "difference"));
  for (const { name, version, median: middle, min, surplus, difference } of times) {
    const cells = [middle, min, surplus].map((value) => value.toFixed(1));
    if (difference !== undefined) {
      cells.push(`${(surplus / ours.surplus).toFixed(2)}×`, `${difference.toExponential(1)} ok`);
    }
    console.log(line(version === undefined ? name : `${name} ${version}`, ...cells));
  }
  for (const { name } of absent) console.log(`${name.padEnd(NAME_WIDTH)}  absent: ${INSTALL}`);
}

/** Prints the table and stores it. @throws Error when logits differ: nothing is timed then. */
export async function coldStartTable(rounds: number): Promise<void> {
  const present = CONTENDERS.filter(isInstalled);
  const absent = CONTENDERS.filter((contender) => !isInstalled(contender));
  const expected = await prepare(present.some(({ packages }) => packages.includes("protobufjs")));
  console.log(`\ncold start, ${rounds} rounds in alternation\n${MEASURED.join("\n")}`);
  const times = measure(present, expected, rounds);
  const ours = times.find(({ name }) => name === OURS.name)!;
  print(times, absent, ours);
  const peers = times.filter(({ version }) => version !== undefined);
  const best = peers.toSorted((a, b) => a.surplus - b.surplus)[0];
  const ratio = best && best.surplus / ours.surplus;
  if (best) console.log(`best peer: ${best.name}, ${ratio!.toFixed(2)} times the surplus of ${ours.name}`);
  const figures = {
    measured: MEASURED.join("; "),
    processor: cpus()[0]?.model,
    node: process.version,
    rounds,
    times,
    absent: absent.map(({ name }) => name),
    best: best && { name: best.name, ratio },
  };
  writeFileSync(`${RESULTS}cold-start.json`, `${JSON.stringify(figures, null, 2)}\n`);
}
