/** Loads an ONNX file and runs it twice in a fresh process: `<file>`; prints milliseconds and bytes as JSON. */
import { readFileSync, writeSync } from "node:fs";
import { peakBytes } from "./peak.mjs";

const start = performance.now();
const { env, InferenceSession, Tensor } = await import("onnxruntime-web");
env.wasm.numThreads = 1;
// Named, because a native engine in the same process would answer in its place.
const options = { executionProviders: ["wasm"] };
const session = await InferenceSession.create(readFileSync(process.argv[2]), options);
const x = new Tensor("float32", new Float32Array(3 * 224 * 224).fill(0.5), [1, 3, 224, 224]);
await session.run({ x });
const ready = performance.now() - start;
await session.run({ x });
writeSync(1, JSON.stringify({ ms: ready, resident: peakBytes() }));
process.exit();
