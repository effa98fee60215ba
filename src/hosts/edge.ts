/** Replaces `module.ts` in hosts that compile no WebAssembly and have no threads. */
import type { Request } from "../runtime/load.ts";
import { startMore } from "../runtime/variants.ts";
import type { Runtime } from "../runtime/runtime.ts";

export function start(request: Request): Promise<Runtime> {
  return startMore(request, {
    relaxed: async () =>
      "this host compiles no WebAssembly; it takes im2row/im2row.relaxed.wasm, imported, as load({ module })",
    threads: async () => "this host has no threads",
  });
}
