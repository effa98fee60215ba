/** `im2row finetune`: a new last layer on a net from an ONNX file, for the classes of a folder of pictures. */
import { normalize } from "../../images/normalize.ts";
import { layers, losses, model, sequential, type Engine, type Model, type Tensor } from "../../index.ts";
import type { Samples } from "../../data.ts";
import { augmented, openBackbone, type Backbone, type BackboneOptions } from "./backbone.ts";
import { joinedCurves } from "./curves.ts";
import { finishRun } from "./finishRun.ts";
import { telling } from "../nets/net.ts";
import { openPictures, type Pictures } from "./pictures.ts";
import { pictureCounter } from "../progress.ts";
import { quantity } from "../report.ts";
import { takeSignals } from "../signals.ts";
import { forRawFeatures, scaleOf, standardized } from "./standardize.ts";
import { runOn } from "./train.ts";
import { fitModel, makeOptimizer, stepsOf, type Fitted } from "./fitModel.ts";
import {
  DEFAULTS,
  describe,
  initialRate,
  pictureFiles,
  RATES,
  type TrainOptions,
  type TrainSettings,
} from "./options.ts";
import { augmentationText, heldOutPictures } from "./picturesTask.ts";
import type { Judged, TrainTask } from "./task.ts";
import type { SymbolicTensor } from "../../layers/contract.ts";

/** The options of `im2row finetune`, checked one by one by the command line's parser. */
export interface FinetuneOptions extends TrainOptions, BackboneOptions {
  /** Whether all weights train after the new layer has, and for so many epochs. */
  readonly unfreeze?: boolean;
  readonly unfreezeEpochs?: number;
}

type FinetuneSettings = TrainSettings & FinetuneOptions & { readonly validationSplit: number };

/** The learning rates of the new layer: it has no other behind it, and takes larger steps than a whole net. */
export const HEAD_RATES = { ...RATES, adam: 0.01, adamw: 0.01, rmsprop: 0.01 } as const;

/** The epochs in which all weights train, and the share of the new layer's learning rate with which they do. */
export const UNFREEZE_EPOCHS = 3;
export const UNFREEZE_RATE = 0.01;

/** Images whose features are computed at once. */
const FEATURE_BATCH = 8;

/** The name of the new layer. */
const HEAD = "classes";

type Print = (text: string) => void;

/** What a run works with. */
interface Run {
  readonly engine: Engine;
  readonly backbone: Backbone;
  readonly pictures: Pictures;
  readonly settings: FinetuneSettings;
  readonly signal: AbortSignal;
  readonly tell: Print;
}

/** The pictures as the backbone takes them. */
function prepared({ engine, backbone }: Run, samples: Samples): Samples {
  const { layout, preprocessing } = backbone;
  const { scale, mean, std } = preprocessing;
  return samples.map((sample) => {
    const image = sample.image as Tensor<Uint8Array>;
    const { shape, data } = normalize(engine, image, { scale, mean, std, layout });
    return { ...sample, image: { shape: shape.slice(1), data } };
  });
}

/** Computes the features `[n, size]` of pictures, once each. */
async function featuresOf(run: Run, net: Model, samples: Samples, count: () => void): Promise<Judged> {
  const labels: number[] = [];
  const size = net.outputShape[0]!;
  const scores = new Float32Array(samples.size * size);
  for await (const batch of prepared(run, samples).batch(FEATURE_BATCH).prefetch(1)()) {
    scores.set(net.predict(batch.images).data, labels.length * size);
    labels.push(...(batch.labels as number[]));
    for (let i = 0; i < batch.indices.length; i++) count();
    await takeSignals(run.signal);
  }
  return { scores, labels: Int32Array.from(labels) };
}

/** A dense layer that was trained on features, and what it makes of those of held-out pictures. */
interface TrainedHead {
  readonly weights: Map<string, Tensor>;
  readonly fitted: Fitted;
  readonly judged: Judged;
}

/** Trains the layer on standardized features; its weights are for those of the net. */
async function trainHead(run: Run): Promise<TrainedHead> {
  const { engine, backbone, pictures, settings, signal } = run;
  const net = model({ inputs: backbone.input, outputs: backbone.features });
  net.compile({ engine });
  const size = net.outputShape[0]!;
  const count = pictureCounter(pictures.train.size + pictures.heldOut.size, run.tell);
  const train = await featuresOf(run, net, pictures.train, count);
  const heldOut = await featuresOf(run, net, pictures.heldOut, count);
  net.dispose();
  const scale = scaleOf(train.scores, size);
  const rowsOf = (data: Float32Array): Tensor => ({ shape: [data.length / size, size], data });
  const dataOf = ({ scores, labels }: Judged) => [rowsOf(standardized(scores, scale)), labels] as const;
  const head = sequential({
    inputShape: [size],
    layers: [layers.dense({ units: pictures.classes.length, name: HEAD })],
    seed: settings.seed,
  });
  const { length } = train.labels;
  head.compile({
    engine,
    optimizer: makeOptimizer(settings, stepsOf(settings, length)),
    loss: losses.softmaxCrossEntropy(),
  });
  run.tell("");
  const data = { training: { data: dataOf(train), count: length }, heldOut: { data: dataOf(heldOut) } };
  const fitted = await fitModel(head, { ...data, isBrief: true }, settings, signal);
  const weights = forRawFeatures(head.layerWeights(HEAD), scale);
  head.setLayerWeights(HEAD, weights);
  const scores = head.predict(rowsOf(heldOut.scores)).data;
  head.dispose();
  return { weights, fitted, judged: { scores, labels: heldOut.labels } };
}

/** Works while batch normalizations keep their statistics, which the batches of a small folder would spoil. */
async function withFrozenStatistics<T>({ layers: all }: Model, work: () => Promise<T>): Promise<T> {
  const frozen = all.filter(({ type, trainable }) => type === "batchNormalization" && trainable);
  for (const layer of frozen) layer.trainable = false;
  try {
    return await work();
  } finally {
    for (const layer of frozen) layer.trainable = true;
  }
}

/** Trains the weights of all layers but batch normalizations; `whole` has them before and after. */
async function unfreeze(run: Run, whole: Model, output: SymbolicTensor, task: TrainTask): Promise<Fitted> {
  const { engine, backbone, settings, signal, tell } = run;
  const own = unfreezeSettings(settings);
  const net = model({
    ...(settings.augment ? augmented(backbone, output) : { inputs: backbone.input, outputs: output }),
    seed: settings.seed,
  });
  net.setWeights(whole.weights);
  return withFrozenStatistics(net, async () => {
    net.compile({
      engine,
      optimizer: makeOptimizer(own, stepsOf(own, task.training.count)),
      loss: losses.softmaxCrossEntropy(),
    });
    const count = net.countParams({ trainable: true }).toLocaleString("en");
    tell(
      `\nunfrozen  ${count} weights, learning rate ${initialRate(own)} falling to 0, augmentation: ${augmentationText(settings)}`,
    );
    const fitted = await fitModel(net, task, own, signal);
    whole.setWeights(net.weights);
    net.dispose();
    return fitted;
  });
}

function unfreezeSettings(settings: FinetuneSettings): TrainSettings {
  const { unfreezeEpochs = UNFREEZE_EPOCHS } = settings;
  return { ...settings, epochs: unfreezeEpochs, learningRate: UNFREEZE_RATE * initialRate(settings) };
}

/** What the run is about, for `describe`, saving and the report. */
function taskOf(run: Run, command: readonly string[], folder: string, whole: Model): TrainTask {
  const { backbone, pictures, settings } = run;
  const { train, heldOut, classes, identity } = pictures;
  const { batchSize, seed } = settings;
  return {
    command,
    source: folder,
    classes,
    imageSize: backbone.preprocessing.size,
    training: {
      data: prepared(run, train).shuffle(train.size, seed).batch(batchSize).prefetch(1),
      count: train.size,
      identity,
    },
    heldOut: heldOutPictures(pictures, prepared(run, heldOut).batch(batchSize).prefetch(1)),
    model: whole,
    finished: () => whole,
  };
}

function settingsOf(options: FinetuneOptions): FinetuneSettings {
  const { epochs, batchSize, optimizer, out, validationSplit } = DEFAULTS.pictures;
  const settings = { epochs, batchSize, optimizer, out, validationSplit, ...options };
  const { learningRate = HEAD_RATES[settings.optimizer] } = options;
  return { ...settings, learningRate, files: pictureFiles(settings.out) };
}

/** The words of the command line that are for this command alone. */
function wordsOf({ features, scale, mean, std, unfreeze: all, unfreezeEpochs }: FinetuneSettings): string[] {
  const options = { features, scale, mean: mean?.join(), std: std?.join() };
  return [
    ...Object.entries(options).flatMap(([name, value]) =>
      value === undefined ? [] : [`--${name}`, String(value)],
    ),
    ...(all ? ["--unfreeze", "--unfreeze-epochs", String(unfreezeEpochs ?? UNFREEZE_EPOCHS)] : []),
  ];
}

async function finetuneOn(
  engine: Engine,
  [file, folder]: readonly [file: string, folder: string],
  settings: FinetuneSettings,
  print: Print,
  signal: AbortSignal,
): Promise<void> {
  const tell = settings.quiet ? () => {} : print;
  const backbone = await openBackbone(file, engine, settings);
  const { channels, preprocessing, source, features } = backbone;
  const { validationSplit, seed } = settings;
  const pictures = await openPictures(folder, engine, { preprocessing, channels, validationSplit, seed });
  const run: Run = { engine, backbone, pictures, settings, signal, tell };
  const output = layers.dense({ units: pictures.classes.length, name: HEAD }).apply(features);
  const whole = model({ inputs: backbone.input, outputs: output, seed });
  whole.metadata = { classNames: pictures.classes, preprocessing };
  const task = taskOf(run, ["finetune", file, folder, ...wordsOf(settings)], folder, whole);
  tell(
    `${describe(settings, task, engine)}\nbackbone  ${file}: ${quantity(features.shape[0]!)} features of ${source}\n`,
  );

  const { weights, fitted, judged } = await trainHead(run);
  whole.setLayerWeights(HEAD, weights);
  whole.compile({ engine });
  const finished = { task, model: whole, engine, settings, judged, ...fitted };
  if (!settings.unfreeze) return finishRun(finished, print, signal);
  const more = await telling(file, () => unfreeze(run, whole, output, task));
  return finishRun(
    {
      ...finished,
      judged: await task.heldOut.judge(whole, signal),
      curves: joinedCurves(fitted.curves, more.curves),
      seconds: fitted.seconds + more.seconds,
    },
    print,
    signal,
  );
}

/**
 * Trains a new last layer on the features of a net, which are computed once for each picture; then, if asked to, all weights
 * on the pictures themselves. Saves the whole net.
 *
 * @param backbone the ONNX file of the net
 * @param folder has a folder of pictures for each class
 * @throws UsageError for files, folders and options that will not do; the reason of the signal
 */
export function finetune(
  backbone: string,
  folder: string,
  options: FinetuneOptions,
  print: Print,
  signal: AbortSignal,
): Promise<void> {
  const settings = settingsOf(options);
  return runOn(settings, (engine) => finetuneOn(engine, [backbone, folder], settings, print, signal));
}
