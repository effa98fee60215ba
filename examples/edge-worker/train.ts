/**
 * Trains the net of this example and writes `digits.safetensors`.
 *
 *   npm run example examples/edge-worker/train.ts                      on drawn digits
 *   npm run example examples/edge-worker/train.ts -- --data <folder>   on MNIST besides, plain or gzipped
 *
 * `--drawn` keeps MNIST for the test alone, and `--out` names another file.
 *
 * The same data give the same file, byte for byte.
 */
import { createHash } from "node:crypto";
import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { layers, load, losses, optimizers, sequential, tensor, type Tensor } from "im2row";
import { readFolder } from "../../src/cli/data.ts";
import { drawDigits } from "../../src/cli/digits.ts";
import { SIDE } from "./image.ts";

const SEED = 1;
const DRAWN = { train: 60_000, test: 10_000 };
const EPOCHS = 8;
const BATCH = 64;
const LEARNING_RATE = 0.003;

interface Split {
  images: Tensor;
  labels: Int32Array;
}

/** Pixels in 0…1, as `readImage` gives them. */
function splitOf(bytes: Uint8Array, labels: ArrayLike<number>): Split {
  const pixels = Float32Array.from(bytes, (byte) => byte / 255);
  return { images: tensor(pixels, [labels.length, SIDE, SIDE, 1]), labels: Int32Array.from(labels) };
}

function drawn(count: number, seed: number): Split {
  const { images, labels } = drawDigits(count, seed);
  // An image file has bytes.
  return splitOf(
    Uint8Array.from(images, (value) => Math.round(255 * value)),
    labels,
  );
}

function concatenate(a: Split, b: Split): Split {
  const pixels = new Float32Array(a.images.data.length + b.images.data.length);
  pixels.set(a.images.data);
  pixels.set(b.images.data, a.images.data.length);
  const labels = Int32Array.from([...a.labels, ...b.labels]);
  return { images: tensor(pixels, [labels.length, SIDE, SIDE, 1]), labels };
}

/** Probabilities are for the file: training has its softmax in the loss. */
function build(forFile: boolean): ReturnType<typeof sequential> {
  return sequential({
    inputShape: [SIDE, SIDE, 1],
    layers: [
      layers.conv2d({ filters: 8, kernelSize: 5, padding: "same", activation: "relu" }),
      layers.maxPooling2d({ poolSize: 2 }),
      layers.conv2d({ filters: 16, kernelSize: 5, padding: "same", activation: "relu" }),
      layers.maxPooling2d({ poolSize: 2 }),
      layers.flatten(),
      ...(forFile ? [] : [layers.dropout({ rate: 0.3 })]),
      layers.dense({ units: 10, activation: forFile ? "softmax" : "linear" }),
    ],
    seed: SEED,
  });
}

const { values } = parseArgs({
  options: { data: { type: "string" }, drawn: { type: "boolean" }, out: { type: "string" } },
});
const { data: folder, out = fileURLToPath(new URL("digits.safetensors", import.meta.url)) } = values;

let data = drawn(DRAWN.train, SEED);
const tests = new Map([["drawn digits", drawn(DRAWN.test, SEED + 1)]]);
if (folder !== undefined) {
  const { train, test } = readFolder(folder);
  if (!values.drawn) data = concatenate(data, splitOf(train.pixels, train.labels));
  tests.set("MNIST", splitOf(test.pixels, test.labels));
}

const model = build(false);
const steps = EPOCHS * Math.ceil(data.labels.length / BATCH);
const optimizer = optimizers.adam({ learningRate: (step) => LEARNING_RATE * (1 - step / steps) });
model.compile({ engine: await load(), optimizer, loss: losses.softmaxCrossEntropy() });
await model.fit(data.images, data.labels, {
  epochs: EPOCHS,
  batchSize: BATCH,
  onEpochEnd: ({ epoch, loss }) => console.log(`epoch ${epoch} of ${EPOCHS}: loss ${loss.toFixed(4)}`),
});
for (const [name, { images, labels }] of tests) {
  const { accuracy } = model.evaluate(images, labels);
  console.log(`${(100 * accuracy).toFixed(2)} % of ${labels.length} ${name}`);
}

const result = build(true);
result.setWeights(model.weights);
const bytes = result.toSafetensors();
writeFileSync(out, bytes);
console.log(`${out}: ${bytes.length} bytes, sha256 ${createHash("sha256").update(bytes).digest("hex")}`);
