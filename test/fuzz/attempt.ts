/** One input under its limits. */
import { Random } from "../../src/random.ts";
import { faultOf, MEMORY, type Bench } from "./bench.ts";
import type { Input } from "./inputs.ts";
import type { Stage } from "./reader.ts";

const MEGABYTE = 2 ** 20;
/** Milliseconds of the processor, and bytes of the process's peak, that a refusal may cost. */
const REFUSAL_TIME = 1000;
const REFUSAL_MEMORY = 300 * MEGABYTE;
/** The most milliseconds and bytes that reading and using a file may take, with the memories of both engines. */
const USE_TIME = 10_000;
const USE_MEMORY = REFUSAL_MEMORY + 2 * MEMORY;

/** A fault that an input caused. A `cost` is tried again in a process of its own before it counts. */
export interface Fault {
  readonly kind: "wrong" | "cost";
  readonly text: string;
}

export interface Outcome {
  readonly stage: Stage;
  readonly fault?: Fault;
}

const peak = (): number => process.resourceUsage().maxRSS * 1024;

/** The peak of the process's memory before the first input, with sound files and engines made. */
let start: number | undefined;

/** Whether so much was in use at one time that what the next inputs take would soon not be seen. */
export const isWorn = (): boolean => peak() - (start ?? 0) > (REFUSAL_MEMORY * 2) / 3;

function parses({ reader, bytes }: Input): boolean {
  try {
    reader.parse(bytes);
    return true;
  } catch {
    return false;
  }
}

/** Has the reader use the bytes; what it threw, if anything. */
async function thrown(
  { reader, bytes, useSeed }: Input,
  bench: Bench,
): Promise<{ error: unknown } | undefined> {
  try {
    await reader.use(bytes, bench, new Random(useSeed));
    bench.checkEmpty();
    return undefined;
  } catch (error) {
    return { error };
  }
}

/** Tries an input; returns the stage that it came to, and the fault in that, if any. */
export async function attempt(input: Input, bench: Bench): Promise<Outcome> {
  await bench.prepare();
  start ??= peak();
  const started = process.cpuUsage();
  const refusal = await thrown(input, bench);
  const { user, system } = process.cpuUsage(started);
  const [time, memory] = [(user + system) / 1000, peak() - start];
  const stage = refusal ? (parses(input) ? "refused" : "malformed") : "read";
  const wrong = refusal && faultOf(refusal.error);
  if (wrong !== undefined) return { stage, fault: { kind: "wrong", text: wrong } };
  const [mostTime, mostMemory] = refusal ? [REFUSAL_TIME, REFUSAL_MEMORY] : [USE_TIME, USE_MEMORY];
  const costs: string[] = [];
  if (time > mostTime) costs.push(`${Math.round(time)} ms of at most ${mostTime}`);
  if (memory > mostMemory) {
    costs.push(`${Math.round(memory / MEGABYTE)} MB of at most ${Math.round(mostMemory / MEGABYTE)}`);
  }
  if (costs.length === 0) return { stage };
  const what = refusal ? `refusal (${(refusal.error as Error).message.slice(0, 200)})` : "use";
  return { stage, fault: { kind: "cost", text: `${what} took ${costs.join(" and ")}` } };
}
