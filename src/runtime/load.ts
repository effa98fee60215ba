import { OptionError } from "../errors.ts";
import { checkOptions, show } from "../options.ts";
import { checkLimits, type Limits } from "../budget.ts";
import { compileOwn, type Binary } from "./compile.ts";
import { Heap } from "./heap.ts";
import type { Kernels } from "../kernels/kernels.ts";
import { createMemory, memoryLimit } from "./memory.ts";
import type { LinearMemory, WasmModule, WasmSource } from "./platform.ts";
import { checkMath, relaxedFault, type RelaxedMath } from "./relaxed.ts";
import { Runtime, type Capabilities } from "./runtime.ts";
import { compileSupplied, type Supplied } from "./suppliedModule.ts";
import { startThreads } from "./threads/start.ts";

export interface LoadOptions {
  /**
   * The binary, when the package's own is not to be used: a compiled module, bytes, a response, or a promise of one.
   */
  module?: WasmSource | PromiseLike<WasmSource> | undefined;
  /**
   * Threads to use, this one included: from 1, the default, to 64, or `"auto"`: as many as there are processors, at most
   * 8. Where the host has no threads the engine runs on one, and `engine.threadsUnavailable` says why.
   */
  threads?: number | "auto" | undefined;
  /**
   * `"exact"`, the default: the same bits on every machine. The default export of `im2row/relaxed`: a multiplication and an
   * addition may be one instruction; where the host has none the engine is exact, and `engine.mathUnavailable` says why.
   */
  math?: "exact" | RelaxedMath | undefined;
  /** Limit of the linear memory in bytes, at most 4 GiB. Default: 4 GiB. */
  maximumMemory?: number | undefined;
  /**
   * Bounds on what else a file or a model may make the package do: a server that takes files from others sets lower
   * ones.
   */
  limits?: Limits | undefined;
}

/**
 * The largest number of threads. More would be a mistake: each takes an instance and a stack, and all wait for the
 * slowest.
 */
const MOST_THREADS = 64;

/** @throws OptionError */
function checkThreads(threads: unknown): number | "auto" {
  if (threads === "auto") return threads;
  if (Number.isInteger(threads) && (threads as number) >= 1 && (threads as number) <= MOST_THREADS) {
    return threads as number;
  }
  throw new OptionError(
    `load: threads: expected an integer from 1 to ${MOST_THREADS} or "auto", got ${show(threads)}`,
  );
}

/** A runtime on one thread. */
export async function startAlone(
  module: WasmModule,
  limit: number,
  capabilities?: Capabilities,
): Promise<Runtime> {
  const memory = createMemory("load", limit);
  const kernels = (await WebAssembly.instantiate(module, { env: { memory } })).exports as unknown as Kernels;
  return new Runtime(
    { kernels, heap: new Heap(memory as LinearMemory, kernels.heapBase(), limit) },
    capabilities,
  );
}

/** The binary to run, and its math. */
interface Choice {
  readonly binary: Binary;
  readonly math: Omit<Capabilities, "threads">;
}

/** Chooses the build for the math that is asked for, as far as this host runs it. @throws OptionError */
async function choose(
  exact: Binary,
  relaxed: Binary | undefined,
  supplied: Supplied | undefined,
): Promise<Choice> {
  const wanted = relaxed ? "im2row.relaxed.wasm" : "im2row.wasm";
  if (supplied && supplied.file !== wanted) {
    throw new OptionError(`load: module: expected ${wanted} for this math, got ${supplied.file}`);
  }
  if (!relaxed) return { binary: supplied?.binary ?? exact, math: { math: "exact" } };
  const mathUnavailable = await relaxedFault(supplied?.binary ?? relaxed);
  if (mathUnavailable === undefined)
    return { binary: supplied?.binary ?? relaxed, math: { math: "relaxed" } };
  return { binary: exact, math: { math: "exact", mathUnavailable } };
}

/** Implements `load` for an entry of the package with its exact build, whose kind of engine it returns. */
export async function loadEngine<Engine>(
  exact: Binary,
  engine: new (runtime: Runtime) => Engine,
  options: LoadOptions = {},
): Promise<Engine> {
  const { module, threads = 1, math = "exact", maximumMemory, limits = {} } = options ?? {};
  const source = Promise.resolve(module);
  // Heard at once: a promise that fails before it is awaited would end the process.
  source.catch(() => {});
  checkOptions("load", options, ["module", "threads", "math", "maximumMemory", "limits"]);
  if (typeof WebAssembly === "undefined") {
    throw new Error("load: expected a host with WebAssembly, got one without");
  }
  const limit = memoryLimit("load", maximumMemory);
  const checked = checkLimits(limits, limit);
  const [wanted, relaxed] = [checkThreads(threads), checkMath(math)];
  const choice = await choose(
    exact,
    relaxed,
    module === undefined ? undefined : await compileSupplied(source),
  );
  const runtime = await startRuntime(choice, wanted, limit);
  runtime.limits = checked;
  return new engine(runtime);
}

async function startRuntime(
  { binary, math }: Choice,
  threads: number | "auto",
  limit: number,
): Promise<Runtime> {
  const team = threads === 1 ? undefined : await startThreads({ threads, binary, limit, math });
  if (typeof team === "object") return team;
  return startAlone(await compileOwn(binary), limit, { ...math, threads: 1, threadsUnavailable: team });
}
