import { MemoryError, OptionError } from "../errors.ts";
import { checkOptions, show } from "../options.ts";
import { Heap } from "./heap.ts";
import type { Kernels } from "./kernels.ts";
import type { LinearMemory, WasmModule, WasmResponse } from "./platform.ts";
import { Runtime } from "./runtime.ts";

/** A WebAssembly binary in any of the forms that hosts hand out. A `WasmResponse` is a `Response`. */
export type WasmSource = WasmModule | ArrayBuffer | ArrayBufferView | WasmResponse;

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

/** A binary of the package: a module that the host compiled with the code, or what gives its bytes. */
type Binary = WasmModule | (() => Uint8Array);

/** The package's own binaries, by their arithmetic, as an entry of the package finds them in its host. */
export type Binaries = Readonly<Record<NonNullable<LoadOptions["math"]>, Binary>>;

const PAGE = 65536;
const ADDRESSABLE = 2 ** 32 - PAGE;

/** The package's binaries that were compiled, each at its first use. */
const compiled = new WeakMap<Binary, Promise<WebAssembly.Module>>();

function refusal(cause: unknown): Error {
  return new Error(
    `load: this host refuses to compile WebAssembly (${String(cause)}); pass an already compiled ` +
      `WebAssembly.Module as load({ module }), or allow 'wasm-unsafe-eval' in the page's content security policy`,
    { cause },
  );
}

async function compileOwn(binary: Binary): Promise<WebAssembly.Module> {
  if (typeof binary !== "function") return binary;
  const known = compiled.get(binary);
  if (known) return known;
  const compiling = WebAssembly.compile(binary() as BufferSource).catch((error: unknown) => {
    compiled.delete(binary);
    throw refusal(error);
  });
  compiled.set(binary, compiling);
  return compiling;
}

/** The bytes of what is no compiled module. */
async function bytesOf(source: WasmSource): Promise<Uint8Array<ArrayBuffer> | undefined> {
  if ("arrayBuffer" in source) {
    if ("ok" in source && !source.ok) throw new Error(`HTTP status ${source.status}`);
    return new Uint8Array(await source.arrayBuffer());
  }
  if (ArrayBuffer.isView(source)) {
    return new Uint8Array(source.buffer as ArrayBuffer, source.byteOffset, source.byteLength);
  }
  return "byteLength" in source ? new Uint8Array(source) : undefined;
}

/** Compiles bytes of the caller's. */
async function compileGiven(bytes: Uint8Array<ArrayBuffer>): Promise<WebAssembly.Module> {
  try {
    return await WebAssembly.compile(bytes);
  } catch (error) {
    // Is it the host or the bytes? The shortest module, magic number and version, tells.
    await WebAssembly.compile(Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0)).catch(() => {
      throw refusal(error);
    });
    throw unfit(error);
  }
}

const EXPECTED_SOURCE = "expected a WebAssembly.Module, its bytes, a Response, or a promise of one";

function unfit(cause: unknown): OptionError {
  return new OptionError(`load: module: ${EXPECTED_SOURCE}; got what fails with ${String(cause)}`, { cause });
}

/**
 * Instantiates what the caller gave as `load({ module })`. What has neither bytes nor a body counts as a module: one of
 * another realm is no `instanceof` this realm's.
 * @throws OptionError unless it is an im2row binary.
 */
async function instantiateGiven(given: LoadOptions["module"], memory: WebAssembly.Memory): Promise<Kernels> {
  const source = await given;
  if (typeof source !== "object" || source === null) {
    throw new OptionError(`load: module: ${EXPECTED_SOURCE}; got ${show(source)}`);
  }
  const bytes = await bytesOf(source).catch((error: unknown) => {
    throw unfit(error);
  });
  const module = bytes ? await compileGiven(bytes) : (source as WebAssembly.Module);
  const kernels = await instantiate(module, memory).catch((error: unknown) => {
    throw unfit(error);
  });
  if (typeof kernels.heapBase === "function") return kernels;
  throw new OptionError("load: module: expected the binary of im2row, got another module");
}

async function instantiate(module: WebAssembly.Module, memory: WebAssembly.Memory): Promise<Kernels> {
  const { exports } = await WebAssembly.instantiate(module, { env: { memory } });
  return exports as unknown as Kernels;
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

/** `load` for an entry of the package: its binaries, as its host finds them, and the engine that it gives. */
export async function loadEngine<Engine>(
  binaries: Binaries,
  engine: new (runtime: Runtime, threads: number | "auto") => Engine,
  options: LoadOptions = {},
): Promise<Engine> {
  return new engine(await loadRuntime(binaries, options), options.threads ?? 1);
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
  return new Runtime(kernels, new Heap(memory as LinearMemory, kernels.heapBase(), limit));
}
