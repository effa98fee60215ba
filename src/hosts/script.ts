/** Replaces `module.ts` in the classic script, which is one file with one binary. */
import type { Request } from "../runtime/load.ts";
import { startMore } from "../runtime/variants.ts";
import type { Runtime } from "../runtime/runtime.ts";

export function start(request: Request): Promise<Runtime> {
  return startMore(request, {
    relaxed: async () =>
      "the classic script has the exact build alone; it takes im2row.relaxed.wasm as load({ module })",
    threads: async () => "the classic script has no threads; the module has",
  });
}
