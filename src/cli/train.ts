import { resolve } from "node:path";
import { losses, type Engine } from "../index.ts";
import { sparkline, type TrainingCurves } from "./curves.ts";
import { loadEngine } from "./engine.ts";
import { argmaxRows, confusion, correctCount, duration, formatConfusion, percent } from "./report.ts";
import { checkPlace } from "./save.ts";
import { saveRun } from "./saveRun.ts";
import { takeSignals } from "./signals.ts";
import { digitsTask } from "./trainDigits.ts";
import { fitModel, makeOptimizer, stepsOf } from "./trainModel.ts";
import { describe, settingsFor, type TrainOptions, type TrainSettings } from "./trainOptions.ts";
import type { TrainTask } from "./trainTask.ts";
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

function checkFiles({ out, report }: TrainSettings): void {
  checkFile("--out", out);
  if (report === undefined) return;
  checkFile("--report", report);
  if (resolve(report) === resolve(out)) {
    throw new UsageError(`--report ${report}: expected another file than the model's, got the same`);
  }
}

/** The loss of the run as one line: its first and last means with blocks between. */
function lossLine({ training }: TrainingCurves): string {
  const means = training.map(({ loss }) => loss);
  return `loss      ${means[0]!.toFixed(4)} ${sparkline(means)} ${means.at(-1)!.toFixed(4)}`;
}

/** Everything between data and last line; the caller owns the engine. */
async function runTask(
  task: TrainTask,
  settings: TrainSettings,
  engine: Engine,
  print: (text: string) => void,
  signal: AbortSignal,
): Promise<void> {
  const { model, training, heldOut, classes } = task;
  const optimizer = makeOptimizer(settings, stepsOf(settings, training.count));
  model.compile({ engine, optimizer, loss: losses.softmaxCrossEntropy() });
  const tell = settings.quiet ? () => {} : print;
  tell(`${describe(settings, task, engine)}\n\n${model.summary()}\n`);

  const { curves, seconds } = await fitModel(task, settings, signal);

  const judged = await heldOut.judge(model, signal);
  await takeSignals(signal);
  const table = confusion(judged.labels, argmaxRows(judged.scores, classes.length), classes.length);
  tell(
    `\nheld-out images: a row for each true figure, a column for each answer\n${formatConfusion(table)}\n`,
  );
  tell(`trained   in ${duration(seconds)}\n${lossLine(curves)}`);
  await saveRun({ task, engine, settings, curves, judged, table }, print, signal).finally(() => {
    const correct = correctCount(table);
    tell("");
    print(`test accuracy ${percent(correct / heldOut.count)} (${correct} of ${heldOut.count})`);
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
  const settings = settingsFor("digits", options);
  checkFiles(settings);
  const task = digitsTask(settings);
  await takeSignals(signal);
  const engine = await loadEngine(settings);
  try {
    await runTask(task, settings, engine, print, signal);
  } finally {
    engine.dispose();
  }
}
