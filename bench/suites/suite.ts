import type { Engine } from "../../src/index.ts";
import type { Job } from "../contest.ts";
import { contest, toleranceOf } from "../contest.ts";
import type { Peer } from "../peers/peer.ts";
import { OURS, type Result } from "../result.ts";

/** The engine and the peers that a suite works with. */
export interface Bench {
  readonly engine: Engine;
  readonly peers: readonly Peer[];
  readonly rounds: number;
  /** Measures the multiply-add peak. */
  readonly peak: () => number;
  /** Networks whose shapes are wanted. */
  readonly networks: readonly string[];
  /** Takes a result in. */
  readonly report: (result: Result) => void;
}

/** A case, and the length of the sums behind its results. */
export interface Case extends Pick<Result, "suite" | "name" | "kind" | "networks" | "flops" | "peak"> {
  readonly length: number;
  readonly own?: Result["own"];
}

/** Runs one case against the peers that can do it: `open` gives a peer's job, or undefined. */
export async function runCase(
  { rounds, peers, report }: Bench,
  given: Case,
  ours: Job,
  open: (peer: Peer) => Promise<Job> | undefined,
): Promise<Result> {
  const jobs = new Map([[OURS, ours]]);
  for (const peer of peers) {
    const job = await open(peer);
    if (job) jobs.set(peer.name, job);
  }
  const { length, own, ...rest } = given;
  const { ms, errors } = await contest(given.name, jobs, toleranceOf(length), rounds);
  const result: Result = { ...rest, ms, errors, ...(own ? { own } : {}) };
  report(result);
  return result;
}

let state = 1;

/** `size` uniform numbers in ±1. */
export function uniform(size: number): Float32Array {
  return Float32Array.from({ length: size }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 31 - 1;
  });
}
