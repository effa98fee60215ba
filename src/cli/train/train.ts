import { resolve } from "node:path";
import { losses, type Engine, type Model } from "../../index.ts";
import {
  checkCheckpointOptions,
  loadCheckpoint,
  openCheckpoints,
  sayingWhereItGoesOn,
} from "./checkpoints.ts";
import { loadEngine } from "../engine.ts";
import { finishRun } from "./finishRun.ts";
import { pictureFault } from "./pictures.ts";
import { checkPlace } from "../save.ts";
import { takeSignals } from "../signals.ts";
import { digitsTask } from "./digitsTask.ts";
import { fitModel, makeOptimizer, stepsOf } from "./fitModel.ts";
import { picturesTask } from "./picturesTask.ts";
import {
  describe,
  digitSettings,
  identityOf,
  pictureSettings,
  type TrainOptions,
  type TrainSettings,
} from "./options.ts";
import type { TrainTask } from "./task.ts";
import { causeOf, UsageError } from "../usage.ts";

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

function checkFiles({ files, report, receipt }: TrainSettings): void {
  const outs = Object.values(files);
  for (const file of outs) checkFile("--out", file);
  const before: (readonly [what: string, file: string])[] = outs.map((file) => ["the model's", file]);
  for (const [name, file] of Object.entries({ report, receipt })) {
    if (file === undefined) continue;
    checkFile(`--${name}`, file);
    const same = before.find(([, other]) => resolve(other) === resolve(file));
    if (same) throw new UsageError(`--${name} ${file}: expected another file than ${same[0]}, got the same`);
    before.push([`the ${name}'s`, file]);
  }
}

/** The net that trains, from its beginning or from the newest checkpoint, and what is said of that. */
async function beginRun(
  settings: TrainSettings,
  task: TrainTask,
): Promise<{ model: Model; lines: readonly string[] }> {
  const { checkpoint, resume = false } = settings;
  if (checkpoint === undefined) return { model: task.model, lines: [] };
  const newest = await openCheckpoints(checkpoint, resume, await identityOf(settings, task));
  if (!newest) {
    return { model: task.model, lines: resume ? [`begun     anew, as ${checkpoint} has no checkpoint`] : [] };
  }
  const { file, step } = newest;
  const epoch = Math.min(
    settings.epochs,
    1 + Math.floor(step / stepsOf({ ...settings, epochs: 1 }, task.training.count)),
  );
  return {
    model: loadCheckpoint(file),
    lines: [`resumed   from ${file}: step ${step}, epoch ${epoch} of ${settings.epochs}`],
  };
}

/** Everything between data and last line; the caller owns the engine. */
async function runTask(
  task: TrainTask,
  settings: TrainSettings,
  engine: Engine,
  print: (text: string) => void,
  signal: AbortSignal,
): Promise<void> {
  const begun = await beginRun(settings, task);
  const { model } = begun;
  const optimizer = makeOptimizer(settings, stepsOf(settings, task.training.count));
  model.compile({ engine, optimizer, loss: losses.softmaxCrossEntropy() });
  const tell = settings.quiet ? () => {} : print;
  tell([describe(settings, task, engine), ...begun.lines, "", model.summary(), ""].join("\n"));

  const { curves, history, seconds } = await fitModel(model, task, settings, signal);

  const judged = await task.heldOut.judge(model, signal);
  await finishRun({ task, model, engine, settings, curves, history, seconds, judged }, print, signal);
}

/** Works on an engine of its own, with settings that were checked. @throws UsageError for pictures that will not do */
export async function runOn(settings: TrainSettings, work: (engine: Engine) => Promise<void>): Promise<void> {
  checkCheckpointOptions(settings);
  if (settings.receiptEvery !== undefined && settings.receipt === undefined) {
    throw new UsageError("--receipt-every: expected --receipt <file> besides, got none");
  }
  checkFiles(settings);
  const engine = await loadEngine(settings);
  try {
    await work(engine);
  } catch (error) {
    const { checkpoint } = settings;
    throw checkpoint === undefined
      ? pictureFault(error)
      : sayingWhereItGoesOn(pictureFault(error), checkpoint);
  } finally {
    engine.dispose();
  }
}

/**
 * The main job: trains a small convolutional net on digits or on a folder of pictures, judges it by images it has not seen,
 * saves it, loads it again and shows that both predict the same bits. All input but the pictures themselves is checked
 * before training begins.
 *
 * @param folder has a folder of pictures for each class; without one the net learns digits
 * @param options as parsed from the command line
 * @param print says lines on stdout
 * @param signal stops the run; training rejects with its reason, and nothing is saved
 * @throws UsageError for a folder, a file or a path that will not do
 */
export async function train(
  folder: string | undefined,
  options: TrainOptions,
  print: (text: string) => void,
  signal: AbortSignal,
): Promise<void> {
  const run = async (task: TrainTask, settings: TrainSettings, engine: Engine): Promise<void> => {
    await takeSignals(signal);
    return runTask(task, settings, engine, print, signal);
  };
  if (folder === undefined) {
    const settings = digitSettings(options);
    return runOn(settings, (engine) => run(digitsTask(settings), settings, engine));
  }
  const settings = pictureSettings(options);
  return runOn(settings, async (engine) =>
    run(await picturesTask(folder, settings, engine), settings, engine),
  );
}
