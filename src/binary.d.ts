/** `im2row/wasm`: the binary, as hosts and bundlers that import `.wasm` files compile it. For `load({ module })`. */
import type { WasmModule } from "./engine/platform.ts";

declare const module: WasmModule;
export default module;
