/**
 * `im2row/wasm`, `im2row/im2row.wasm`: the binary, for `load({ module })`, and `im2row/im2row.relaxed.wasm`, for
 * `load({ module, math: relaxed })`. It is a compiled module by `import source` in Deno and newer Node, and by a plain
 * import where the host or bundler makes modules of `.wasm` files, as Workers do.
 */
import type { WasmModule } from "./runtime/platform.ts";

declare const module: WasmModule;
export default module;
