import { DEFAULT_LIMITS, type AllLimits } from "../budget.ts";
import type { Heap } from "./heap.ts";
import type { Kernels } from "../kernels/kernels.ts";

/** The threads and the math that an engine runs with, and the reasons why they are less than `load` was asked for. */
export interface Capabilities {
  readonly threads: number;
  readonly threadsUnavailable?: string | undefined;
  readonly math: "exact" | "relaxed";
  readonly mathUnavailable?: string | undefined;
}

interface Live {
  readonly kernels: Kernels;
  readonly heap: Heap;
  /** Ends what works for the kernels besides this thread. */
  end?(): void;
}

/** The kernels and the memory they work on, which everything above the engine uses. */
export class Runtime {
  readonly capabilities: Capabilities;
  /** Called when the runtime is disposed of, before anything is taken away. */
  readonly leaving: Set<() => void> = new Set();
  /** Bounds on what files and models may make the package do, as passed to `load`. */
  limits: AllLimits = DEFAULT_LIMITS;
  #live: Live | undefined;

  constructor(live: Live, capabilities: Capabilities = { threads: 1, math: "exact" }) {
    this.#live = live;
    this.capabilities = capabilities;
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

  /** Lets go of the kernels and their memory, which the garbage collector then takes, and ends the threads. */
  dispose(): void {
    for (const leave of this.leaving) leave();
    this.leaving.clear();
    this.#live?.end?.();
    this.#live = undefined;
  }

  #require(): Live {
    if (!this.#live) throw new Error("engine: expected a live engine, got one that was disposed");
    return this.#live;
  }
}
