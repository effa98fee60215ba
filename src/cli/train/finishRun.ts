/** The end of a training run: what the net makes of held-out images is printed, and the model saved. */
import { sparkline, type TrainingCurves } from "./curves.ts";
import {
  argmaxRows,
  confusion,
  confusionTitle,
  correctCount,
  duration,
  formatConfusion,
  percent,
} from "../report.ts";
import { saveRun, type TrainedRun } from "./saveRun.ts";
import { takeSignals } from "../signals.ts";

/** The loss of the run as one line: its first and last means with blocks between. */
function lossLine({ training }: TrainingCurves): string {
  const means = training.map(({ loss }) => loss);
  return `loss      ${means[0]!.toFixed(4)} ${sparkline(means)} ${means.at(-1)!.toFixed(4)}`;
}

/** @throws what `saveRun` does; the accuracy is printed in any case */
export async function finishRun(
  run: Omit<TrainedRun, "table"> & { readonly seconds: number },
  print: (text: string) => void,
  signal: AbortSignal,
): Promise<void> {
  const { task, settings, curves, judged, seconds } = run;
  const { classes, heldOut } = task;
  await takeSignals(signal);
  const tell = settings.quiet ? () => {} : print;
  const table = confusion(judged.labels, argmaxRows(judged.scores, classes.length), classes.length);
  tell(`\n${confusionTitle(classes)}\n${formatConfusion(table, classes)}\n`);
  tell(`trained   in ${duration(seconds)}\n${lossLine(curves)}`);
  await saveRun({ ...run, table }, print, signal).finally(() => {
    const correct = correctCount(table);
    tell("");
    print(`test accuracy ${percent(correct / heldOut.count)} (${correct} of ${heldOut.count})`);
  });
}
