/** im2row's full entry: the same net made from its layers; the seed gives the weights of the file. */
import { readFileSync, writeSync } from "node:fs";
import { layers, load, sequential } from "../../dist/index.js";

const biasInitializer = { constant: 0.1 };
const model = sequential({
  inputShape: [28, 28, 1],
  layers: [
    layers.conv2d({ filters: 6, kernelSize: 5, padding: "same", activation: "relu", biasInitializer }),
    layers.maxPooling2d({ poolSize: 2 }),
    layers.conv2d({ filters: 16, kernelSize: 5, activation: "relu", biasInitializer }),
    layers.maxPooling2d({ poolSize: 2 }),
    layers.flatten(),
    layers.dense({ units: 120, activation: "relu", biasInitializer }),
    layers.dense({ units: 84, activation: "relu", biasInitializer }),
    layers.dense({ units: 10, biasInitializer }),
  ],
  seed: 1,
});
model.compile({ engine: await load() });
const session = model.session();
session.input.set(new Float32Array(Uint8Array.from(readFileSync(`${process.argv[2]}/image.f32`)).buffer));
session.run();
writeSync(1, JSON.stringify([...session.output]));
process.exit();
