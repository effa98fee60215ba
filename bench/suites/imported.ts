/**
 * Whole networks of torchvision from ONNX files, one image: times, and what a fresh process needs until it has run one.
 */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { load, type Engine } from "../../src/index.ts";
import { loadOnnx } from "../../src/onnx.ts";
import { contest, type Job } from "../contest.ts";
import { exportNetworks, fileOf, IMAGE, IMPORTED, type Imported } from "../imported/networks.ts";
import type { Peer } from "../peers/peer.ts";
import { OURS } from "../result.ts";
import { uniform, type Bench } from "./suite.ts";

/** By how much outputs of networks may differ, relative to the largest. */
const TOLERANCE = 1e-4;
const WEB = "onnxruntime-web";

/** The cost of a fresh process until a network has run once: milliseconds, and bytes at their peak. */
export interface Start {
  readonly ms: number;
  readonly resident: number;
}

/** The starts of one network, by contender. */
export interface Starts {
  readonly name: string;
  readonly starts: Readonly<Record<string, Start>>;
}

async function ours(engine: Engine, file: Uint8Array, image: Float32Array): Promise<Job> {
  const net = await loadOnnx(file, { engine });
  const session = net.session();
  session.input.set(image);
  return {
    run: () => session.run(),
    read: () => session.output,
    dispose() {
      session.dispose();
      net.dispose();
    },
  };
}

const open = (peer: Peer, file: Uint8Array, image: Float32Array): Promise<Job> | undefined =>
  peer.network?.(file, "x", IMAGE, image);

async function time(bench: Bench, network: Imported, peak: number): Promise<void> {
  const file = readFileSync(fileOf(network));
  const image = uniform(IMAGE.reduce((product, size) => product * size, 1));
  const jobs = new Map([[OURS, await ours(bench.engine, file, image)]]);
  for (const peer of bench.peers) {
    const job = await open(peer, file, image);
    if (job) jobs.set(peer.name, job);
  }
  const { ms, errors } = await contest(network.title, jobs, TOLERANCE, bench.rounds);
  const { title: name } = network;
  bench.report({ suite: "onnx", name, kind: "network", networks: [], flops: 0, ms, errors, peak });
}

/** Our two threads beside our one. */
async function timeThreads(bench: Bench, two: Engine, network: Imported, peak: number): Promise<void> {
  const file = readFileSync(fileOf(network));
  const image = uniform(IMAGE.reduce((product, size) => product * size, 1));
  const jobs = new Map([
    [OURS, await ours(two, file, image)],
    ["one thread", await ours(bench.engine, file, image)],
  ]);
  const { ms, errors } = await contest(`${network.title}, two threads`, jobs, 0, bench.rounds);
  const name = `${network.title} on two threads`;
  bench.report({ suite: "onnx", name, kind: "network threads", networks: [], flops: 0, ms, errors, peak });
}

/** The quickest of some fresh processes, in alternation. */
function startsOf(network: Imported, rounds: number): Starts {
  const contenders = [OURS, WEB];
  const starts: Record<string, Start> = {};
  for (let round = 0; round < rounds; round++) {
    for (const contender of contenders) {
      const script = fileURLToPath(new URL(`../imported/${contender}.mjs`, import.meta.url));
      const { status, stdout, stderr } = spawnSync(process.execPath, [script, fileOf(network)], {
        encoding: "utf8",
      });
      if (status !== 0) throw new Error(`${contender}: expected exit code 0, got ${status}: ${stderr}`);
      const start = JSON.parse(stdout) as Start;
      const best = starts[contender];
      if (!best || start.ms < best.ms) starts[contender] = start;
    }
  }
  return { name: network.title, starts };
}

/** The networks, where their files are or can be made; else says why not. */
export async function imported(bench: Bench): Promise<Starts[]> {
  const absent = exportNetworks();
  if (absent !== undefined) {
    console.log(`networks of torchvision absent: ${absent}`);
    return [];
  }
  const peak = bench.peak();
  for (const network of IMPORTED) await time(bench, network, peak);
  const two = await load({ threads: 2 });
  if (two.threads === 2) for (const network of IMPORTED) await timeThreads(bench, two, network, peak);
  else console.log(`two threads absent: ${two.threadsUnavailable}`);
  two.dispose();
  if (!bench.peers.some(({ name }) => name === WEB)) return [];
  return IMPORTED.map((network) => startsOf(network, Math.min(3, bench.rounds)));
}
