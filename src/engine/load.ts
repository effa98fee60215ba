import { MemoryError, OptionError } from "../errors.ts";
import { checkOptions, show } from "../options.ts";
import { Heap } from "./heap.ts";
import type { Kernels } from "./kernels.ts";
import type { WasmModule, WasmResponse } from "./platform.ts";
import { Runtime } from "./runtime.ts";

/** Bytes, or a module that the host compiled when it read its code. */
type Binary = WasmModule | ArrayBuffer | ArrayBufferView<ArrayBuffer>;

/** A WebAssembly binary in any of the forms that hosts hand out. A `WasmResponse` is a `Response`. */
export type WasmSource = Binary | WasmResponse;

export interface LoadOptions {
  /** The binary, when the package's own is not to be used: a compiled module, bytes, a response, or a promise of one. */
  module?: WasmSource | PromiseLike<WasmSource>;
  /** Threads to use. This build runs on one; a larger number is reported in `engine.threadsUnavailable`. */
  threads?: number | "auto";
  /** `"exact"`: the same bits on every machine. */
  math?: "exact";
  /** Limit of the linear memory in bytes, at most 4 GiB. Default: 4 GiB. */
  maximumMemory?: number;
}

/** The package's own binaries, by their arithmetic, as an entry of the package finds them in its host. */
export type Binaries = Readonly<Record<NonNullable<LoadOptions["math"]>, Binary>>;

const PAGE = 65536;
const ADDRESSABLE = 2 ** 32 - PAGE;

/** The package's binaries that were compiled, each at its first use. */
const compiled = new WeakMap<object, Promise<WebAssembly.Module>>();

function refusal(cause: unknown): Error {
  return new Error(
    `load: this host refuses to compile WebAssembly (${String(cause)}); pass an already compiled ` +
      `WebAssembly.Module as load({ module }), or allow 'wasm-unsafe-eval' in the page's content security policy`,
    { cause },
  );
}

function compileOwn(binary: Binary): Promise<WebAssembly.Module> {
  const known = compiled.get(binary);
  if (known) return known;
  const compiling = toModule(binary).catch((error: unknown) => {
    compiled.delete(binary);
    throw refusal(error);
  });
  compiled.set(binary, compiling);
  return compiling;
}

/** What has neither bytes nor a body counts as a module: one of another realm is no `instanceof` this realm's. */
async function toModule(source: WasmSource): Promise<WebAssembly.Module> {
  if ("arrayBuffer" in source) {
    if (!source.ok) throw new Error(`HTTP status ${source.status}`);
    return WebAssembly.compile(await source.arrayBuffer());
  }
  // Node 20 compiles no DataView.
  if (ArrayBuffer.isView(source)) {
    return WebAssembly.compile(
      new Uint8Array(source.buffer as ArrayBuffer, source.byteOffset, source.byteLength),
    );
  }
  return "byteLength" in source ? WebAssembly.compile(source) : source;
}

const EXPECTED_SOURCE = "expected a WebAssembly.Module, its bytes, a Response, or a promise of one";

/** Instantiates what the caller gave as `load({ module })`. @throws OptionError unless it is an im2row binary. */
async function instantiateGiven(given: LoadOptions["module"], memory: WebAssembly.Memory): Promise<Kernels> {
  const source = await given;
  if (typeof source !== "object" || source === null) {
    throw new OptionError(`load: module: ${EXPECTED_SOURCE}; got ${show(source)}`);
  }
  try {
    const kernels = await instantiate(await toModule(source), memory);
    if (typeof kernels.heapBase === "function") return kernels;
  } catch (error) {
    throw new OptionError(`load: module: ${EXPECTED_SOURCE}; got what fails with ${String(error)}`, {
      cause: error,
    });
  }
  throw new OptionError("load: module: expected the binary of im2row, got another module");
}

/** WebKit applies a content security policy here already. @throws MemoryError when the host has no room. */
function createMemory(limit: number): WebAssembly.Memory {
  try {
    return new WebAssembly.Memory({ initial: 2, maximum: Math.floor(limit / PAGE) });
  } catch (error) {
    if (!(error instanceof RangeError)) throw refusal(error);
    throw new MemoryError(`load: maximumMemory: expected room for ${limit} bytes, got ${String(error)}`, {
      cause: error,
    });
  }
}

async function instantiate(module: WebAssembly.Module, memory: WebAssembly.Memory): Promise<Kernels> {
  const { exports } = await WebAssembly.instantiate(module, { env: { memory } });
  return exports as unknown as Kernels;
}

/** The `load` of an entry of the package: `binaries` as its host finds them, and the engine that it gives. */
export function loader<Engine>(
  binaries: Binaries,
  engine: new (runtime: Runtime, threads: number | "auto") => Engine,
): (options?: LoadOptions) => Promise<Engine> {
  return async (options = {}) => new engine(await loadRuntime(binaries, options), options.threads ?? 1);
}

/** Checks the options, compiles the module if need be, and instantiates it on a memory of its own. */
async function loadRuntime(binaries: Binaries, options: LoadOptions): Promise<Runtime> {
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
  const memory = createMemory(limit);
  const kernels =
    module === undefined
      ? await instantiate(await compileOwn(binaries[math]), memory)
      : await instantiateGiven(module, memory);
  return new Runtime(kernels, new Heap(memory, kernels.heapBase(), limit));
}
