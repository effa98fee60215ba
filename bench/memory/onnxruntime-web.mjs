/** Prints the bytes of onnxruntime-web's WebAssembly memory after two runs of a file: `<file> <h> <w> <c>`. */
import { readFileSync, writeSync } from "node:fs";
import { memoryBytes } from "./count.mjs";

const { env, InferenceSession, Tensor } = await import("onnxruntime-web");

const [file, ...sizes] = process.argv.slice(2);
const [h, w, c] = sizes.map(Number);
env.wasm.numThreads = 1;
// Named, because a native engine in the same process would answer in its place.
const session = await InferenceSession.create(readFileSync(file), { executionProviders: ["wasm"] });
const x = new Tensor("float32", new Float32Array(h * w * c), [1, c, h, w]);
for (let i = 0; i < 2; i++) await session.run({ x });
writeSync(1, String(memoryBytes()));
process.exit();
