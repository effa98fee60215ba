/** The training of `im2row train` is done again through the public API: the weights it saves have the same bits. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
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
import { IDX_SIDE, writeNoise } from "./support/idxFiles.ts";

const CLI = new URL("../../dist/cli.js", import.meta.url).pathname;
const COUNT = 150;
/** The defaults that the help of the command states. */
const BATCH = 64;
const EPOCHS = 5;
const SEED = 1;

let engine: Engine;
let folder: string;

beforeAll(async () => {
  engine = await load();
  folder = mkdtempSync(join(tmpdir(), "im2row-training-"));
  writeNoise(folder, COUNT, 20);
});

afterAll(() => {
  engine.dispose();
  rmSync(folder, { recursive: true });
});

/** LeNet-5 as the README draws it. */
const lenet = (seed: number): Model =>
  sequential({
    inputShape: [IDX_SIDE, IDX_SIDE, 1],
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
