import { resolve } from "node:path";
import { layers, losses, optimizers, sequential, type Engine, type Model } from "../index.ts";
import { CurveRecorder, sparkline, type TrainingCurves } from "./curves.ts";
import { CLASSES, DIGITS, drawDataset, loadFolder, type Dataset } from "./data.ts";
import { loadEngine } from "./engine.ts";
import { createProgress, noProgress } from "./progress.ts";
import { argmaxRows, confusion, correctCount, duration, formatConfusion, percent } from "./report.ts";
import { checkPlace } from "./save.ts";
import { saveRun } from "./saveRun.ts";
import { takeSignals } from "./signals.ts";
import { describe, initialRate, MOMENTUM, type TrainOptions } from "./trainOptions.ts";
import { causeOf, UsageError } from "./usage.ts";

/** Finds out whether a file can be saved before any work is done for it. */
function checkFile(option: string, file: string): void {
  if (file === "") throw new UsageError(`${option}: expected a file, got nothing`);
  try {
    checkPlace(file);
  } catch (error) {
    const isFolder = error instanceof Error && "code" in error && error.code === "EISDIR";
    const fault = isFolder ? "expected a file, got a folder" : `cannot be written to (${causeOf(error)})`;
    throw new UsageError(`${option} ${file}: ${fault}`);
  }
}

function checkFiles({ out, report }: TrainOptions): void {
  checkFile("--out", out);
  if (report === undefined) return;
  checkFile("--report", report);
  if (resolve(report) === resolve(out)) {
    throw new UsageError(`--report ${report}: expected another file than the model's, got the same`);
  }
}

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

/** The chosen optimizer with a rate that falls linearly to 0 over `steps`. */
function makeOptimizer(options: TrainOptions, steps: number): ReturnType<typeof optimizers.sgd> {
  const initial = initialRate(options);
  const learningRate = (step: number): number => initial * Math.max(0, 1 - step / steps);
  if (options.optimizer === "sgd") return optimizers.sgd({ learningRate, momentum: MOMENTUM });
  return optimizers[options.optimizer]({ learningRate });
}

/** Trains with a bar or lines on stdout; the bar is gone however training ends. Returns the curves of the run. */
async function fit(
  model: Model,
  dataset: Dataset,
  options: TrainOptions,
  signal: AbortSignal,
): Promise<TrainingCurves> {
  const { epochs, batchSize } = options;
  const recorder = new CurveRecorder(epochs, dataset.train.labels.length, batchSize);
  const progress = options.quiet ? noProgress : createProgress(epochs, process.stdout);
  let epochStarted = performance.now();
  try {
    await model.fit(dataset.train.images, dataset.train.labels, {
      epochs,
      batchSize,
      validationData: [dataset.test.images, dataset.test.labels],
      signal,
      onBatchEnd(state) {
        recorder.batch(state);
        progress.batch(state);
      },
      onEpochEnd({ epoch, loss, accuracy, validation }) {
        const seconds = (performance.now() - epochStarted) / 1000;
        epochStarted = performance.now();
        const heldOut = validation!;
        recorder.epoch({
          epochs: epoch,
          loss,
          accuracy,
          heldOutLoss: heldOut.loss,
          heldOutAccuracy: heldOut.accuracy,
        });
        const figures =
          `loss ${loss.toFixed(4)}  accuracy ${percent(accuracy).padStart(8)}  ` +
          `held out ${percent(heldOut.accuracy).padStart(8)}`;
        progress.line(`epoch ${epoch}/${epochs}  ${figures}  ${duration(seconds)}`);
      },
    });
  } finally {
    progress.stop();
  }
  return recorder.curves;
}

/** The loss of the run as one line: its first and last means with blocks between. */
function lossLine({ training }: TrainingCurves): string {
  const means = training.map(({ loss }) => loss);
  return `loss      ${means[0]!.toFixed(4)} ${sparkline(means)} ${means.at(-1)!.toFixed(4)}`;
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
  const tell = options.quiet ? () => {} : print;
  tell(`${describe(options, dataset, engine)}\n\n${model.summary()}\n`);

  const started = performance.now();
  const curves = await fit(model, dataset, options, signal);
  const seconds = (performance.now() - started) / 1000;

  const scores = model.predict(dataset.test.images).data;
  await takeSignals(signal);
  const { labels } = dataset.test;
  const table = confusion(labels, argmaxRows(scores, CLASSES), CLASSES);
  tell(
    `\nheld-out images: a row for each true figure, a column for each answer\n${formatConfusion(table)}\n`,
  );
  tell(`trained   in ${duration(seconds)}\n${lossLine(curves)}`);
  await saveRun({ model, engine, dataset, options, curves, scores, table }, print, signal).finally(() => {
    const correct = correctCount(table);
    tell("");
    print(`test accuracy ${percent(correct / labels.length)} (${correct} of ${labels.length})`);
  });
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
  checkFiles(options);
  const dataset = options.data === undefined ? drawDataset(options.seed) : loadFolder(options.data);
  await takeSignals(signal);
  const engine = await loadEngine(options);
  try {
    await trainOn(dataset, options, engine, print, signal);
  } finally {
    engine.dispose();
  }
}
