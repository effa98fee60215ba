/**
 * Hosts that compile WebAssembly have further binaries beside the exact one, which are loaded when they are asked for.
 */
import type { Request } from "../runtime/load.ts";
import { startMore } from "../runtime/variants.ts";
import type { Runtime } from "../runtime/runtime.ts";

export function start(request: Request): Promise<Runtime> {
  return startMore(request, {
    relaxed: async () => (await import("../runtime/relaxed.ts")).compileRelaxed(),
    threads: async (wanted) => (await import("../runtime/threads/start.ts")).startThreads(wanted),
  });
}
