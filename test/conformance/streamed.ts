/** Runs on streams of `im2row/data`, with images that are changed at random on the way and within the net. */
import { layers, losses, optimizers, regularizers, sequential, tensor } from "im2row";
import type { Engine, History, Model } from "im2row";
import { cutout, fromTensors, mixup, type Samples } from "im2row/data";
import { Digest } from "../support/digest.ts";
import { random } from "../support/random.ts";

const CLASSES = 3;
const IMAGE = [12, 11, 3] as const;

/** Images of bytes with their classes. */
function pictures(count: number): Samples {
  const shape = [count, ...IMAGE];
  const data = Uint8Array.from(
    random(81).integers(
      shape.reduce((a, b) => a * b),
      0,
      255,
    ),
  );
  return fromTensors({ shape, data }, random(82).integers(count, 0, CLASSES - 1));
}

function add(
  hash: Digest,
  model: Model,
  { loss, accuracy, validationLoss, validationAccuracy }: History,
): void {
  for (const figures of [loss, accuracy, validationLoss, validationAccuracy]) {
    for (const figure of figures) hash.double(figure);
  }
  for (const { data } of model.weights.values()) hash.elements(data);
  model.dispose();
}

/** Bytes from the stream to the net, which changes them by every layer of augmentation. */
async function addAugmented(hash: Digest, engine: Engine): Promise<void> {
  const model = sequential({
    inputShape: IMAGE,
    inputDtype: "uint8",
    layers: [
      layers.resizing({ height: 14, width: 13 }),
      layers.randomFlip({ mode: "horizontal" }),
      layers.randomTranslation({ heightFactor: 0.2, widthFactor: 0.2 }),
      layers.randomRotation({ factor: 0.1, fillMode: "wrap" }),
      layers.randomZoom({ heightFactor: 0.2, fillMode: "constant" }),
      layers.randomContrast({ factor: 0.4 }),
      layers.randomBrightness({ factor: 0.2 }),
      layers.randomCrop({ height: 10, width: 9 }),
      layers.rescaling({ scale: 1 / 127.5, offset: -1 }),
      layers.gaussianNoise({ stddev: 0.1 }),
      layers.conv2d({ filters: 6, kernelSize: 3, activation: "relu" }),
      layers.spatialDropout2d({ rate: 0.2 }),
      layers.globalAveragePooling2d(),
      layers.dense({ units: CLASSES }),
    ],
    seed: 2 ** 40 + 3,
  });
  const [train, test] = pictures(40).split(0.8, 5);
  const batches = train
    .shuffle(20, 6)
    .map(cutout({ size: 4, fill: 90, seed: 7 }))
    .batch(7)
    .prefetch(2);
  const optimizer = optimizers.adam({ learningRate: 0.01 });
  model.compile({ engine, optimizer, loss: losses.softmaxCrossEntropy() });
  add(hash, model, await model.fit(batches, { epochs: 3, validationData: test.batch(5) }));
}

/** Images that are mixed with one another, weighted, with the options of training that carry something from step to step. */
async function addMixed(hash: Digest, engine: Engine): Promise<void> {
  const head = layers.dense({ units: CLASSES });
  head.learningRateMultiplier = 0.5;
  const model = sequential({
    inputShape: IMAGE,
    layers: [
      layers.conv2d({ filters: 5, kernelSize: 3, strides: 2, kernelRegularizer: regularizers.l2(0.01) }),
      layers.batchNormalization(),
      layers.flatten(),
      head,
    ],
    seed: 12,
  });
  const batches = pictures(23)
    .map(({ image, label }, { index }) => {
      const { shape, data } = image as { shape: number[]; data: Uint8Array };
      return {
        image: tensor(
          Array.from(data, (byte) => byte / 255),
          shape,
        ),
        label,
        weight: 1 + (index % 3),
      };
    })
    .shuffle(100, 8)
    .map(mixup({ alpha: 0.4, seed: 9, classes: CLASSES }))
    .batch(4);
  model.compile({
    engine,
    optimizer: optimizers.sgd({ learningRate: 0.05, momentum: 0.9 }),
    loss: losses.softmaxCrossEntropy(),
    gradientAccumulationSteps: 2,
    useEma: true,
    emaMomentum: 0.8,
  });
  add(hash, model, await model.fit(batches, { epochs: 3 }));
}

/** The digest over the histories of the runs and the weights that they lead to. */
export async function streamedDigest(engine: Engine): Promise<string> {
  const hash = new Digest();
  await addAugmented(hash, engine);
  await addMixed(hash, engine);
  return hash.toString();
}
