import type { Heap } from "./heap.ts";
import type { Kernels } from "./kernels.ts";

/** What everything above the engine works with: the kernels and the memory they work on. */
export class Runtime {
  #live: { readonly kernels: Kernels; readonly heap: Heap } | undefined;

  constructor(kernels: Kernels, heap: Heap) {
    this.#live = { kernels, heap };
  }

  /** The module's exports. @throws Error after `dispose`. */
  get kernels(): Kernels {
    return this.#require().kernels;
  }

  /** The memory. @throws Error after `dispose`. */
  get heap(): Heap {
    return this.#require().heap;
  }

  get disposed(): boolean {
    return this.#live === undefined;
  }

  /** Lets go of the kernels and their memory, which the garbage collector then takes. */
  dispose(): void {
    this.#live = undefined;
  }

  #require(): { readonly kernels: Kernels; readonly heap: Heap } {
    if (!this.#live) throw new Error("engine: expected a live engine, got one that was disposed");
    return this.#live;
  }
}
