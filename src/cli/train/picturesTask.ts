/** `im2row train photos/`: a net on the pictures of a folder in which each folder is a class. */
import type { Engine, Model } from "../../index.ts";
import type { Batches } from "../../data.ts";
import type { InputTensor } from "../../tensor.ts";
import { pictureNet } from "./pictureNet.ts";
import { openPictures, type Pictures } from "./pictures.ts";
import { takeSignals } from "../signals.ts";
import type { PictureSettings, TrainSettings } from "./options.ts";
import type { HeldOut, Judged, TrainTask } from "./task.ts";

/** Bytes for an input of bytes, and the same values for one of floats. */
function fed(model: Model, { shape, data }: InputTensor): InputTensor {
  const isBytes = model.inputs[0]!.dtype === "uint8";
  return isBytes === data instanceof Uint8Array ? { shape, data } : { shape, data: Float32Array.from(data) };
}

/** Runs a net on the batches of one epoch. Calls `meet` with the places of their pictures. */
async function judgeAll(
  model: Model,
  batches: Batches,
  meet: (places: Uint32Array) => void,
  signal?: AbortSignal,
): Promise<Judged> {
  const scores: Float32Array[] = [];
  const labels: number[] = [];
  for await (const batch of batches()) {
    scores.push(model.predict(fed(model, batch.images)).data);
    labels.push(...(batch.labels as number[]));
    meet(batch.indices);
    if (signal) await takeSignals(signal);
  }
  const all = new Float32Array(scores.reduce((sum, { length }) => sum + length, 0));
  scores.reduce((at, row) => {
    all.set(row, at);
    return at + row.length;
  }, 0);
  return { scores: all, labels: Int32Array.from(labels) };
}

/** The held-out pictures as batches. */
export function heldOutPictures(pictures: Pictures, batches: Batches): HeldOut {
  const { files, heldOut, picture } = pictures;
  /** Of each row in what was judged, the picture's number in the folder. */
  let places: number[] = [];
  return {
    data: batches,
    count: heldOut.size,
    judge(model, signal) {
      places = [];
      return judgeAll(model, batches, (more) => places.push(...more), signal);
    },
    picture: (row) => picture(files[places[row]!]!),
    file: (row) => files[places[row]!]!,
  };
}

export function augmentationText({ augment }: Pick<TrainSettings, "augment">): string {
  return augment ? "flips left to right, shifts by up to a tenth" : "none";
}

/** @throws UsageError for a folder that will not do */
export async function picturesTask(
  folder: string,
  settings: PictureSettings,
  engine: Engine,
): Promise<TrainTask> {
  const { size, seed, batchSize, validationSplit, augment } = settings;
  const preprocessing = { size, fit: "crop", scale: 1 } as const;
  const pictures = await openPictures(folder, engine, { preprocessing, channels: 3, validationSplit, seed });
  const { classes, train, heldOut } = pictures;
  const net = (training: boolean): Model =>
    pictureNet({ size, classes: classes.length, training, augment, seed });
  const model = net(true);
  return {
    command: ["train", folder],
    source: folder,
    classes,
    imageSize: size,
    training: {
      data: train.shuffle(train.size, seed).batch(batchSize).prefetch(1),
      count: train.size,
      identity: pictures.identity,
    },
    heldOut: heldOutPictures(pictures, heldOut.batch(batchSize).prefetch(1)),
    augmentation: augmentationText(settings),
    model,
    finished(trained) {
      const finished = net(false);
      finished.setWeights(trained.weights);
      finished.metadata = { classNames: classes, preprocessing };
      return finished;
    },
  };
}
