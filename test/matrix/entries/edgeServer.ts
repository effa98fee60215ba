/**
 * edge-runtime around one script, which answers one request; its lines go to the standard output.
 *
 *   node edge-server.js <script> <binary>
 *
 * The context compiles neither strings nor WebAssembly, as on Vercel: the module is compiled out here.
 */
import { readFileSync } from "node:fs";
import { EdgeRuntime } from "edge-runtime";

const [script, binary] = process.argv.slice(2) as [string, string];
const module = await WebAssembly.compile(readFileSync(binary));
const runtime = new EdgeRuntime({
  codeGeneration: { strings: false, wasm: false },
  extend: (context) => Object.assign(context, { binary: module }),
  initialCode: readFileSync(script, "utf8"),
});
const response = await runtime.dispatchFetch("http://localhost/");
const text = await response.text();
if (response.status !== 200) throw new Error(`expected status 200, got ${response.status}: ${text}`);
console.log(text);
