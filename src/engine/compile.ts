import type { WasmModule } from "./platform.ts";

/** A binary of the package: a module that the host compiled with the code, or what gives its bytes. */
export type Binary = WasmModule | (() => Uint8Array);

/** The package's binaries that were compiled, each at its first use. */
const compiled = new WeakMap<Binary, Promise<WasmModule>>();

/** The error of a host that compiles no WebAssembly. */
export function refusal(cause: unknown): Error {
  return new Error(
    `load: this host refuses to compile WebAssembly (${String(cause)}); pass an already compiled ` +
      `WebAssembly.Module as load({ module }), or allow 'wasm-unsafe-eval' in the page's content security policy`,
    { cause },
  );
}

/** Compiles a binary of the package, once. */
export async function compileOwn(binary: Binary): Promise<WasmModule> {
  if (typeof binary !== "function") return binary;
  const known = compiled.get(binary);
  if (known) return known;
  const compiling = WebAssembly.compile(binary() as BufferSource).catch((error: unknown) => {
    compiled.delete(binary);
    throw refusal(error);
  });
  compiled.set(binary, compiling);
  return compiling;
}
