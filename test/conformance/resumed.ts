/** A run of `fit` that is left between two batches and gone on with from its checkpoint, perhaps in another runtime. */
import { callbacks, layers, loadModel, losses, optimizers, sequential } from "im2row";
import type { Engine, History, Model, StreamFitOptions } from "im2row";
import { fromTensors, type Batches } from "im2row/data";
import { Digest } from "../support/digest.ts";
import { noise } from "../support/model.ts";
import { random } from "../support/random.ts";
import { same } from "./expect.ts";

const CLASSES = 3;
const IMAGE = [9, 8, 2] as const;

/** Random masks and pictures, moving statistics: all that a step may draw or change beside weights. */
const create = (): Model =>
  sequential({
    inputShape: IMAGE,
    layers: [
      layers.randomTranslation({ heightFactor: 0.2, widthFactor: 0.2 }),
      layers.randomFlip({ mode: "horizontal" }),
      layers.conv2d({ filters: 4, kernelSize: 3, activation: "relu" }),
      layers.batchNormalization(),
      layers.flatten(),
      layers.dropout({ rate: 0.3 }),
      layers.dense({ units: CLASSES }),
    ],
    seed: 2 ** 40 + 11,
  });

const batches = (count: number, seed: number): Batches =>
  fromTensors(noise(seed, count, ...IMAGE), random(seed).integers(count, 0, CLASSES - 1))
    .shuffle(10, seed)
    .batch(4);

/** What a run keeps from epoch to epoch: rates, the best weights. */
const options = (): StreamFitOptions => ({
  epochs: 5,
  validationData: batches(8, 83),
  callbacks: [
    callbacks.reduceLROnPlateau({ monitor: "loss", factor: 0.5, patience: 1, minDelta: 0.2 }),
    callbacks.earlyStopping({ patience: 4, restoreBestWeights: true }),
  ],
});

function digestOf(model: Model, history: History): string {
  const hash = new Digest();
  for (const figures of [history.loss, history.accuracy, history.validationLoss]) {
    for (const figure of figures) hash.double(figure);
  }
  for (const { data } of model.weights.values()) hash.elements(data);
  return hash.toString();
}

const LEFT = new Error("left");

/**
 * Begins the run, or goes on with it from a checkpoint, for at most `count` batches. Returns the checkpoint where it is left, or
 * at the end the digest over its history and the weights.
 */
export async function trainOn(
  engine: Engine,
  checkpoint: Uint8Array | undefined,
  count = Infinity,
): Promise<Uint8Array | string> {
  const model = checkpoint ? loadModel(checkpoint) : create();
  model.compile({
    engine,
    optimizer: optimizers.adam({ learningRate: 0.005, globalClipNorm: 1 }),
    loss: losses.softmaxCrossEntropy(),
    gradientAccumulationSteps: 2,
    useEma: true,
    emaMomentum: 0.7,
  });
  let left: Uint8Array | undefined;
  let done = 0;
  // Not every host has an AbortController.
  const signal = {
    throwIfAborted(): void {
      if (done >= count) throw LEFT;
    },
  };
  try {
    const history = await model.fit(batches(18, 84).prefetch(2), {
      ...options(),
      signal,
      onBatchEnd: () => void done++,
      checkpoint: { every: 1000, save: (bytes) => void (left = bytes) },
    });
    return digestOf(model, history);
  } catch (error) {
    if (error !== LEFT) throw error;
    return left!;
  } finally {
    model.dispose();
  }
}

/** The digest of the run, in one part and in many. */
export async function resumedDigest(engine: Engine): Promise<string> {
  const whole = await trainOn(engine, undefined);
  for (const count of [1, 3]) {
    let part = await trainOn(engine, undefined, count);
    while (typeof part !== "string") part = await trainOn(engine, part, count);
    same(`a run that is left after every ${count} batches`, part, whole);
  }
  return whole as string;
}
