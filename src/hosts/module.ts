/** What hosts that compile WebAssembly have beyond the exact build: binaries that are loaded when they are asked for. */
import type { Request } from "../engine/load.ts";
import { startMore } from "../engine/more.ts";
import type { Runtime } from "../engine/runtime.ts";

export function start(request: Request): Promise<Runtime> {
  return startMore(request, {
    relaxed: async () => (await import("../engine/relaxed.ts")).compileRelaxed(),
    threads: async (wanted) => (await import("../engine/threads/start.ts")).startThreads(wanted),
  });
}
