import { instantiate } from "@assemblyscript/loader";
import embedded from "#wasm";
import { OptionError } from "../errors.ts";
import { checkOptions, show } from "../options.ts";
import { Heap } from "./heap.ts";
import type { Kernels } from "./kernels.ts";
import { Runtime } from "./runtime.ts";

/** A WebAssembly binary in any of the forms that hosts hand out. */
export type WasmSource = WebAssembly.Module | BufferSource | Response;

export interface LoadOptions {
  /** The binary, when the embedded one is not to be used: a compiled module, bytes, a response, or a promise of one. */
  module?: WasmSource | PromiseLike<WasmSource>;
  /** Threads to use. This build runs on one; a larger number is reported in `engine.threadsUnavailable`. */
  threads?: number | "auto";
  /** `"exact"`: the same bits on every machine. */
  math?: "exact";
  /** Limit of the linear memory in bytes, at most 4 GiB. Default: 4 GiB. */
  maximumMemory?: number;
}

const PAGE = 65536;
const ADDRESSABLE = 2 ** 32 - PAGE;

/** The embedded binary, compiled at its first use and then shared. */
let compiled: Promise<WebAssembly.Module> | undefined;

function compileEmbedded(): Promise<WebAssembly.Module> {
  compiled ??= WebAssembly.compile(embedded).catch((error: unknown) => {
    compiled = undefined;
    throw new Error(
      `load: this host refuses to compile WebAssembly (${String(error)}); ` +
        `pass an already compiled WebAssembly.Module as load({ module })`,
      { cause: error },
    );
  });
  return compiled;
}

const EXPECTED_SOURCE = "expected a WebAssembly.Module, its bytes, a Response, or a promise of one";

/** Instantiates what the caller gave as `load({ module })`. @throws OptionError unless it is an im2row binary. */
async function instantiateGiven(given: LoadOptions["module"], memory: WebAssembly.Memory): Promise<Kernels> {
  const source = await given;
  if (typeof source !== "object" || source === null) {
    throw new OptionError(`load: module: ${EXPECTED_SOURCE}; got ${show(source)}`);
  }
  try {
    const kernels = await instantiateOn(source, memory);
    if (typeof kernels.heapBase === "function") return kernels;
  } catch (error) {
    throw new OptionError(`load: module: ${EXPECTED_SOURCE}; got what fails with ${String(error)}`, {
      cause: error,
    });
  }
  throw new OptionError("load: module: expected the binary of im2row, got another module");
}

async function instantiateOn(source: WasmSource, memory: WebAssembly.Memory): Promise<Kernels> {
  // The loader takes all of these; its types name only some.
  const { exports } = await instantiate(source as WebAssembly.Module, { env: { memory } });
  return exports as unknown as Kernels;
}

/** Checks the options, compiles the module if need be, and instantiates it on a memory of its own. */
export async function loadRuntime(options: LoadOptions): Promise<Runtime> {
  checkOptions("load", options, ["module", "threads", "math", "maximumMemory"]);
  const { module, math = "exact", threads = 1, maximumMemory = ADDRESSABLE } = options;
  if (math !== "exact") {
    throw new OptionError(
      `load: math: expected "exact", the only arithmetic of this build, got ${show(math)}`,
    );
  }
  if (threads !== "auto" && !(Number.isInteger(threads) && threads >= 1)) {
    throw new OptionError(`load: threads: expected a positive integer or "auto", got ${show(threads)}`);
  }
  if (!(Number.isInteger(maximumMemory) && maximumMemory >= 2 * PAGE && maximumMemory <= 2 ** 32)) {
    throw new OptionError(
      `load: maximumMemory: expected bytes from ${2 * PAGE} to ${2 ** 32}, got ${show(maximumMemory)}`,
    );
  }
  const limit = Math.min(maximumMemory, ADDRESSABLE);
  const memory = new WebAssembly.Memory({ initial: 2, maximum: Math.floor(limit / PAGE) });
  const kernels =
    module === undefined
      ? await instantiateOn(await compileEmbedded(), memory)
      : await instantiateGiven(module, memory);
  return new Runtime(kernels, new Heap(memory, kernels.heapBase(), limit));
}
