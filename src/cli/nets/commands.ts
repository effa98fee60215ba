/** The commands that take a net from a file: run, inspect, bench, export. */
import { Option, type Command } from "commander";
import {
  namedFile,
  namedShape,
  numbers,
  positiveInteger,
  positiveNumber,
  positiveNumbers,
  sizePair,
  threadCount,
} from "../arguments.ts";
import { bench, type BenchOptions } from "./bench.ts";
import { exportNet, LAYOUTS, WEIGHTS, type ExportOptions } from "./export.ts";
import { inspect, type InspectOptions } from "./inspect.ts";
import { run, type RunOptions } from "./run.ts";

const MODEL = "an ONNX file, or a .safetensors file of this package";

export const threadsOption = (): Option =>
  new Option("--threads <n>", "threads to compute with, from 1 to 64, or auto (default: 1)").argParser(
    threadCount,
  );

const shapeOption = (): Option =>
  new Option(
    "--shape <shape>",
    "of an input whose sizes the file leaves open, as 1x3x224x224; <name>=<shape> where there are several",
  )
    .argParser(namedShape)
    .default([], "as the file declares");

export const jsonOption = (): Option =>
  new Option("--json", "print one JSON object, and nothing else, on stdout");

function addRun(program: Command): void {
  program
    .command("run")
    .summary("run a net on arrays or images")
    .description(
      "Runs a net on .npy arrays (float32), or on PNG or JPEG images, of which each pixel becomes " +
        "(pixel × scale − mean) / std. Several files are run one by one, each by itself; one that cannot be read " +
        "does not keep the others from it.",
    )
    .argument("<model>", MODEL)
    .argument(
      "[files...]",
      "what the net is fed, each by itself: files, folders, quoted patterns as 'photos/*.jpg'",
    )
    .option("--input <file>", "what the net is fed; <name>=<file> where there are several inputs", namedFile)
    .option(
      "--output <file>",
      "where an output goes, as .npy or .json by its name; <name>=<file> where there are several",
      namedFile,
    )
    .option(
      "--top <k>",
      "print the k classes with the largest scores (default: 5 of an image where the model names them)",
      positiveInteger,
    )
    .option("--labels <file>", "names of the classes, one a line (default: those in the model)")
    .option("--size <n>", "of an image, as 224 or 224x320 (default: as the net declares)", sizePair)
    .option("--scale <x>", "what pixels from 0 to 255 are multiplied with (default: 1/255)", positiveNumber)
    .option("--mean <x,…>", "subtracted, one number or one a channel (default: 0)", numbers)
    .option("--std <x,…>", "divided by, one number or one a channel (default: 1)", positiveNumbers)
    .addOption(threadsOption())
    .addOption(jsonOption())
    .action((model: string, files: string[], options: RunOptions) => run(model, files, options));
}

function addInspect(program: Command): void {
  program
    .command("inspect")
    .summary("print the nodes of a net, its weights, FLOPs and memory")
    .argument("<model>", MODEL)
    .addOption(shapeOption())
    .option("--values", "list the values inside of the net with their types and shapes, and nothing else")
    .option("--value <name>", "print the type and shape of one of them")
    .addOption(threadsOption())
    .addOption(jsonOption())
    .action((model: string, options: InspectOptions) => inspect(model, options));
}

function addBench(program: Command): void {
  program
    .command("bench")
    .summary("time a net by its nodes")
    .argument("<model>", MODEL)
    .addOption(shapeOption())
    .option(
      "--batch <n>",
      "images a run (default: as --shape says, else 1 where any number will do)",
      positiveInteger,
    )
    .option("--runs <n>", "runs, of which median, quartiles and extremes are printed", positiveInteger, 20)
    .addOption(threadsOption())
    .addOption(jsonOption())
    .action((model: string, options: BenchOptions) => bench(model, options));
}

function addExport(program: Command): void {
  program
    .command("export")
    .summary("write a net as ONNX or safetensors")
    .description(
      "Writes a net to a file of the kind that its name says: ONNX for other programs, safetensors for this package. " +
        "Nets of which the images of a batch meet, or with operators that no layer does, are not written as safetensors.",
    )
    .argument("<model>", MODEL)
    .argument("<out>", "the new file, which ends in .onnx or .safetensors")
    .addOption(
      new Option(
        "--layout <axes>",
        "order of the axes of images in an ONNX file from a .safetensors file (default: that of the net)",
      ).choices(LAYOUTS),
    )
    .addOption(
      new Option(
        "--weights <type>",
        "how an ONNX file stores filters and matrices; it computes in float32 in any case",
      )
        .choices(WEIGHTS)
        .default("float32"),
    )
    .addOption(shapeOption())
    .addOption(jsonOption())
    .action((model: string, out: string, options: ExportOptions) => exportNet(model, out, options));
}

export function addNetCommands(program: Command): void {
  addRun(program);
  addInspect(program);
  addBench(program);
  addExport(program);
}
