/** The options of `im2row train`, and how they are told. */
import packageJson from "../../../package.json" with { type: "json" };
import type { Engine } from "../../index.ts";
import type { CheckpointOptions, Identity } from "./checkpoints.ts";
import type { EngineOptions } from "../engine.ts";
import type { TrainTask } from "./task.ts";
import { UsageError } from "../usage.ts";

/** The optimizers by name, and the learning rates that they begin with unless another is asked for. */
export const RATES = {
  sgd: 0.03,
  adam: 0.001,
  adamw: 0.001,
  rmsprop: 0.003,
  adagrad: 0.03,
  lion: 0.001,
  lamb: 0.01,
} as const;

/** What options of digits are unless they are told, and those of pictures. */
export const DEFAULTS = {
  digits: { epochs: 5, batchSize: 64, optimizer: "sgd", out: "im2row-model.safetensors" },
  pictures: {
    epochs: 20,
    batchSize: 32,
    optimizer: "adam",
    out: "model",
    size: [64, 64],
    validationSplit: 0.2,
  },
} as const;

/** The options of `im2row train`, checked one by one by the command line's parser. */
export interface TrainOptions extends EngineOptions, CheckpointOptions {
  /** Folder with the four MNIST files; digits are drawn without it. */
  readonly data?: string;
  readonly epochs?: number;
  readonly batchSize?: number;
  /** The learning rate at the first step, which falls linearly to 0; without it the optimizer's usual one. */
  readonly learningRate?: number;
  readonly optimizer?: keyof typeof RATES;
  readonly seed: number;
  /** The file that the model is saved to; of pictures the name of two files, without their ends. */
  readonly out?: string;
  /** The file of the page about the run; none is written without it. */
  readonly report?: string;
  /** The file of the receipt of the run; none is written without it. */
  readonly receipt?: string;
  /** The steps from one of its links to the next. */
  readonly receiptEvery?: number;
  /** Of pictures: their height and width, and the share that is held out. */
  readonly size?: readonly [height: number, width: number];
  readonly validationSplit?: number;
  /** Whether pictures are changed at random in training. */
  readonly augment: boolean;
}

/** Options with their defaults. */
export type TrainSettings = TrainOptions &
  Required<Pick<TrainOptions, "epochs" | "batchSize" | "optimizer" | "out">> & {
    /** The files that the model is saved to. */
    readonly files: { readonly safetensors: string; readonly onnx?: string };
  };

/** Those of pictures. */
export type PictureSettings = TrainSettings & Required<Pick<TrainOptions, "size" | "validationSplit">>;

/** The files for the name that `--out` has for pictures. */
export function pictureFiles(out: string): TrainSettings["files"] {
  const name = out.replace(/(?<=[^/\\])\.(safetensors|onnx)$/, "");
  return name === "" ? { safetensors: "" } : { safetensors: `${name}.safetensors`, onnx: `${name}.onnx` };
}

/** @throws UsageError for options that are for pictures */
export function digitSettings(options: TrainOptions): TrainSettings {
  const { size, validationSplit, augment } = options;
  const isGiven = {
    size: size !== undefined,
    "validation-split": validationSplit !== undefined,
    "no-augment": !augment,
  };
  const wrong = Object.entries(isGiven).find(([, given]) => given);
  if (wrong) throw new UsageError(`--${wrong[0]}: expected a folder of pictures, got none`);
  const settings = { ...DEFAULTS.digits, ...options };
  return { ...settings, files: { safetensors: settings.out } };
}

/** The least height and width of pictures. */
const LEAST_SIDE = 8;

/** @throws UsageError for options that are for digits, and for pictures that are too small */
export function pictureSettings(options: TrainOptions): PictureSettings {
  if (options.data !== undefined) {
    throw new UsageError("--data: expected no folder of digits beside one of pictures, got both");
  }
  const settings = { ...DEFAULTS.pictures, ...options };
  if (Math.min(...settings.size) < LEAST_SIDE) {
    const least = `${LEAST_SIDE}×${LEAST_SIDE}`;
    throw new UsageError(`--size: expected ${least} pixels or more, got ${settings.size.join("×")}`);
  }
  return { ...settings, files: pictureFiles(settings.out) };
}

/** The momentum of `sgd`. */
export const MOMENTUM = 0.9;

/** The learning rate a run starts at. */
export function initialRate({ learningRate, optimizer }: TrainSettings): number {
  return learningRate ?? RATES[optimizer];
}

function optimizerText({ optimizer }: TrainSettings): string {
  return optimizer === "sgd" ? `sgd with momentum ${MOMENTUM}` : optimizer;
}

function rateText(settings: TrainSettings): string {
  return `${initialRate(settings)} falling to 0`;
}

function engineText({ math, threads }: Engine): string {
  return `WebAssembly, ${math}, ${threads === 1 ? "1 thread" : `${threads} threads`}`;
}

function imagesText({ training, heldOut, imageSize }: TrainTask): string {
  return `${training.count} images to train on, ${heldOut.count} held out, ${imageSize.join("×")}`;
}

/** Describes what a run is about to do, in aligned lines. */
export function describe(settings: TrainSettings, task: TrainTask, engine: Engine): string {
  const { count } = task.training;
  return [
    `data      ${task.source}: ${imagesText(task)}`,
    `engine    ${engineText(engine)}`,
    `training  ${settings.epochs} × ${count} images in batches of ${settings.batchSize}, seed ${settings.seed}`,
    `          ${optimizerText(settings)}, learning rate ${rateText(settings)}`,
    ...(task.augmentation === undefined ? [] : [`          augmentation: ${task.augmentation}`]),
  ].join("\n");
}

/** What a run was told and what it ran on, as names and values. */
export function settingRows(
  settings: TrainSettings,
  task: TrainTask,
  engine: Engine,
): (readonly [name: string, value: string])[] {
  return [
    ["data", task.source],
    ["images", imagesText(task)],
    ["epochs", String(settings.epochs)],
    ["batch size", String(settings.batchSize)],
    ["optimizer", optimizerText(settings)],
    ["learning rate", rateText(settings)],
    ["loss", "cross-entropy of the softmax"],
    ["seed", String(settings.seed)],
    ...(task.augmentation === undefined ? [] : [["augmentation", task.augmentation] as const]),
    ["engine", engineText(engine)],
    ["versions", `im2row ${packageJson.version}, Node.js ${process.versions.node}`],
    ["model", Object.values(settings.files).join(", ")],
  ];
}

/** All that the weights of a run follow from. */
export async function identityOf(settings: TrainSettings, task: TrainTask): Promise<Identity> {
  return {
    command: task.command[0]!,
    data: await task.training.identity(),
    images: task.training.count,
    classes: task.classes.join(" "),
    size: task.imageSize.join("x"),
    epochs: settings.epochs,
    "batch-size": settings.batchSize,
    optimizer: settings.optimizer,
    "learning-rate": initialRate(settings),
    seed: settings.seed,
    ...(settings.validationSplit !== undefined && { "validation-split": settings.validationSplit }),
    ...(task.augmentation !== undefined && { augmentation: task.augmentation }),
    receipt: settings.receipt !== undefined && (settings.receiptEvery ?? true),
  };
}

/** A word of a command line as POSIX shells take it. */
function shellWord(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

/** The command line that does a run again: the command, then the options, each with its value. */
export function commandOf(settings: TrainSettings, words: readonly string[]): string[] {
  const options = {
    data: settings.data,
    size: settings.size?.join("x"),
    "validation-split": settings.validationSplit,
    epochs: settings.epochs,
    "batch-size": settings.batchSize,
    optimizer: settings.optimizer,
    "learning-rate": initialRate(settings),
    seed: settings.seed,
    out: settings.out,
  };
  const told = Object.entries(options).filter(([, value]) => value !== undefined);
  return [
    ["im2row", ...words.map(shellWord)].join(" "),
    ...(settings.augment === false ? ["--no-augment"] : []),
    ...told.map(([name, value]) => `--${name} ${shellWord(String(value))}`),
  ];
}
