/** One piece of work done by several: results compared first, then timed in alternation. */
import { median } from "./timing.ts";

/** A contender that is ready to run, operands and all. */
export interface Job {
  /** Does the work; nothing else is timed. */
  run(): unknown;
  /** The result of the last run, in this package's layout. */
  read(): Promise<ArrayLike<number>> | ArrayLike<number>;
  dispose(): void;
}

/** The measurements of a contest. */
export interface Figures {
  /** Median milliseconds of a run, by contender. */
  readonly ms: Readonly<Record<string, number>>;
  /** Largest difference from ours relative to the largest value of ours, by peer. */
  readonly errors: Readonly<Record<string, number>>;
}

/** Each contender warms up so long, and a sample lasts at least so long, in milliseconds. */
const WARM_UP = 120;
const SAMPLE = 6;
/** Longest that all samples of one contender may take. */
const LIMIT = 1500;

export const MEASURED =
  `results compared first; ${WARM_UP} ms of warm-up each; then samples of at least ${SAMPLE} ms in alternation, ` +
  `so that all find the caches as the others left them; medians`;

async function elapsed(job: Job, times: number): Promise<number> {
  const start = performance.now();
  for (let i = 0; i < times; i++) {
    const result = job.run();
    // Awaiting what is no promise would cost a peer that is synchronous a turn of the event loop.
    if (result instanceof Promise) await result;
  }
  return performance.now() - start;
}

/** Milliseconds of a run, after a warm-up. */
async function warmUp(job: Job): Promise<number> {
  let calls = 0;
  let last = 0;
  for (let spent = 0; spent < WARM_UP; calls++) {
    last = await elapsed(job, 1);
    spent += last;
  }
  return calls > 10 ? (await elapsed(job, calls >> 2)) / (calls >> 2) : last;
}

/** @throws Error when a result is further from ours than `tolerance`, relative to the largest value. */
async function compare(
  name: string,
  jobs: ReadonlyMap<string, Job>,
  tolerance: number,
): Promise<Record<string, number>> {
  const [[, ours]] = jobs as unknown as [[string, Job]];
  const expected = Float64Array.from(await ours.read());
  const largest = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const errors: Record<string, number> = {};
  for (const [peer, job] of [...jobs].slice(1)) {
    const actual = await job.read();
    if (actual.length !== expected.length) {
      throw new Error(`${name}: ${peer}: expected ${expected.length} values, got ${actual.length}`);
    }
    const worst = expected.reduce((most, value, i) => Math.max(most, Math.abs(value - actual[i]!)), 0);
    if (!(largest > 0 && worst <= tolerance * largest)) {
      throw new Error(`${name}: ${peer}: expected our result to ${tolerance}, got ${worst / largest}`);
    }
    errors[peer] = worst / largest;
  }
  return errors;
}

/** Runs the contest; the first job is ours. Disposes of all of them. */
export async function contest(
  name: string,
  jobs: ReadonlyMap<string, Job>,
  tolerance: number,
  rounds: number,
): Promise<Figures> {
  try {
    for (const job of jobs.values()) await job.run();
    const errors = await compare(name, jobs, tolerance);
    const plan: { name: string; job: Job; calls: number; rounds: number; samples: number[] }[] = [];
    for (const [contender, job] of jobs) {
      const ms = await warmUp(job);
      const calls = Math.max(1, Math.ceil(SAMPLE / ms));
      const most = Math.max(2, Math.floor(LIMIT / (calls * ms)));
      plan.push({ name: contender, job, calls, rounds: Math.min(rounds, most), samples: [] });
    }
    for (let round = 0; round < rounds; round++) {
      for (const { job, calls, samples, rounds: most } of plan) {
        if (round < most) samples.push((await elapsed(job, calls)) / calls);
      }
    }
    return { errors, ms: Object.fromEntries(plan.map((entry) => [entry.name, median(entry.samples)])) };
  } finally {
    for (const job of jobs.values()) job.dispose();
  }
}

/** By how much two correct float32 sums of `length` products may differ, relative to the largest value. */
export function toleranceOf(length: number): number {
  return 32 * Math.sqrt(length + 16) * 2 ** -24;
}
