/** A receipt in a file, and the data that its run trained on: what `im2row verify` and `im2row trace` begin with. */
import type { Engine } from "../../index.ts";
import type { TrainingReceipt, VerifyTrainingOptions } from "../../receipts.ts";
import { OwnError } from "../../errors.ts";
import { readTrainingReceipt } from "../../receipts/read.ts";
import { isPlainObject, show } from "../../options.ts";
import type { CommonOptions, EngineOptions } from "../engine.ts";
import { read } from "../nets/inputs.ts";
import { jsonPieces, type Json } from "../json.ts";
import { printPieces } from "../output.ts";
import { digitsTask } from "../train/digitsTask.ts";
import { digitSettings, pictureSettings } from "../train/options.ts";
import { picturesTask } from "../train/picturesTask.ts";
import { isHeld } from "../train/task.ts";
import { FileError, messageOf, UsageError } from "../usage.ts";

export interface RunOptions extends EngineOptions {
  /** The folder with the data; digits are drawn without it. */
  readonly data?: string;
  /** Of pictures: the images a step, and the share that was held out. */
  readonly batchSize?: number;
  readonly validationSplit?: number;
}

/** What a file of JSON says. @throws FileError */
export function readJson(file: string, what: string): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(read(file)).toString("utf8"));
  } catch (error) {
    if (error instanceof FileError) throw error;
    throw new FileError(`${file}: expected ${what} (${messageOf(error)})`);
  }
  if (isPlainObject(value)) return value;
  throw new FileError(`${file}: expected ${what}, got ${show(value)}`);
}

/** The receipt of a run. @throws UsageError naming the field that no receipt of this package has so */
export function readReceipt(file: string): Promise<TrainingReceipt> {
  const value = readJson(file, "the receipt of a run");
  return naming(file, async () => readTrainingReceipt("verifyReceipt", value));
}

/** The parts of an architecture that tell of the data. */
interface Fed {
  readonly seed: number;
  readonly inputShape?: readonly number[];
  readonly inputs?: readonly { readonly shape: readonly number[] }[];
}

/** The data of a run, as `verifyReceipt` takes them. @throws UsageError for a folder that will not do */
export async function dataFor(
  receipt: TrainingReceipt,
  options: RunOptions,
  engine: Engine,
): Promise<Pick<VerifyTrainingOptions, "images" | "labels" | "batches">> {
  const { seed, inputShape, inputs } = receipt.architecture as unknown as Fed;
  const { data, batchSize, validationSplit, threads } = options;
  const common = { seed, augment: true, ...(threads !== undefined && { threads }) };
  if (!receipt.options.stream) {
    const task = digitsTask(digitSettings({ ...common, ...(data !== undefined && { data }) }));
    const held = task.training.data;
    return isHeld(held) ? { images: held[0], labels: held[1] } : { batches: held };
  }
  if (data === undefined) throw new UsageError("--data: expected the folder of the run's pictures, got none");
  const [height, width] = (inputShape ?? inputs![0]!.shape) as [number, number];
  const settings = pictureSettings({
    ...common,
    size: [height, width],
    ...(batchSize !== undefined && { batchSize }),
    ...(validationSplit !== undefined && { validationSplit }),
  });
  const { training } = await picturesTask(data, settings, engine);
  return isHeld(training.data) ? {} : { batches: training.data };
}

/** Names the file in errors about it, or about options that do not fit it: all of them are the user's. */
export async function naming<T>(file: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof OwnError) || error instanceof UsageError) throw error;
    throw new UsageError(`${file}: ${error.message.replace(/^\w+: /, "")}`, { cause: error });
  }
}

/** Says on a terminal how far a run has come; a line that stays begins where this one did. */
export function stepCounter(quiet: boolean | undefined): {
  step(state: { readonly step: number; readonly steps: number }): void;
  end(): void;
} {
  const shown = !quiet && process.stderr.isTTY;
  return {
    step: ({ step, steps }) => void (shown && process.stderr.write(`\r\x1b[Kstep ${step} of ${steps}`)),
    end: () => void (shown && process.stderr.write("\r\x1b[K")),
  };
}

/** Says on stdout, with `--json`, what an error says to people. */
export function tellJson({ json }: CommonOptions, object: Exclude<Json, undefined>): void {
  if (json) printPieces(jsonPieces(object));
}
