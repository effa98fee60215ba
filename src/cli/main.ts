import { Command, CommanderError, InvalidArgumentError, Option } from "commander";
import packageJson from "../../package.json" with { type: "json" };
import type { NamedFile, NamedShape } from "./inputs.ts";
import { bench, inspect, run, type BenchOptions, type InspectOptions, type RunOptions } from "./onnx.ts";
import { complain, outliveStdout, print, tellIfReaderGoes } from "./output.ts";
import { exit, Interrupted, interruptible } from "./signals.ts";
import { train } from "./train.ts";
import { OPTIMIZERS, type TrainOptions } from "./trainOptions.ts";
import { messageOf, UsageError } from "./usage.ts";

const EXIT_FAILED = 1;
const EXIT_USAGE = 2;
/** Only plain decimal digits are integers here: `Number` would take "", "1e3" and "0x10" too. */
function integerFrom(least: number, what: string): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (/^\d+$/.test(text) && value >= least && !Number.isSafeInteger(value)) {
      throw new InvalidArgumentError(`Expected an integer of at most 2^53 - 1, got ${JSON.stringify(text)}.`);
    }
    if (!/^\d+$/.test(text) || value < least) {
      throw new InvalidArgumentError(`Expected ${what}, got ${JSON.stringify(text)}.`);
    }
    return value;
  };
}

function positiveNumber(text: string): number {
  const value = Number(text);
  if (!/^[\d.]+(e[+-]?\d+)?$/i.test(text) || !Number.isFinite(value) || value <= 0) {
    throw new InvalidArgumentError(`Expected a positive number, got ${JSON.stringify(text)}.`);
  }
  return value;
}

/** One number, or one a channel: `0.485,0.456,0.406`. */
function numbers(text: string): number[] {
  const values = text.split(",").map((part) => (part.trim() === "" ? NaN : Number(part)));
  if (!values.every(Number.isFinite)) {
    throw new InvalidArgumentError(
      `Expected numbers, as 0.5 or 0.485,0.456,0.406, got ${JSON.stringify(text)}.`,
    );
  }
  return values;
}

function positiveNumbers(text: string): number[] {
  const values = numbers(text);
  if (values.every((value) => value > 0)) return values;
  throw new InvalidArgumentError(`Expected positive numbers, got ${JSON.stringify(text)}.`);
}

/** `224` or `224x320`, height and width. */
function sizePair(text: string): [number, number] {
  const [, height, width = height] = /^([1-9]\d{0,4})(?:x([1-9]\d{0,4}))?$/.exec(text) ?? [];
  if (height === undefined) {
    throw new InvalidArgumentError(`Expected a size, as 224 or 224x320, got ${JSON.stringify(text)}.`);
  }
  return [Number(height), Number(width)];
}

/** `file` or `name=file`, after those before. */
function namedFile(text: string, before: readonly NamedFile[]): NamedFile[] {
  const at = text.indexOf("=");
  return [...before, at < 0 ? { file: text } : { name: text.slice(0, at), file: text.slice(at + 1) }];
}

/** `1x3x224x224` or `name=1x3x224x224`, after those before. */
function namedShape(text: string, before: readonly NamedShape[]): NamedShape[] {
  const at = text.lastIndexOf("=");
  const sizes = text.slice(at + 1);
  if (!/^[1-9]\d{0,9}(x[1-9]\d{0,9})*$/.test(sizes)) {
    throw new InvalidArgumentError(
      `Expected a shape, as 1x3x224x224 or x=1x3x224x224, got ${JSON.stringify(text)}.`,
    );
  }
  const shape = sizes.split("x").map(Number);
  return [...before, at < 0 ? { shape } : { name: text.slice(0, at), shape }];
}

/** A signal ends the run, and the model is kept from a reader of stdout that goes away. */
function runTrain(options: TrainOptions): Promise<void> {
  tellIfReaderGoes("stdout: its reader is gone; training goes on, and the model will be saved");
  const left = options.report === undefined ? "no model was saved" : "no model and no report were saved";
  return interruptible((signal) => train(options, print, signal), left);
}

function createProgram(): Command {
  const program = new Command("im2row")
    .description(packageJson.description)
    .version(packageJson.version)
    .exitOverride()
    // The text comes back in the error that exitOverride throws, and is said once, in fail().
    .configureOutput({ outputError: () => {} });
  program
    .command("train")
    .summary("train a small convolutional net on digits")
    .description(
      "Trains a small convolutional net on digits, prints its accuracy on held-out images and a confusion " +
        "table, and saves it. Without --data it draws its own digits.",
    )
    .option(
      "--data <folder>",
      "train on the four MNIST files in this folder, plain or .gz (default: draw digits)",
    )
    .option("--epochs <n>", "passes over the training images", integerFrom(1, "a positive integer"), 5)
    .option("--batch-size <n>", "images a step", integerFrom(1, "a positive integer"), 64)
    .option(
      "--learning-rate <x>",
      "at the start; falls linearly to 0 (default: sgd 0.03, others 0.001)",
      positiveNumber,
    )
    .addOption(new Option("--optimizer <name>", "how weights are updated").choices(OPTIMIZERS).default("sgd"))
    .option("--seed <n>", "of drawing, weights and order", integerFrom(0, "an integer from 0 to 2^53 - 1"), 1)
    .option("--out <file>", "where the model goes", "im2row-model.safetensors")
    .option("--report <file>", "where a page about the run goes, as report.html (default: none)")
    .action(runTrain);
  addOnnxCommands(program);
  return program;
}

const shapeOption = (): Option =>
  new Option(
    "--shape <shape>",
    "of an input whose sizes the file leaves open, as 1x3x224x224; <name>=<shape> where there are several",
  )
    .argParser(namedShape)
    .default([], "as the file declares");

function addOnnxCommands(program: Command): void {
  program
    .command("run")
    .summary("run an ONNX file on arrays or images")
    .description(
      "Runs an ONNX file on .npy arrays (float32), or on PNG or JPEG images, of which each pixel becomes " +
        "(pixel × scale − mean) / std.",
    )
    .argument("<model>", "ONNX file")
    .option("--input <file>", "what the net is fed; <name>=<file> where there are several", namedFile, [])
    .option(
      "--output <file>",
      "where an output goes, as .npy or .json by its name; <name>=<file> where there are several",
      namedFile,
      [],
    )
    .option("--top <k>", "print the k classes with the largest scores", integerFrom(1, "a positive integer"))
    .option("--labels <file>", "names of the classes, one a line (default: those in the model)")
    .option("--size <n>", "of an image, as 224 or 224x320 (default: as the net declares)", sizePair)
    .option("--scale <x>", "what pixels from 0 to 255 are multiplied with (default: 1/255)", positiveNumber)
    .option("--mean <x,…>", "subtracted, one number or one a channel (default: 0)", numbers)
    .option("--std <x,…>", "divided by, one number or one a channel (default: 1)", positiveNumbers)
    .action((model: string, options: RunOptions) => run(model, options, print));
  program
    .command("inspect")
    .summary("print the nodes of an ONNX file, its weights, FLOPs and memory")
    .argument("<model>", "ONNX file")
    .addOption(shapeOption())
    .action((model: string, options: InspectOptions) => inspect(model, options, print));
  program
    .command("bench")
    .summary("time an ONNX file by layers")
    .argument("<model>", "ONNX file")
    .addOption(shapeOption())
    .option(
      "--batch <n>",
      "images a run (default: as --shape says, else 1 where any number will do)",
      integerFrom(1, "a positive integer"),
    )
    .option("--runs <n>", "runs, of which the median counts", integerFrom(1, "a positive integer"), 20)
    .action((model: string, options: BenchOptions) => bench(model, options, print));
}

/** Says what went wrong in one line; returns the exit code. */
function fail(error: unknown): number {
  if (error instanceof CommanderError) {
    // Help and version end with code 0, and have said what they had to say; so has the help for no command.
    if (error.exitCode === 0) return 0;
    if (error.code !== "commander.help") complain(messageOf(error).replace(/^error: /, ""));
    return EXIT_USAGE;
  }
  complain(messageOf(error));
  if (error instanceof Interrupted) return error.exitCode;
  return error instanceof UsageError ? EXIT_USAGE : EXIT_FAILED;
}

outliveStdout();
try {
  await createProgram().parseAsync();
} catch (error) {
  // A stdout that did not take the text has set an exit code already, which help and version keep.
  process.exitCode = fail(error) || process.exitCode;
  if (error instanceof Interrupted) exit(error.exitCode);
}
