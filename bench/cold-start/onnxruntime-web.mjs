/** onnxruntime-web on its WebAssembly backend. */
import { readFileSync, writeSync } from "node:fs";
import { env, InferenceSession, Tensor } from "onnxruntime-web";

const folder = process.argv[2];
env.wasm.numThreads = 1;
// Named, because a native engine in the same process would answer in its place.
const options = { executionProviders: ["wasm"] };
const session = await InferenceSession.create(readFileSync(`${folder}/lenet5.onnx`), options);
const image = new Float32Array(Uint8Array.from(readFileSync(`${folder}/image.f32`)).buffer);
const { logits } = await session.run({ image: new Tensor("float32", image, [1, 1, 28, 28]) });
writeSync(1, JSON.stringify([...logits.data]));
process.exit();
