/**
 * `im2row/wasm`, `im2row/im2row.wasm`: the binary, for `load({ module })`; `im2row/im2row.threads.wasm` and
 * `im2row/im2row.relaxed.wasm`: those for `load({ module, threads: 2 })` and `load({ module, math: "relaxed" })`. It is a compiled module by `import source` in
 * Deno and newer Node, and by a plain import where the host or bundler makes modules of `.wasm` files, as Workers do.
 */
import type { WasmModule } from "./runtime/platform.ts";

declare const module: WasmModule;
export default module;
