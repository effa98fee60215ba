/** The commands that train nets. */
import { Option, type Command } from "commander";
import { listed } from "../options.ts";
import { integerFrom, positiveInteger, positiveNumber, share, sizePair } from "./arguments.ts";
import { threadsOption } from "./netCommands.ts";
import { print, tellIfReaderGoes } from "./output.ts";
import { interruptible } from "./signals.ts";
import { train } from "./train.ts";
import { DEFAULTS, RATES, type TrainOptions } from "./trainOptions.ts";

/** A signal ends the run, and the model is kept from a reader of stdout that goes away. */
function runTrain(folder: string | undefined, options: TrainOptions): Promise<void> {
  tellIfReaderGoes("stdout: its reader is gone; training goes on, and the model will be saved");
  const left = options.report === undefined ? "no model was saved" : "no model and no report were saved";
  return interruptible((signal) => train(folder, options, print, signal), left);
}

const { digits, pictures } = DEFAULTS;

/** Says a default, and that of pictures where it is another. */
const defaultText = (name: "epochs" | "batchSize" | "optimizer" | "out"): string =>
  `(default: ${digits[name]}, for pictures ${pictures[name]})`;

const RATES_TEXT = listed(Object.entries(RATES).map((rate) => rate.join(" ")));

export function addTrainCommands(program: Command): void {
  program
    .command("train")
    .summary("train a small convolutional net on digits or pictures")
    .description(
      "Trains a small convolutional net on digits, or on a folder of PNG and JPEG pictures in which each folder is a class. " +
        "It prints its accuracy on held-out images and a confusion table, and saves it. Without --data and folder it draws " +
        "digits of its own.",
    )
    .argument("[folder]", "pictures in a folder for each class, as photos with photos/cat and photos/dog")
    .option("--data <folder>", "train on the four MNIST files in this folder, plain or .gz")
    .option("--epochs <n>", `passes over the training images ${defaultText("epochs")}`, positiveInteger)
    .option("--batch-size <n>", `images a step ${defaultText("batchSize")}`, positiveInteger)
    .option(
      "--learning-rate <x>",
      `at the start; falls linearly to 0 (default: ${RATES_TEXT})`,
      positiveNumber,
    )
    .addOption(
      new Option("--optimizer <name>", `how weights are updated ${defaultText("optimizer")}`).choices(
        Object.keys(RATES),
      ),
    )
    .option("--seed <n>", "of drawing, weights and order", integerFrom(0, "an integer from 0 to 2^53 - 1"), 1)
    .option(
      "--size <n>",
      `of pictures, to which they are resized, cut in the middle to its proportions, as 64 or 48x64 (default: ${pictures.size[0]})`,
      sizePair,
    )
    .option(
      "--validation-split <x>",
      `the share of the pictures that is held out, drawn by the seed (default: ${pictures.validationSplit})`,
      share,
    )
    .option("--no-augment", "do not flip pictures left to right and shift them by up to a tenth at random")
    .option(
      "--out <file>",
      `where the model goes ${defaultText("out")}; of pictures <file>.safetensors and <file>.onnx`,
    )
    .option("--report <file>", "where a page about the run goes, as report.html (default: none)")
    .option(
      "--receipt <file>",
      "where a receipt goes, as run.json, by which anybody can check the run (default: none)",
    )
    .option("--checkpoint <folder>", "where checkpoints go, from which a run goes on (default: none)")
    .option(
      "--checkpoint-every <n>",
      "steps from one to the next (default: those of an epoch)",
      positiveInteger,
    )
    .option("--resume", "go on from the newest checkpoint in the folder, with the same options and data")
    .addOption(threadsOption())
    .action(runTrain);
}
