/** im2row's inference entry: a saved model, its first inference. */
import { readFileSync, writeSync } from "node:fs";
import { load, loadModel } from "../../dist/inference.js";

const folder = process.argv[2];
const model = loadModel(readFileSync(`${folder}/lenet5.safetensors`));
model.compile({ engine: await load() });
const session = model.session();
session.input.set(new Float32Array(Uint8Array.from(readFileSync(`${folder}/image.f32`)).buffer));
session.run();
writeSync(1, JSON.stringify([...session.output]));
process.exit();
