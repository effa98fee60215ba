import type { WasmModule } from "./platform.ts";

/** A binary of the package: a module that the host compiled with the code, or a function that returns its bytes. */
export type Binary = WasmModule | (() => Uint8Array);

/** Whether a binary is there as bytes, which this host is to compile. */
export function isBytes(binary: Binary): binary is () => Uint8Array {
  return typeof binary === "function";
}

/** The binaries that were compiled, each at its first use. */
const compiled = new WeakMap<Binary, Promise<WasmModule>>();

/** The shortest module: magic number and version. */
const SHORTEST = Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0);

/** Whether the fault lies with the host, which compiles nothing, rather than with the binary. */
export function compilesNothing(): Promise<boolean> {
  return WebAssembly.compile(SHORTEST).then(
    () => false,
    () => true,
  );
}

/** The error of a host that compiles no WebAssembly. */
export function refusal(cause: unknown): Error {
  return new Error(
    `load: this host refuses to compile WebAssembly (${String(cause)}); pass an already compiled ` +
      `WebAssembly.Module as load({ module }), or allow 'wasm-unsafe-eval' in the page's content security policy`,
    { cause },
  );
}

/** Takes note that a binary was compiled elsewhere. */
export function rememberCompiled(binary: Binary, module: WasmModule): void {
  compiled.set(binary, Promise.resolve(module));
}

/** Compiles a binary of the package, once. */
export async function compileOwn(binary: Binary): Promise<WasmModule> {
  if (!isBytes(binary)) return binary;
  const known = compiled.get(binary);
  if (known) return known;
  const compiling = WebAssembly.compile(binary() as BufferSource).catch(async (error: unknown) => {
    compiled.delete(binary);
    if (await compilesNothing()) throw refusal(error);
    throw new Error(
      `load: expected a host whose WebAssembly has vector instructions (SIMD), got one that fails with ${String(error)}`,
      { cause: error },
    );
  });
  compiled.set(binary, compiling);
  return compiling;
}
