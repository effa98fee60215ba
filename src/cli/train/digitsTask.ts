/** `im2row train` on digits, drawn ones or those of a folder in MNIST's form. */
import { createHash } from "node:crypto";
import { layers, sequential, type Model } from "../../index.ts";
import { CLASSES, DIGITS, drawDataset, loadFolder, pixelsOf, type Dataset, type Split } from "../data.ts";
import type { TrainSettings } from "./options.ts";
import type { HeldOut, TrainTask } from "./task.ts";

/** LeNet-5 (LeCun et al. 1998) with ReLU and max pooling for files; a slimmer net of its form for drawings. */
function buildModel(dataset: Dataset, drawn: boolean, seed: number): Model {
  const [height, width] = dataset.train.images.shape.slice(1, 3) as [number, number];
  const [first, hidden] = drawn ? [8, [64]] : [6, [120, 84]];
  const model = sequential({
    inputShape: [height, width, 1],
    layers: [
      layers.conv2d({ filters: first, kernelSize: 5, padding: "same", activation: "relu" }),
      layers.maxPooling2d({ poolSize: 2 }),
      layers.conv2d({ filters: 16, kernelSize: 5, padding: "valid", activation: "relu" }),
      layers.maxPooling2d({ poolSize: 2 }),
      layers.flatten(),
      ...hidden.map((units) => layers.dense({ units, activation: "relu" })),
      layers.dense({ units: CLASSES }),
    ],
    seed,
  });
  model.metadata = DIGITS;
  return model;
}

function heldOutOf({ images, labels }: Split): HeldOut {
  const [count, height, width] = images.shape as [number, number, number];
  return {
    data: [images, labels],
    count,
    async judge(model, signal) {
      const { data } = await model.predictAsync(images, { signal });
      return { scores: data, labels };
    },
    picture: (row) => ({ width, height, channels: 1, pixels: pixelsOf(images, row) }),
  };
}

/** SHA-256 of the images and their labels. */
function sha256({ images, labels }: Split): string {
  const hash = createHash("sha256");
  for (const { buffer, byteOffset, byteLength } of [images.data, labels]) {
    hash.update(new Uint8Array(buffer, byteOffset, byteLength));
  }
  return `sha256 ${hash.digest("hex")}`;
}

/** @throws UsageError for a folder that will not do */
export function digitsTask(settings: TrainSettings): TrainTask {
  const { data, seed } = settings;
  const dataset = data === undefined ? drawDataset(seed) : loadFolder(data);
  const { train, test, source } = dataset;
  const model = buildModel(dataset, data === undefined, seed);
  const [count, height, width] = train.images.shape as [number, number, number];
  return {
    command: ["train"],
    source,
    classes: DIGITS.classNames!,
    imageSize: [height, width],
    training: { data: [train.images, train.labels], count, identity: () => sha256(train) },
    heldOut: heldOutOf(test),
    model,
    finished: (trained) => trained,
  };
}
