/** Runs inputs in processes that are watched, and gathers what came of them. */
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import type { Fault } from "./attempt.ts";
import { bundleWorker } from "./bundle.ts";
import { STAGES, type Stage } from "./reader.ts";
import type { Line, Order } from "./worker.ts";

/**
 * Milliseconds of the processor without a sign of life after which a worker is ended: some times what any input may
 * take.
 */
const PATIENCE = 30_000;
/** The same by the clock, which a busy machine slows down, where the host does not tell the other. */
const WAITING = 20;
/** Milliseconds between two looks at a worker. */
const LOOK = 500;

export interface FoundFault extends Fault {
  readonly index: number;
}

export interface Plan {
  readonly seed: number;
  readonly from?: number;
  readonly count: number;
  readonly readers: readonly string[];
  /** Milliseconds of the processor after which an input has no end, if not the usual. */
  readonly patience?: number;
  readonly onEnd?: (index: number, stage: Stage) => void;
  readonly onFault?: (fault: FoundFault) => void;
}

/** The end of a worker: the number of the next input, and the faults that ended it or that it reported. */
interface Ending {
  readonly next: number;
  readonly faults: readonly FoundFault[];
  /** The input that ended it, of which `onEnd` has not heard. */
  readonly open?: number;
}

/** Milliseconds that a process has had the processor: on Linux, from the clock ticks of /proc, 100 a second. */
function processorTime(pid: number): number | undefined {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]!.split(" ");
    return (Number(fields[11]) + Number(fields[12])) * 10;
  } catch {
    return undefined;
  }
}

/** Calls `onHang` when a process has worked for `patience` ms since the last `touch`. */
function watch(pid: number, patience: number, onHang: () => void): { touch(): void; end(): void } {
  let [since, start] = [performance.now(), processorTime(pid)];
  const timer = setInterval(() => {
    const worked = processorTime(pid);
    const known = worked !== undefined && start !== undefined;
    if (known ? worked - start! > patience : performance.now() - since > patience * WAITING) onHang();
  }, LOOK);
  return {
    touch: () => void ([since, start] = [performance.now(), processorTime(pid)]),
    end: () => clearInterval(timer),
  };
}

/** One worker on one order. */
async function work(path: string, order: Order, patience: number, onEnd: Plan["onEnd"]): Promise<Ending> {
  const child = spawn(process.execPath, ["--enable-source-maps", path, JSON.stringify(order)], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  const faults: FoundFault[] = [];
  let [open, next, hung, stderr] = [-1, -1, false, ""];
  child.stderr.on("data", (text: Buffer) => (stderr = (stderr + text.toString()).slice(-4000)));
  const watcher = watch(child.pid ?? 0, patience, () => {
    hung = true;
    child.kill("SIGKILL");
  });
  const exited = new Promise<string>((done) => {
    child.on("close", (code, signal) => done(signal ?? `exit code ${code}`));
  });
  for await (const text of createInterface({ input: child.stdout })) {
    watcher.touch();
    const line = JSON.parse(text) as Line;
    if ("begins" in line) open = line.begins;
    else if ("worn" in line) next = line.worn;
    else {
      open = -1;
      next = line.ends + 1;
      if (line.fault) faults.push({ ...line.fault, index: line.ends });
      onEnd?.(line.ends, line.stage);
    }
  }
  const how = await exited;
  watcher.end();
  if (open >= 0) {
    const text = hung
      ? `no end after ${patience} ms of the processor`
      : `the process ended (${how}): ${stderr.slice(-1000)}`;
    return { next: open + 1, faults: [...faults, { index: open, kind: "cost", text }], open };
  }
  if (next < 0 || how !== "exit code 0")
    throw new Error(`fuzz: the worker did not start (${how}): ${stderr}`);
  return { next, faults };
}

/** Confirms the faults of a worker: a cost has to show again in a process that has nothing else to do. */
async function* confirmed(
  path: string,
  plan: Plan,
  { faults, open }: Ending,
  patience: number,
): AsyncGenerator<FoundFault> {
  for (const fault of faults) {
    if (fault.kind === "wrong") {
      yield fault;
      continue;
    }
    const { seed, readers } = plan;
    const again = await work(
      path,
      { seed, readers, from: fault.index, to: fault.index + 1 },
      patience,
      fault.index === open ? plan.onEnd : undefined,
    );
    yield* again.faults;
  }
}

export interface Result {
  readonly faults: readonly FoundFault[];
}

/** Tries all inputs of a plan. */
export async function run(plan: Plan): Promise<Result> {
  const path = await bundleWorker();
  const { seed, count, readers, from = 0, patience = PATIENCE } = plan;
  const faults: FoundFault[] = [];
  for (let next = from; next < from + count;) {
    const ending = await work(path, { seed, readers, from: next, to: from + count }, patience, plan.onEnd);
    next = ending.next;
    for await (const fault of confirmed(path, plan, ending, patience)) {
      faults.push(fault);
      plan.onFault?.(fault);
    }
  }
  return { faults };
}

/** Tries a file that was kept, in as many ways as there are. */
export async function replay(
  file: string,
  reader: string,
  useSeeds: readonly number[],
): Promise<FoundFault[]> {
  const path = await bundleWorker();
  const found: FoundFault[] = [];
  for (const useSeed of useSeeds) {
    const { faults } = await work(path, { readers: [reader], file, useSeed }, PATIENCE, undefined);
    found.push(...faults);
  }
  return found;
}

/** Counts, for each reader, the inputs that came to each stage. */
export class Counts {
  readonly #table = new Map<string, Map<Stage, number>>();

  add(reader: string, stage: Stage): void {
    const row = this.#table.get(reader) ?? new Map<Stage, number>();
    this.#table.set(reader, row.set(stage, (row.get(stage) ?? 0) + 1));
  }

  of(stage: Stage, reader?: string): number {
    return [...this.#table].reduce(
      (sum, [name, row]) => sum + (reader === undefined || reader === name ? (row.get(stage) ?? 0) : 0),
      0,
    );
  }

  get total(): number {
    return STAGES.reduce((sum, stage) => sum + this.of(stage), 0);
  }

  /** The share of those that got past the format's parser. */
  get past(): number {
    return 1 - this.of("malformed") / this.total;
  }

  toString(): string {
    const line = (name: string, reader?: string): string =>
      name.padEnd(12) + STAGES.map((stage) => String(this.of(stage, reader)).padStart(11)).join("");
    const rows = [...this.#table.keys()].map((reader) => line(reader, reader));
    const head = "reader".padEnd(12) + STAGES.map((stage) => stage.padStart(11)).join("");
    const past = `${Math.round(100 * this.past)} % got past the parser`;
    return [head, ...rows, line("all"), past].join("\n");
  }
}
