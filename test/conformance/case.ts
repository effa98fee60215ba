/** A case of the suite, and what its host hands it. */
import type { Engine, LoadOptions } from "im2row";

export interface Context {
  /** `load` of the package: a host that must hand in a module does so here, unless the case gives one. */
  load(options?: LoadOptions): Promise<Engine>;
  /** An engine shared by the cases. */
  engine: Engine;
  /** Safetensors files of test/goldens by name. */
  goldens: Readonly<Record<"lenet5" | "strided" | "hourglass" | "normalized" | "rearranged", Uint8Array>>;
}

export interface Case {
  readonly name: string;
  run(context: Context): void | Promise<void>;
}
