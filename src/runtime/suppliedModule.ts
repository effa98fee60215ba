/** The module of `load({ module })`. */
import { OptionError } from "../errors.ts";
import { show } from "../options.ts";
import { compilesNothing, refusal, rememberCompiled, type Binary } from "./compile.ts";
import type { WasmSource } from "./platform.ts";

/** The package's binaries, by their names in `dist/`. */
export type File = "im2row.wasm" | "im2row.relaxed.wasm";

export interface Supplied {
  readonly binary: Binary;
  /** The file that it is of. */
  readonly file: File;
}

/** The bytes of what is no compiled module: copies, which nobody else can change. */
async function bytesOf(source: WasmSource): Promise<Uint8Array<ArrayBuffer> | undefined> {
  if ("arrayBuffer" in source) {
    if ("ok" in source && !source.ok) throw new Error(`HTTP status ${source.status}`);
    return new Uint8Array(await source.arrayBuffer());
  }
  if (ArrayBuffer.isView(source)) {
    return new Uint8Array(source.buffer as ArrayBuffer, source.byteOffset, source.byteLength).slice();
  }
  return "byteLength" in source ? new Uint8Array(source).slice() : undefined;
}

const EXPECTED_SOURCE = "expected a WebAssembly.Module, its bytes, a Response, or a promise of one";

/** The builds differ in what they export. */
function fileOf(module: WebAssembly.Module): File | undefined {
  const names = WebAssembly.Module.exports(module).map(({ name }) => name);
  if (!names.includes("heapBase")) return undefined;
  if (names.includes("relaxedMath")) return "im2row.relaxed.wasm";
  return "im2row.wasm";
}

/**
 * Compiles the binary that the caller supplied. An object that has neither bytes nor a body counts as a module, since a
 * module of another realm is no `instanceof` this realm's.
 * @throws OptionError unless it is a binary of im2row.
 */
export async function compileSupplied(source: unknown): Promise<Supplied> {
  const given = (await source) as WasmSource | null;
  if (typeof given !== "object" || given === null) {
    throw new OptionError(`load: module: ${EXPECTED_SOURCE}; got ${show(given)}`);
  }
  let bytes: Uint8Array<ArrayBuffer> | undefined;
  let module: WebAssembly.Module;
  let file: File | undefined;
  try {
    bytes = await bytesOf(given);
    module = bytes ? await WebAssembly.compile(bytes) : (given as WebAssembly.Module);
    file = fileOf(module);
  } catch (error) {
    if (bytes && (await compilesNothing())) throw refusal(error);
    throw new OptionError(`load: module: ${EXPECTED_SOURCE}; got what fails with ${String(error)}`, {
      cause: error,
    });
  }
  if (!file) throw new OptionError("load: module: expected the binary of im2row, got another module");
  const own = bytes;
  const binary = own ? () => own : module;
  rememberCompiled(binary, module);
  return { binary, file };
}
