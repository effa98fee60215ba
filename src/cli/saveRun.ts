/** What a run of `im2row train` leaves behind: the model, and a page about the run. */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { loadModel, type Engine, type Model } from "../index.ts";
import type { TrainingCurves } from "./curves.ts";
import { CLASSES, type Dataset } from "./data.ts";
import { firstFilters, worstMistakes } from "./htmlReport/collect.ts";
import { page } from "./htmlReport/page.ts";
import type { TrainingReport } from "./htmlReport/trainingReport.ts";
import { fileSize } from "./report.ts";
import { save } from "./save.ts";
import { Interrupted } from "./signals.ts";
import { commandOf, settingsOf, type TrainOptions } from "./trainOptions.ts";
import { causeOf } from "./usage.ts";

/** A run whose training has come to its end. */
export interface TrainedRun {
  readonly model: Model;
  readonly engine: Engine;
  readonly dataset: Dataset;
  readonly options: TrainOptions;
  readonly curves: TrainingCurves;
  /** The scores of the held-out images, and how many of each class were taken for which. */
  readonly scores: Float32Array;
  readonly table: readonly (readonly number[])[];
}

/** Whether two arrays hold the same bits: unlike `===`, true for equal NaNs and false for 0 and −0. */
function sameBits(a: Float32Array, b: Float32Array): boolean {
  return Buffer.from(a.buffer, a.byteOffset, a.byteLength).equals(
    Buffer.from(b.buffer, b.byteOffset, b.byteLength),
  );
}

/** Saves the model, loads the file again and holds its scores against the ones in hand. */
async function saveAndCompare(run: TrainedRun, bytes: Uint8Array, signal: AbortSignal): Promise<void> {
  const { engine, dataset, scores } = run;
  const { out } = run.options;
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
}

function reportOf(run: TrainedRun, sha256: string): TrainingReport {
  const { model, engine, dataset, options, curves, scores, table } = run;
  const { weights } = model;
  return {
    classes: Array.from({ length: CLASSES }, (_, figure) => String(figure)),
    curves,
    confusion: table,
    mistakes: worstMistakes(engine, dataset.test, scores, CLASSES),
    filters: firstFilters(weights),
    settings: settingsOf(options, dataset, engine),
    command: commandOf(options),
    summary: model.summary(),
    weights: [...weights.values()].reduce((sum, { data }) => sum + data.length, 0),
    sha256,
  };
}

/** Saves the page about a run whose model is safe, and returns its size in bytes. */
async function saveReport(file: string, report: TrainingReport, signal: AbortSignal): Promise<number> {
  const bytes = Buffer.from(page(report));
  try {
    await save(file, bytes, { signal });
  } catch (error) {
    const reason: unknown = signal.reason;
    if (reason instanceof Interrupted) {
      throw new Interrupted(reason.signal, "the model was saved, the report was not");
    }
    throw new Error(`${file}: the report could not be saved, the model was (${causeOf(error)})`, {
      cause: error,
    });
  }
  return bytes.length;
}

/**
 * Saves the model first, then the page about the run if one is wanted.
 * @throws an error that says which of them could not be saved; the reason of the signal
 */
export async function saveRun(
  run: TrainedRun,
  print: (text: string) => void,
  signal: AbortSignal,
): Promise<void> {
  const { out, report } = run.options;
  const bytes = run.model.toSafetensors();
  const sha256 = createHash("sha256").update(bytes).digest("hex");
  await saveAndCompare(run, bytes, signal);
  print(
    `saved     ${out}, ${fileSize(bytes.length)}\nsha256    ${sha256}\n` +
      `reloaded  all ${run.dataset.test.labels.length} predictions are the same, bit for bit`,
  );
  if (report === undefined) return;
  const size = await saveReport(report, reportOf(run, sha256), signal);
  print(`report    ${report}, ${fileSize(size)}`);
}
