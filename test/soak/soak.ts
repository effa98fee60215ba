/** Cycle after cycle, with the memory measured between them. */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { load, type Model } from "../../src/index.ts";
import { cycle, forget } from "./cycle.ts";
import { judge, type Measure, type Verdict } from "./slope.ts";

setFlagsFromString("--expose-gc");
const gc = runInNewContext("gc") as () => void;

/** Frees what nobody holds. Finalizers free memory after a turn of the event loop. */
export async function collect(): Promise<void> {
  gc();
  await new Promise((done) => setTimeout(done, 0));
  gc();
}

const MEGABYTE = 2 ** 20;
/**
 * What `engine.memory` tells is exact: any growth is a leak. The others have pages and code of the host among them, and what
 * it keeps of things that ended: Node 300 bytes of each worker.
 */
const MEASURES: readonly Measure[] = [
  { name: "linear, used", unit: "B", per: "cycle", tolerance: 0, drift: 0 },
  { name: "linear, held", unit: "B", per: "cycle", tolerance: 0, drift: 0 },
  { name: "JS heap", unit: "B", per: "cycle", tolerance: 2 * MEGABYTE, drift: 512 },
  { name: "RSS", unit: "B", per: "cycle", tolerance: 24 * MEGABYTE, drift: 1024 },
];

/** The most samples that are kept: of more every second one goes, and from then on every second one is taken. */
const MOST_SAMPLES = 600;
/** Fewer say nothing. */
const LEAST_SAMPLES = 12;

export interface SoakOptions {
  /** Whether to go on, asked before each cycle. */
  readonly more: (cycles: number) => boolean;
  /** Forgets one model a cycle. */
  readonly leak?: boolean;
  readonly onCycle?: (cycles: number) => void;
}

export interface SoakResult {
  readonly cycles: number;
  readonly verdicts: readonly Verdict[];
}

/** @throws Error when there were too few cycles */
export async function soak({ more, leak = false, onCycle }: SoakOptions): Promise<SoakResult> {
  const engines = [await load(), await load({ threads: 2 })];
  const held: Model[] = [];
  let samples: number[][] = [];
  let [cycles, every] = [0, 1];
  for (; more(cycles); cycles++) {
    await cycle(engines, cycles);
    if (leak) forget(engines[0]!, held);
    onCycle?.(cycles);
    if (cycles % every !== 0) continue;
    await collect();
    const sum = (key: "used" | "bytes"): number =>
      engines.reduce((total, { memory }) => total + memory[key], 0);
    const { rss, heapUsed, external } = process.memoryUsage();
    samples.push([cycles, sum("used"), sum("bytes"), heapUsed + external, rss]);
    if (samples.length > MOST_SAMPLES) {
      samples = samples.filter((_, i) => i % 2 === 0);
      every *= 2;
    }
  }
  for (const engine of engines) engine.dispose();
  if (samples.length < LEAST_SAMPLES) {
    throw new Error(`soak: expected at least ${LEAST_SAMPLES} samples, got ${samples.length}`);
  }
  const column = (i: number): number[] => samples.map((sample) => sample[i]!);
  return { cycles, verdicts: MEASURES.map((measure, i) => judge(measure, column(0), column(i + 1))) };
}
