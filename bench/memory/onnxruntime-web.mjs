/** Prints the bytes of onnxruntime-web's WebAssembly memory after two runs of a file: `<file> <h> <w> <c>`. */
import { readFileSync, writeSync } from "node:fs";

/** Every memory of the process, made by hand or exported by an instance. They only grow, so their size is the peak. */
const memories = new Set();
const { Memory, instantiate } = WebAssembly;
WebAssembly.Memory = new Proxy(Memory, {
  construct(target, [descriptor]) {
    const memory = new target(descriptor);
    memories.add(memory);
    return memory;
  },
});
WebAssembly.instantiate = async (...given) => {
  const result = await instantiate(...given);
  for (const value of Object.values((result.instance ?? result).exports)) {
    if (value instanceof Memory) memories.add(value);
  }
  return result;
};
const { env, InferenceSession, Tensor } = await import("onnxruntime-web");

const [file, ...sizes] = process.argv.slice(2);
const [h, w, c] = sizes.map(Number);
env.wasm.numThreads = 1;
// Named, because a native engine in the same process would answer in its place.
const session = await InferenceSession.create(readFileSync(file), { executionProviders: ["wasm"] });
const x = new Tensor("float32", new Float32Array(h * w * c), [1, c, h, w]);
for (let i = 0; i < 2; i++) await session.run({ x });
if (memories.size === 0)
  throw new Error("expected a WebAssembly memory, got none: is this the native engine?");
writeSync(1, String([...memories].reduce((sum, { buffer }) => sum + buffer.byteLength, 0)));
process.exit();
