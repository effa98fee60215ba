/** The commands that train nets. */
import { Option, type Command } from "commander";
import { listed } from "../../options.ts";
import {
  integerFrom,
  numbers,
  positiveInteger,
  positiveNumber,
  positiveNumbers,
  share,
  sizePair,
} from "../arguments.ts";
import { finetune, HEAD_RATES, UNFREEZE_EPOCHS, UNFREEZE_RATE, type FinetuneOptions } from "./finetune.ts";
import { threadsOption } from "../nets/commands.ts";
import { print, tellIfReaderGoes } from "../output.ts";
import { interruptible } from "../signals.ts";
import { train } from "./train.ts";
import { DEFAULTS, RATES, type TrainOptions } from "./options.ts";

/** A signal ends the run, and the model is kept from a reader of stdout that goes away. */
function runTraining({ report }: TrainOptions, work: (signal: AbortSignal) => Promise<void>): Promise<void> {
  tellIfReaderGoes("stdout: its reader is gone; training goes on, and the model will be saved");
  const left = report === undefined ? "no model was saved" : "no model and no report were saved";
  return interruptible(work, left);
}

const { digits, pictures } = DEFAULTS;
const ratesText = (rates: Record<string, number>): string =>
  listed(Object.entries(rates).map((rate) => rate.join(" ")));
const FOLDER = "pictures in a folder for each class, as photos with photos/cat and photos/dog";

/** Says a default, and that of pictures where it is another. */
const ofEither = (name: "epochs" | "batchSize" | "optimizer" | "out"): string =>
  `${digits[name]}, for pictures ${pictures[name]}`;

const ofPictures = (name: "epochs" | "batchSize" | "optimizer" | "out"): string => String(pictures[name]);

/** The options of all commands that train; `defaultOf` says what they are by default. */
function addTrainingOptions(
  command: Command,
  defaultOf: typeof ofEither,
  rates: Record<string, number>,
): Command {
  return command
    .option("--epochs <n>", `passes over the images (default: ${defaultOf("epochs")})`, positiveInteger)
    .option("--batch-size <n>", `images a step (default: ${defaultOf("batchSize")})`, positiveInteger)
    .option(
      "--learning-rate <x>",
      `at the start; falls linearly to 0 (default: ${ratesText(rates)})`,
      positiveNumber,
    )
    .addOption(
      new Option(
        "--optimizer <name>",
        `how weights are updated (default: ${defaultOf("optimizer")})`,
      ).choices(Object.keys(RATES)),
    )
    .option(
      "--seed <n>",
      "of weights, order and all that is drawn",
      integerFrom(0, "an integer from 0 to 2^53 - 1"),
      1,
    )
    .option(
      "--validation-split <x>",
      `the share of the pictures that is held out, drawn by the seed (default: ${pictures.validationSplit})`,
      share,
    )
    .option("--no-augment", "do not flip pictures left to right and shift them by up to a tenth at random")
    .option("--report <file>", "where a page about the run goes, as report.html (default: none)")
    .addOption(threadsOption());
}

function addTrain(program: Command): void {
  const command = program
    .command("train")
    .summary("train a small convolutional net on digits or pictures")
    .description(
      "Trains a small convolutional net on digits, or on a folder of PNG and JPEG pictures in which each folder is a class. " +
        "It prints its accuracy on held-out images and a confusion table, and saves it. Without --data and folder it draws " +
        "digits of its own.",
    )
    .argument("[folder]", FOLDER)
    .option("--data <folder>", "train on the four MNIST files in this folder, plain or .gz")
    .option(
      "--size <n>",
      `of pictures, to which they are resized, cut in the middle to its proportions, as 64 or 48x64 (default: ${pictures.size[0]})`,
      sizePair,
    )
    .option(
      "--out <file>",
      `where the model goes (default: ${ofEither("out")}); of pictures <file>.safetensors and <file>.onnx`,
    )
    .option(
      "--receipt <file>",
      "where a receipt goes, as run.json, by which anybody can check the run (default: none)",
    )
    .option(
      "--receipt-every <n>",
      "steps from one of its links to the next (default: by the sizes of net and batch)",
      positiveInteger,
    )
    .option("--checkpoint <folder>", "where checkpoints go, from which a run goes on (default: none)")
    .option(
      "--checkpoint-every <n>",
      "steps from one to the next (default: those of an epoch)",
      positiveInteger,
    )
    .option("--resume", "go on from the newest checkpoint in the folder, with the same options and data");
  addTrainingOptions(command, ofEither, RATES).action((folder: string | undefined, options: TrainOptions) =>
    runTraining(options, (signal) => train(folder, options, print, signal)),
  );
}

function addFinetune(program: Command): void {
  const command = program
    .command("finetune")
    .summary("put a new last layer on a net, for pictures of one's own")
    .description(
      "Trains a new last layer on a net from an ONNX file, for the classes of a folder of PNG and JPEG pictures. What the " +
        "layer reads is computed once for each picture, as it is; the rest of the net stays as it was unless --unfreeze says " +
        "otherwise. The whole net is saved.",
    )
    .argument("<backbone>", "an ONNX file of a net for images")
    .argument("<folder>", FOLDER)
    .option("--features <name>", "the value that the new layer reads (default: what the last layer reads)")
    .option(
      "--unfreeze",
      `then train all layers but batch normalizations, at ${UNFREEZE_RATE} of the learning rate, with augmentation`,
    )
    .option("--unfreeze-epochs <n>", `epochs of that (default: ${UNFREEZE_EPOCHS})`, positiveInteger)
    .option("--size <n>", "of an image, as 224 or 224x320 (default: as the net declares)", sizePair)
    .option("--scale <x>", "what pixels from 0 to 255 are multiplied with (default: 1/255)", positiveNumber)
    .option("--mean <x,…>", "subtracted, one number or one a channel (default: 0)", numbers)
    .option("--std <x,…>", "divided by, one number or one a channel (default: 1)", positiveNumbers)
    .option(
      "--out <file>",
      `where the net goes: <file>.safetensors and <file>.onnx (default: ${pictures.out})`,
    );
  addTrainingOptions(command, ofPictures, HEAD_RATES).action(
    (backbone: string, folder: string, options: FinetuneOptions) =>
      runTraining(options, (signal) => finetune(backbone, folder, options, print, signal)),
  );
}

export function addTrainCommands(program: Command): void {
  addTrain(program);
  addFinetune(program);
}
