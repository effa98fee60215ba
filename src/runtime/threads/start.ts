import { SPLIT } from "../../../build/work.ts";
import { compileOwn, isBytes, type Binary } from "../compile.ts";
import { Heap } from "../heap.ts";
import type { Kernels } from "../../kernels/kernels.ts";
import type { LinearMemory } from "../platform.ts";
import { Runtime, type Capabilities } from "../runtime.ts";
import { CONTROL_BYTES } from "./control.ts";
import { onSharedMemory } from "./sharedMemory.ts";
import { WorkerPool } from "./pool.ts";
import { Team, type AnyKernels } from "./team.ts";
import { findWorkers, processors, type Spawn } from "./workers.ts";

export interface ThreadsRequest {
  readonly threads: number | "auto";
  readonly binary: Binary;
  /** Bytes that the memory may grow to. */
  readonly limit: number;
  readonly math: Omit<Capabilities, "threads">;
}

/** The binaries as they take shared memory, by those that they are made from. */
const shared = new WeakMap<Binary, Binary>();

function sharedBinary(binary: () => Uint8Array): Binary {
  const known = shared.get(binary);
  if (known) return known;
  const made = (): Uint8Array => onSharedMemory(binary());
  shared.set(binary, made);
  return made;
}

/** The work from which a kernel is split, about 20 µs, and the milliseconds that workers may take to begin; for tests. */
export const tuning = { minWork: 400_000, timeout: 10_000 };

/** `threads: "auto"` takes no more: small nets gain nothing by them, and the machine has other things to do. */
const MOST_AUTOMATIC = 8;
const PAGE = 65536;

function unshared(): string {
  const { crossOriginIsolated } = globalThis as { crossOriginIsolated?: boolean };
  if (crossOriginIsolated !== false) return "this host has no SharedArrayBuffer";
  return (
    "this page is not cross-origin isolated: it has to come with the headers " +
    "Cross-Origin-Opener-Policy: same-origin and Cross-Origin-Embedder-Policy: require-corp"
  );
}

type Instance = AnyKernels & Pick<Kernels, "heapBase" | "joinThreads">;

async function instantiate(module: WebAssembly.Module, memory: WebAssembly.Memory): Promise<Instance> {
  return (await WebAssembly.instantiate(module, { env: { memory } })).exports as Instance;
}

/** Hosts may set the most aside at once, so that they refuse here what they would not refuse an unshared memory. */
function createMemory(limit: number): WebAssembly.Memory | string {
  try {
    return new WebAssembly.Memory({ initial: 2, maximum: Math.floor(limit / PAGE), shared: true });
  } catch (error) {
    return (
      `this host makes no shared memory that may grow to ${limit} bytes (${String(error)}); ` +
      "load({ maximumMemory }) sets a smaller limit"
    );
  }
}

/** Why there are no threads here, or how the host starts workers and how many threads there will be. */
function prepare(threads: number | "auto"): string | { spawn: Spawn; shares: number } {
  if (typeof SharedArrayBuffer === "undefined") return unshared();
  const spawn = findWorkers();
  if (typeof spawn === "string") return spawn;
  const shares = threads === "auto" ? Math.min(processors(), MOST_AUTOMATIC) : threads;
  return shares > 1 ? { spawn, shares } : "this machine has one processor";
}

/**
 * Two instances of this thread's own on the one memory, one in each worker, and the team that they are; or why there are no
 * threads.
 */
export async function startThreads(request: ThreadsRequest): Promise<Runtime | string> {
  const { binary, limit, math } = request;
  if (!isBytes(binary)) {
    return "the binary is a module that was compiled for memory of one thread; threads take its bytes";
  }
  const prepared = prepare(request.threads);
  if (typeof prepared === "string") return prepared;
  const memory = createMemory(limit);
  if (typeof memory === "string") return memory;
  const { spawn, shares } = prepared;
  const module = await compileOwn(sharedBinary(binary));
  const [solo, own] = [await instantiate(module, memory), await instantiate(module, memory)];
  own.joinThreads(0, shares);
  const control = new SharedArrayBuffer(CONTROL_BYTES);
  const names = Object.keys(SPLIT);
  const pool = new WorkerPool();
  const init = { module, memory, control, shares, names };
  const failure = await pool.startWorkers(spawn, init, tuning.timeout);
  if (failure !== undefined) return failure;
  const heap = new Heap(memory as unknown as LinearMemory, solo.heapBase(), limit);
  const team = new Team({ solo, own, heap, control, shares, names, minWork: tuning.minWork });
  pool.onLoss = (reason) => team.lose(reason);
  const end = (): void => {
    team.stop();
    pool.end();
  };
  const live = { kernels: team.kernels as unknown as Kernels, heap, end };
  return new Runtime(live, { ...math, threads: shares });
}
