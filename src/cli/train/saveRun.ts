/** What a run of `im2row train` leaves behind: the model, and a page about the run. */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { loadModel, type Engine, type History, type Model } from "../../index.ts";
import type { TrainingCurves } from "./curves.ts";
import { firstFilters, worstMistakes } from "../htmlReport/collect.ts";
import { page } from "../htmlReport/page.ts";
import type { TrainingReport } from "../htmlReport/trainingReport.ts";
import { duration, fileSize } from "../report.ts";
import { save } from "../save.ts";
import { Interrupted } from "../signals.ts";
import { commandOf, settingRows, type TrainSettings } from "./options.ts";
import type { Judged, TrainTask } from "./task.ts";
import { causeOf } from "../usage.ts";

/** A run whose training has come to its end. */
export interface TrainedRun {
  readonly task: TrainTask;
  /** The net that trained. */
  readonly model: Model;
  readonly engine: Engine;
  readonly settings: TrainSettings;
  readonly curves: TrainingCurves;
  readonly history: History;
  /** What the net made of the held-out images, and how many of each class were taken for which. */
  readonly judged: Judged;
  readonly table: readonly (readonly number[])[];
}

/** Whether two arrays hold the same bits: unlike `===`, true for equal NaNs and false for 0 and −0. */
function sameBits(a: Float32Array, b: Float32Array): boolean {
  return Buffer.from(a.buffer, a.byteOffset, a.byteLength).equals(
    Buffer.from(b.buffer, b.byteOffset, b.byteLength),
  );
}

/** Saves a file, and returns whether it can be read again. */
async function saveFile(file: string, bytes: Uint8Array, signal: AbortSignal): Promise<boolean> {
  try {
    return await save(file, bytes, { signal });
  } catch (error) {
    signal.throwIfAborted();
    throw new Error(`${file}: the model could not be saved (${causeOf(error)})`, { cause: error });
  }
}

/** Saves the model, loads the file again and holds its scores against the ones in hand. */
async function saveAndCompare(run: TrainedRun, bytes: Uint8Array, signal: AbortSignal): Promise<void> {
  const { engine, task, judged } = run;
  const { safetensors: out } = run.settings.files;
  const isFile = await saveFile(out, bytes, signal);
  // Bytes that went into a pipe or a device cannot be read again.
  const again = loadModel(isFile ? readFileSync(out) : bytes);
  again.compile({ engine });
  const reloaded = await task.heldOut.judge(again);
  again.dispose();
  if (!sameBits(judged.scores, reloaded.scores)) {
    throw new Error(`${out}: expected the loaded model to predict the same bits, got other ones`);
  }
}

async function reportOf(run: TrainedRun, model: Model, sha256: string): Promise<TrainingReport> {
  const { engine, task, settings, curves, judged, table } = run;
  const { weights } = model;
  return {
    classes: task.classes,
    curves,
    confusion: table,
    mistakes: await worstMistakes(engine, { ...task.heldOut, ...judged }, task.classes.length),
    filters: firstFilters(weights),
    settings: settingRows(settings, task, engine),
    command: commandOf(settings, task.command),
    summary: model.summary(),
    weights: [...weights.values()].reduce((sum, { data }) => sum + data.length, 0),
    sha256,
  };
}

/** Saves the receipt of a run or the page about it, when its model is safe, and returns its size in bytes. */
async function saveBeside(
  what: "receipt" | "report",
  file: string,
  text: string,
  signal: AbortSignal,
): Promise<number> {
  const bytes = Buffer.from(text);
  try {
    await save(file, bytes, { signal });
  } catch (error) {
    const reason: unknown = signal.reason;
    if (reason instanceof Interrupted) {
      throw new Interrupted(reason.signal, `the model was saved, the ${what} was not`);
    }
    throw new Error(`${file}: the ${what} could not be saved, the model was (${causeOf(error)})`, {
      cause: error,
    });
  }
  return bytes.length;
}

/**
 * Saves the model first, then the receipt of the run and the page about it if they are wanted.
 * @throws an error that says which of them could not be saved; the reason of the signal
 */
export async function saveRun(
  run: TrainedRun,
  print: (text: string) => void,
  signal: AbortSignal,
): Promise<void> {
  const { task, settings } = run;
  const { files, report, receipt } = settings;
  const model = task.finished(run.model);
  const bytes = model.toSafetensors();
  const sha256 = createHash("sha256").update(bytes).digest("hex");
  await saveAndCompare(run, bytes, signal);
  print(
    `saved     ${files.safetensors}, ${fileSize(bytes.length)}\nsha256    ${sha256}\n` +
      `reloaded  all ${task.heldOut.count} predictions are the same, bit for bit`,
  );
  if (files.onnx !== undefined) {
    const onnx = model.toOnnx();
    await saveFile(files.onnx, onnx, signal);
    print(`saved     ${files.onnx}, ${fileSize(onnx.length)}`);
  }
  if (receipt !== undefined) {
    const { receipt: written, receiptMilliseconds = 0 } = run.history;
    const size = await saveBeside("receipt", receipt, `${JSON.stringify(written, undefined, 1)}\n`, signal);
    print(`receipt   ${receipt}, ${fileSize(size)}, which took ${duration(receiptMilliseconds / 1000)}`);
  }
  if (report === undefined) return;
  const size = await saveBeside("report", report, page(await reportOf(run, model, sha256)), signal);
  print(`report    ${report}, ${fileSize(size)}`);
}
