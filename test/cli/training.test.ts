/** The training of `im2row train` is done again through the public API: the weights it saves have the same bits. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { loadFolder } from "../../src/cli/data.ts";
import {
  layers,
  load,
  loadModel,
  losses,
  optimizers,
  sequential,
  type Engine,
  type Model,
  type Optimizer,
} from "../../src/index.ts";
import { weightBits } from "../support/model.ts";

const CLI = new URL("../../dist/cli.js", import.meta.url).pathname;
const SIDE = 14;
const COUNT = 150;
/** The defaults that the help of the command states. */
const BATCH = 64;
const EPOCHS = 5;
const SEED = 1;

function idx(shape: readonly number[], data: Uint8Array): Uint8Array {
  const sizes = shape.flatMap((size) => [0, 0, size >> 8, size & 255]);
  return Uint8Array.from([0, 0, 8, shape.length, ...sizes, ...data]);
}

let engine: Engine;
let folder: string;

beforeAll(async () => {
  engine = await load();
  folder = mkdtempSync(join(tmpdir(), "im2row-training-"));
  for (const [prefix, count] of [
    ["train", COUNT],
    ["t10k", 20],
  ] as const) {
    const images = Uint8Array.from({ length: count * SIDE * SIDE }, (_, i) => (i * 7919) % 251);
    const labels = Uint8Array.from({ length: count }, (_, i) => (i * 7) % 10);
    writeFileSync(join(folder, `${prefix}-images-idx3-ubyte`), idx([count, SIDE, SIDE], images));
    writeFileSync(join(folder, `${prefix}-labels-idx1-ubyte`), idx([count], labels));
  }
});

afterAll(() => {
  engine.dispose();
  rmSync(folder, { recursive: true });
});

/** LeNet-5 as the README draws it. */
const lenet = (seed: number): Model =>
  sequential({
    inputShape: [SIDE, SIDE, 1],
    layers: [
      layers.conv2d({ filters: 6, kernelSize: 5, padding: "same", activation: "relu" }),
      layers.maxPooling2d({ poolSize: 2 }),
      layers.conv2d({ filters: 16, kernelSize: 5, activation: "relu" }),
      layers.maxPooling2d({ poolSize: 2 }),
      layers.flatten(),
      layers.dense({ units: 120, activation: "relu" }),
      layers.dense({ units: 84, activation: "relu" }),
      layers.dense({ units: 10 }),
    ],
    seed,
  });

/** A rate that falls linearly to 0 over the steps of a whole run. */
const falling =
  (first: number) =>
  (step: number): number =>
    first * (1 - step / (EPOCHS * Math.ceil(COUNT / BATCH)));

it.each<[string, string[], number, Optimizer]>([
  ["sgd", [], SEED, optimizers.sgd({ learningRate: falling(0.03), momentum: 0.9 })],
  [
    "sgd by name",
    ["--optimizer", "sgd"],
    SEED,
    optimizers.sgd({ learningRate: falling(0.03), momentum: 0.9 }),
  ],
  ["adam", ["--optimizer", "adam"], SEED, optimizers.adam({ learningRate: falling(0.001) })],
  [
    "adamw",
    ["--optimizer", "adamw"],
    SEED,
    optimizers.adamw({ learningRate: falling(0.001), weightDecay: 0.01 }),
  ],
  [
    "adam, a rate and a seed",
    ["--optimizer", "adam", "--learning-rate", "0.004", "--seed", "5"],
    5,
    optimizers.adam({ learningRate: falling(0.004) }),
  ],
])("%s", async (_, more, seed, optimizer) => {
  const out = join(folder, "model");
  const args = ["train", "--data", folder, "--out", out, ...more];
  const said = execFileSync(process.execPath, [CLI, ...args], { encoding: "utf8" });
  expect(said).toContain(`${EPOCHS} × ${COUNT} images in batches of ${BATCH}, seed ${seed}\n`);
  const model = lenet(seed);
  model.compile({ engine, optimizer, loss: losses.softmaxCrossEntropy() });
  const { images, labels } = loadFolder(folder).train;
  await model.fit(images, labels, { epochs: EPOCHS, batchSize: BATCH });
  expect(weightBits(loadModel(readFileSync(out)))).toEqual(weightBits(model));
  model.dispose();
});
