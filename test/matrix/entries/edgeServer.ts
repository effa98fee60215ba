/**
 * edge-runtime around one script, which answers one request; its lines go to the standard output.
 *
 *   node edge-server.js <script> <folder of the binaries> <path of edge-runtime>
 *
 * The context compiles neither strings nor WebAssembly, as on Vercel: the modules are compiled out here. In place of one
 * that this Node does not know the instructions of stands a function, which the context cannot compile the bytes of.
 */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const [script, folder, path] = process.argv.slice(2) as [string, string, string];
const { EdgeRuntime } = createRequire(import.meta.url)(path) as typeof import("edge-runtime");
const exact = await WebAssembly.compile(readFileSync(`${folder}/im2row.wasm`));
const bytes = readFileSync(`${folder}/im2row.relaxed.wasm`);
const relaxed = WebAssembly.validate(bytes) ? await WebAssembly.compile(bytes) : () => bytes;
const runtime = new EdgeRuntime({
  codeGeneration: { strings: false, wasm: false },
  extend: (context) => Object.assign(context, { exact, relaxed }),
  initialCode: readFileSync(script, "utf8"),
});
const response = await runtime.dispatchFetch("http://localhost/");
const text = await response.text();
if (response.status !== 200) throw new Error(`expected status 200, got ${response.status}: ${text}`);
console.log(text);
