import type { Heap } from "./heap.ts";
import type { Kernels } from "./kernels.ts";

/** What everything above the engine works with: the kernels and the memory they work on. */
export class Runtime {
  readonly #kernels: Kernels;
  readonly #heap: Heap;
  #disposed = false;

  constructor(kernels: Kernels, heap: Heap) {
    this.#kernels = kernels;
    this.#heap = heap;
  }

  /** The module's exports. @throws Error after `dispose`. */
  get kernels(): Kernels {
    this.#check();
    return this.#kernels;
  }

  /** The memory. @throws Error after `dispose`. */
  get heap(): Heap {
    this.#check();
    return this.#heap;
  }

  get disposed(): boolean {
    return this.#disposed;
  }

  dispose(): void {
    this.#disposed = true;
  }

  #check(): void {
    if (this.#disposed) throw new Error("engine: expected a live engine, got one that was disposed");
  }
}
