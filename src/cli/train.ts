import { readFileSync } from "node:fs";
import { layers, load, loadModel, losses, optimizers, sequential } from "../index.ts";
import { CLASSES, drawDataset, loadFolder, type Dataset } from "./data.ts";
import { createProgress } from "./progress.ts";
import {
  argmaxRows,
  confusion,
  correctCount,
  duration,
  fileSize,
  formatConfusion,
  percent,
} from "./report.ts";
import { checkPlace, save } from "./save.ts";
import { takeSignals } from "./signals.ts";
import { causeOf, UsageError } from "./usage.ts";

/** The optimizers by name. */
export const OPTIMIZERS = ["sgd", "adam", "adamw"] as const;

/** The options of `im2row train`, checked one by one by the command line's parser. */
export interface TrainOptions {
  /** Folder with the four MNIST files; digits are drawn without it. */
  readonly data?: string;
  readonly epochs: number;
  readonly batchSize: number;
  /** The learning rate at the first step, which falls linearly to 0; without it the optimizer's usual one. */
  readonly learningRate?: number;
  readonly optimizer: (typeof OPTIMIZERS)[number];
  readonly seed: number;
  /** The file that the model is saved to. */
  readonly out: string;
}

type Engine = Awaited<ReturnType<typeof load>>;
type Model = ReturnType<typeof sequential>;

const MOMENTUM = 0.9;

/** Finds out whether the model can be saved before any work is done for it. */
function checkOut(out: string): void {
  if (out === "") throw new UsageError("--out: expected a file, got nothing");
  try {
    checkPlace(out);
  } catch (error) {
    const isFolder = error instanceof Error && "code" in error && error.code === "EISDIR";
    const fault = isFolder ? "expected a file, got a folder" : `cannot be written to (${causeOf(error)})`;
    throw new UsageError(`--out ${out}: ${fault}`);
  }
}

/** LeNet-5 (LeCun et al. 1998) with ReLU and max pooling for files; a slimmer net of its form for drawings. */
function buildModel(dataset: Dataset, drawn: boolean, seed: number): Model {
  const [height, width] = dataset.train.images.shape.slice(1, 3) as [number, number];
  const [first, hidden] = drawn ? [8, [64]] : [6, [120, 84]];
  return sequential({
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
}

/** The learning rate a run starts at. */
function initialRate({ learningRate, optimizer }: TrainOptions): number {
  return learningRate ?? (optimizer === "sgd" ? 0.03 : 0.001);
}

/** The chosen optimizer with a rate that falls linearly to 0 over `steps`. */
function makeOptimizer(options: TrainOptions, steps: number): ReturnType<typeof optimizers.sgd> {
  const initial = initialRate(options);
  const learningRate = (step: number): number => initial * Math.max(0, 1 - step / steps);
  if (options.optimizer === "sgd") return optimizers.sgd({ learningRate, momentum: MOMENTUM });
  return optimizers[options.optimizer]({ learningRate });
}

/** Describes what a run is about to do, in aligned lines. */
function describe(options: TrainOptions, dataset: Dataset, engine: Engine): string {
  const { test, source } = dataset;
  const [count, height, width] = dataset.train.images.shape as [number, number, number];
  const threads = engine.threads === 1 ? "1 thread" : `${engine.threads} threads`;
  const optimizer = options.optimizer === "sgd" ? `sgd with momentum ${MOMENTUM}` : options.optimizer;
  const rate = `learning rate ${initialRate(options)} falling to 0`;
  return [
    `data      ${source}: ${count} images to train on, ${test.labels.length} held out, ${height}×${width}`,
    `engine    WebAssembly, ${engine.math}, ${threads}`,
    `training  ${options.epochs} × ${count} images in batches of ${options.batchSize}, seed ${options.seed}`,
    `          ${optimizer}, ${rate}`,
  ].join("\n");
}

/** Trains with a bar or lines on stdout; the bar is gone however training ends. */
async function fit(
  model: Model,
  dataset: Dataset,
  options: TrainOptions,
  signal: AbortSignal,
): Promise<void> {
  const { epochs, batchSize } = options;
  const progress = createProgress(epochs, process.stdout);
  let epochStarted = performance.now();
  try {
    await model.fit(dataset.train.images, dataset.train.labels, {
      epochs,
      batchSize,
      validationData: [dataset.test.images, dataset.test.labels],
      signal,
      onBatchEnd: (state) => progress.batch(state),
      onEpochEnd({ epoch, loss, accuracy, validationAccuracy }) {
        const seconds = (performance.now() - epochStarted) / 1000;
        epochStarted = performance.now();
        const heldOut =
          validationAccuracy === undefined ? "" : `  held out ${percent(validationAccuracy).padStart(8)}`;
        const figures = `loss ${loss.toFixed(4)}  accuracy ${percent(accuracy).padStart(8)}${heldOut}`;
        progress.line(`epoch ${epoch}/${epochs}  ${figures}  ${duration(seconds)}`);
      },
    });
  } finally {
    progress.stop();
  }
}

/** Whether two arrays hold the same bits: unlike `===`, true for equal NaNs and false for 0 and −0. */
function sameBits(a: Float32Array, b: Float32Array): boolean {
  return Buffer.from(a.buffer, a.byteOffset, a.byteLength).equals(
    Buffer.from(b.buffer, b.byteOffset, b.byteLength),
  );
}

/** Saves the model, loads the file again and holds its scores against the ones in hand. */
async function saveAndCompare(
  model: Model,
  engine: Engine,
  dataset: Dataset,
  scores: Float32Array,
  out: string,
  signal: AbortSignal,
): Promise<string> {
  const bytes = model.toSafetensors();
  let isFile: boolean;
  try {
    isFile = await save(out, bytes, { signal });
  } catch (error) {
    signal.throwIfAborted();
    throw new Error(`${out}: the model could not be saved (${causeOf(error)})`, { cause: error });
  }
  // Bytes that went into a pipe or a device cannot be read again.
  const again = loadModel(isFile ? readFileSync(out) : bytes);
  again.compile({ engine });
  const reloaded = again.predict(dataset.test.images).data;
  if (!sameBits(scores, reloaded)) {
    throw new Error(`${out}: expected the loaded model to predict the same bits, got other ones`);
  }
  return (
    `saved     ${out}, ${fileSize(bytes.length)}\n` +
    `reloaded  all ${dataset.test.labels.length} predictions are the same, bit for bit`
  );
}

/** Everything between data and last line; the caller owns the engine. */
async function trainOn(
  dataset: Dataset,
  options: TrainOptions,
  engine: Engine,
  print: (text: string) => void,
  signal: AbortSignal,
): Promise<void> {
  const count = dataset.train.labels.length;
  const model = buildModel(dataset, options.data === undefined, options.seed);
  const optimizer = makeOptimizer(options, options.epochs * Math.ceil(count / options.batchSize));
  model.compile({ engine, optimizer, loss: losses.softmaxCrossEntropy() });
  print(`${describe(options, dataset, engine)}\n\n${model.summary()}\n`);

  const started = performance.now();
  await fit(model, dataset, options, signal);
  const seconds = (performance.now() - started) / 1000;

  const scores = model.predict(dataset.test.images).data;
  await takeSignals(signal);
  const table = confusion(dataset.test.labels, argmaxRows(scores, CLASSES), CLASSES);
  print(
    `\nheld-out images: a row for each true figure, a column for each answer\n${formatConfusion(table)}\n`,
  );
  print(`trained   in ${duration(seconds)}`);
  print(await saveAndCompare(model, engine, dataset, scores, options.out, signal));
  const correct = correctCount(table);
  const total = dataset.test.labels.length;
  print(`\ntest accuracy ${percent(correct / total)} (${correct} of ${total})`);
}

/**
 * The main job: trains a small convolutional net on digits, judges it by images it has not seen, saves it,
 * loads it again and shows that both predict the same bits. All input is checked before training begins.
 *
 * @param options as parsed from the command line
 * @param print says lines on stdout
 * @param signal stops the run; training rejects with its reason, and nothing is saved
 * @throws UsageError for a folder, a file or a path that will not do
 */
export async function train(
  options: TrainOptions,
  print: (text: string) => void,
  signal: AbortSignal,
): Promise<void> {
  checkOut(options.out);
  const dataset = options.data === undefined ? drawDataset(options.seed) : loadFolder(options.data);
  await takeSignals(signal);
  const engine = await load();
  try {
    await trainOn(dataset, options, engine, print, signal);
  } finally {
    engine.dispose();
  }
}
