import { OptionError } from "../errors.ts";
import { show } from "../options.ts";
import { Runtime } from "./runtime.ts";

/** The kernels on a memory of their own, for models. */
export class KernelEngine {
  /** Threads in use, the caller's included. */
  readonly threads!: number;
  /** The reason why there are fewer threads than `load` was asked for; undefined when there are as many. */
  readonly threadsUnavailable: string | undefined;
  /** The arithmetic of the kernels. */
  readonly math!: "exact" | "relaxed";
  /** The reason why the arithmetic is exact when `load` was asked for relaxed. */
  readonly mathUnavailable: string | undefined;
  /** The kernels and their memory, for layers and models. */
  readonly runtime: Runtime;

  /** Users call `load`. */
  constructor(runtime: Runtime) {
    Object.assign(this, runtime.capabilities);
    this.runtime = runtime;
  }

  /** Bytes of linear memory held and in use. */
  get memory(): { bytes: number; used: number } {
    const { heap } = this.runtime;
    return { bytes: heap.memory.buffer.byteLength, used: heap.allocatedBytes };
  }

  /**
   * Frees the memory and ends the threads. Sessions and models on this engine throw from then on, and the models'
   * weights go with it: `model.dispose()` or `toSafetensors()` before keeps them.
   */
  dispose(): void {
    this.runtime.dispose();
  }
}

/** The runtime of an engine that an option names. @throws OptionError naming `where` unless it is an engine, and lives */
export function checkEngine(where: string, engine: KernelEngine): Runtime {
  const runtime = engine?.runtime;
  if (!(runtime instanceof Runtime)) {
    throw new OptionError(`${where}: engine: expected what load() gives, got ${show(engine)}`);
  }
  if (runtime.disposed) {
    throw new OptionError(`${where}: engine: expected a live engine, got one that was disposed`);
  }
  return runtime;
}
