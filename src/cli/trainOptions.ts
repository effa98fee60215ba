/** The options of `im2row train`, and how they are told. */
import packageJson from "../../package.json" with { type: "json" };
import type { Engine } from "../index.ts";
import type { Dataset } from "./data.ts";
import type { EngineOptions } from "./engine.ts";

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

/** The options of `im2row train`, checked one by one by the command line's parser. */
export interface TrainOptions extends EngineOptions {
  /** Folder with the four MNIST files; digits are drawn without it. */
  readonly data?: string;
  readonly epochs: number;
  readonly batchSize: number;
  /** The learning rate at the first step, which falls linearly to 0; without it the optimizer's usual one. */
  readonly learningRate?: number;
  readonly optimizer: keyof typeof RATES;
  readonly seed: number;
  /** The file that the model is saved to. */
  readonly out: string;
  /** The file of the page about the run; none is written without it. */
  readonly report?: string;
}

/** The momentum of `sgd`. */
export const MOMENTUM = 0.9;

/** The learning rate a run starts at. */
export function initialRate({ learningRate, optimizer }: TrainOptions): number {
  return learningRate ?? RATES[optimizer];
}

function optimizerText({ optimizer }: TrainOptions): string {
  return optimizer === "sgd" ? `sgd with momentum ${MOMENTUM}` : optimizer;
}

function rateText(options: TrainOptions): string {
  return `${initialRate(options)} falling to 0`;
}

function engineText({ math, threads }: Engine): string {
  return `WebAssembly, ${math}, ${threads === 1 ? "1 thread" : `${threads} threads`}`;
}

/** Describes what a run is about to do, in aligned lines. */
export function describe(options: TrainOptions, dataset: Dataset, engine: Engine): string {
  const { test, source } = dataset;
  const [count, height, width] = dataset.train.images.shape as [number, number, number];
  return [
    `data      ${source}: ${count} images to train on, ${test.labels.length} held out, ${height}×${width}`,
    `engine    ${engineText(engine)}`,
    `training  ${options.epochs} × ${count} images in batches of ${options.batchSize}, seed ${options.seed}`,
    `          ${optimizerText(options)}, learning rate ${rateText(options)}`,
  ].join("\n");
}

/** What a run was told and what it ran on, as names and values. */
export function settingsOf(
  options: TrainOptions,
  dataset: Dataset,
  engine: Engine,
): (readonly [name: string, value: string])[] {
  const [count, height, width] = dataset.train.images.shape as [number, number, number];
  return [
    ["data", dataset.source],
    ["images", `${count} to train on, ${dataset.test.labels.length} held out, ${height}×${width}`],
    ["epochs", String(options.epochs)],
    ["batch size", String(options.batchSize)],
    ["optimizer", optimizerText(options)],
    ["learning rate", rateText(options)],
    ["loss", "cross-entropy of the softmax"],
    ["seed", String(options.seed)],
    ["engine", engineText(engine)],
    ["versions", `im2row ${packageJson.version}, Node.js ${process.versions.node}`],
    ["model", options.out],
  ];
}

/** A word of a command line as POSIX shells take it. */
function shellWord(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

/** The command line that does a run again: the command, then the options, each with its value. */
export function commandOf(options: TrainOptions): string[] {
  const words = {
    data: options.data,
    epochs: options.epochs,
    "batch-size": options.batchSize,
    optimizer: options.optimizer,
    "learning-rate": initialRate(options),
    seed: options.seed,
    out: options.out,
  };
  const told = Object.entries(words).filter(([, value]) => value !== undefined);
  return ["im2row train", ...told.map(([name, value]) => `--${name} ${shellWord(String(value))}`)];
}
