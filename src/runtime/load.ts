import { checkOptions } from "../options.ts";
import { checkLimits, type Limits } from "../budget.ts";
import { compileOwn, type Binary } from "./compile.ts";
import { Heap } from "./heap.ts";
import type { Kernels } from "../kernels/kernels.ts";
import { createMemory, memoryLimit } from "./memory.ts";
import type { LinearMemory, WasmModule, WasmSource } from "./platform.ts";
import { Runtime, type Capabilities } from "./runtime.ts";

export interface LoadOptions {
  /**
   * The binary, when the package's own is not to be used: a compiled module, bytes, a response, or a promise of one.
   */
  module?: WasmSource | PromiseLike<WasmSource>;
  /**
   * Threads to use, this one included: from 1, the default, to 64, or `"auto"`: as many as there are processors, at most
   * 8. Where the host has no threads the engine runs on one, and `engine.threadsUnavailable` says why.
   */
  threads?: number | "auto";
  /**
   * `"exact"`, the default: the same bits on every machine. `"relaxed"`: a multiplication and an addition may be one
   * instruction; where the host has none the engine is exact, and `engine.mathUnavailable` says why.
   */
  math?: "exact" | "relaxed";
  /** Limit of the linear memory in bytes, at most 4 GiB. Default: 4 GiB. */
  maximumMemory?: number;
  /**
   * Bounds on what else a file or a model may make the package do: a server that takes files from others sets lower
   * ones.
   */
  limits?: Limits;
}

/** Options that ask for more than the package's exact build on one thread; not checked yet. */
export interface Request extends Readonly<Record<"module" | "threads" | "math", unknown>> {
  readonly exact: Binary;
  /** Bytes that the memory may grow to. */
  readonly limit: number;
}

/** The binaries that an entry of the package has in its host. */
export interface Package {
  readonly exact: Binary;
  /** Imports the start of threads and relaxed math, which most programs do without. */
  more(): Promise<{ start(request: Request): Promise<Runtime> }>;
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

/** Implements `load` for an entry of the package, whose kind of engine it returns. */
export async function loadEngine<Engine>(
  { exact, more }: Package,
  engine: new (runtime: Runtime) => Engine,
  options: LoadOptions = {},
): Promise<Engine> {
  const { module, threads = 1, math = "exact", maximumMemory, limits = {} } = options ?? {};
  const given = Promise.resolve(module);
  // Heard at once: a promise that fails before it is awaited would end the process.
  given.catch(() => {});
  checkOptions("load", options, ["module", "threads", "math", "maximumMemory", "limits"]);
  if (typeof WebAssembly === "undefined") {
    throw new Error("load: expected a host with WebAssembly, got one without");
  }
  const limit = memoryLimit("load", maximumMemory);
  const checked = checkLimits(limits, limit);
  const plain = module === undefined && threads === 1 && math === "exact";
  const runtime = plain
    ? await startAlone(await compileOwn(exact), limit)
    : await (
        await more()
      ).start({ exact, module: module === undefined ? undefined : given, threads, math, limit });
  runtime.limits = checked;
  return new engine(runtime);
}
