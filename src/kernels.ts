/**
 * `im2row/kernels`: the bare kernels, for those who bring their own layers. The binary, instantiated by
 * `@assemblyscript/loader`, its typed table, and a memory to put operands into; docs/kernels.md tells how to call them.
 */
import { instantiate } from "@assemblyscript/loader";
import exact from "../build/wasm.js";
import { MemoryError, OptionError } from "./errors.ts";
import { WINDOW_SIZE, writeWindow, type Kernels, type Window } from "./kernels/kernels.ts";
import { resolveWindow, SLIDING, type WindowOptions } from "./kernels/window.ts";
import { checkOptions, isTyped, readOptions } from "./options.ts";
import { compileOwn } from "./runtime/compile.ts";
import { createMemory, memoryLimit } from "./runtime/memory.ts";
import { compileSupplied } from "./runtime/suppliedModule.ts";
import type { LinearMemory, WasmSource } from "./runtime/platform.ts";
import type { Shape } from "./tensor.ts";

export * from "../build/kernels.ts";
export { MemoryError, OptionError, ShapeError } from "./errors.ts";
export type { Padding, WindowOptions } from "./kernels/window.ts";
export type { Size } from "./options.ts";
export type { LinearMemory, WasmModule, WasmResponse, WasmSource } from "./runtime/platform.ts";
export type { Shape } from "./tensor.ts";

export interface LoadKernelsOptions {
  /**
   * The binary, when the package's own is not to be used: a compiled module, bytes, a response, or a promise of one.
   */
  module?: WasmSource | PromiseLike<WasmSource> | undefined;
  /** Limit of the linear memory in bytes, at most 4 GiB. Default: 4 GiB. */
  maximumMemory?: number | undefined;
}

const PAGE = 65536;
/** Blocks start at cache lines. */
const ALIGNMENT = 64;
/** Vector loads may read up to one vector past a buffer; the memory ends later than that. */
const SLACK = 64;

/** The kernels on a memory of their own, in which blocks are allocated one behind the other and released together. */
export class KernelInstance {
  /** The exports of the binary, which are called with addresses in `memory`. */
  readonly kernels: Kernels;
  /** The linear memory. Its buffer is another one after it has grown: views are made anew after each allocation. */
  readonly memory: LinearMemory;
  readonly #limit: number;
  #top: number;

  /** Users call `loadKernels`. */
  constructor(kernels: Kernels, memory: LinearMemory, limit: number) {
    this.kernels = kernels;
    this.memory = memory;
    this.#limit = limit;
    this.#top = alignUp(kernels.heapBase());
  }

  /** The address of a new block of `bytes` bytes, 64-byte aligned. Its content is undefined. @throws MemoryError */
  allocate(bytes: number): number {
    const start = this.#top;
    const end = start + alignUp(bytes);
    const missing = end + SLACK - this.memory.buffer.byteLength;
    if (!(bytes >= 0 && end + SLACK <= this.#limit) || (missing > 0 && !this.#grow(missing))) {
      throw new MemoryError(
        `allocate: expected room for ${bytes} bytes, got a memory of at most ${this.#limit} bytes with ${start} in use`,
      );
    }
    this.#top = end;
    return start;
  }

  #grow(bytes: number): boolean {
    try {
      this.memory.grow(Math.ceil(bytes / PAGE));
      return true;
    } catch {
      return false;
    }
  }

  /** The address at which the next block starts, for `release`. */
  mark(): number {
    return this.#top;
  }

  /** Releases every block that was allocated after `mark` told this address. */
  release(mark: number): void {
    this.#top = mark;
  }

  /** A new block of `count` float32 or int32, as a workspace is counted. @throws MemoryError */
  allocateFloats(count: number): number {
    return this.allocate(4 * count);
  }

  /** A new block with a copy of the data. @throws MemoryError */
  put(data: Float32Array | Int32Array): number {
    const pointer = this.allocate(data.byteLength);
    this.write(pointer, data);
    return pointer;
  }

  /** Copies data to an address. */
  write(pointer: number, data: Float32Array | Int32Array): void {
    const View = isTyped(data, Int32Array) ? Int32Array : Float32Array;
    new View(this.memory.buffer, pointer, data.length).set(data);
  }

  /** A copy of `count` float32 at an address. */
  floats(pointer: number, count: number): Float32Array<ArrayBuffer> {
    return new Float32Array(this.memory.buffer, pointer, count).slice();
  }

  /** A copy of `count` int32 at an address. */
  ints(pointer: number, count: number): Int32Array<ArrayBuffer> {
    return new Int32Array(this.memory.buffer, pointer, count).slice();
  }

  /** The float64 at an address, as a loss is. */
  double(pointer: number): number {
    return new DataView(this.memory.buffer).getFloat64(pointer, true);
  }

  /** A new block with the struct of a window. @throws MemoryError */
  window(window: Window): number {
    const pointer = this.allocate(4 * WINDOW_SIZE);
    writeWindow(new Int32Array(this.memory.buffer), pointer, window);
    return pointer;
  }
}

function alignUp(bytes: number): number {
  return Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;
}

/**
 * The geometry of a window that slides over an image `[h, w, c]`: `kernelSize`, `strides`, `padding` and `dilationRate` as
 * the layers have them. @throws OptionError, ShapeError
 */
export function slidingWindow(image: Shape, options: WindowOptions): Window {
  return resolveWindow("slidingWindow", image, readOptions("slidingWindow", options, SLIDING, []));
}

/**
 * Instantiates the kernels, on one thread.
 * @throws OptionError; MemoryError; Error when the host refuses to compile WebAssembly.
 */
export async function loadKernels(options: LoadKernelsOptions = {}): Promise<KernelInstance> {
  checkOptions("loadKernels", options, ["module", "maximumMemory"]);
  const limit = memoryLimit("loadKernels", options.maximumMemory);
  const memory = createMemory("loadKernels", limit);
  const { module: supplied } = options;
  const binary = supplied === undefined ? exact : (await compileSupplied(supplied)).binary;
  const module = await compileOwn(binary);
  if (!(module instanceof WebAssembly.Module)) {
    throw new OptionError(
      "loadKernels: module: expected a WebAssembly.Module of this realm, as its loader does, got one of another",
    );
  }
  const { instance } = await instantiate(module, { env: { memory } });
  // The table is of the exports themselves: the loader's own are wrapped, and take a list of arguments at each call.
  return new KernelInstance(instance.exports as unknown as Kernels, memory as LinearMemory, limit);
}
