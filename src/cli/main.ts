import { Command, CommanderError, Option } from "commander";
import packageJson from "../../package.json" with { type: "json" };
import { listed } from "../options.ts";
import { integerFrom, positiveInteger, positiveNumber } from "./arguments.ts";
import { addNetCommands, threadsOption } from "./netCommands.ts";
import { beVerbose, complain, complainOf, outliveStdout, print, tellIfReaderGoes } from "./output.ts";
import { exit, Interrupted, interruptible } from "./signals.ts";
import { train } from "./train.ts";
import { DEFAULTS, RATES, type TrainOptions } from "./trainOptions.ts";
import { messageOf, UsageError } from "./usage.ts";

const EXIT_FAILED = 1;
const EXIT_USAGE = 2;

/** What scripts can rely on; docs/cli.md says the same. */
const EXIT_CODES = `
Exit codes:
  0              all went well, also when the reader of stdout has seen enough
  1              the work failed, or stdout is on a full disk
  2              a file or an option will not do
  129, 130, 143  stopped by SIGHUP, Ctrl-C, SIGTERM`;

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
    .option(
      "--epochs <n>",
      `passes over the training images (default: ${DEFAULTS.digits.epochs})`,
      positiveInteger,
    )
    .option("--batch-size <n>", `images a step (default: ${DEFAULTS.digits.batchSize})`, positiveInteger)
    .option(
      "--learning-rate <x>",
      `at the start; falls linearly to 0 (default: ${listed(Object.entries(RATES).map((rate) => rate.join(" ")))})`,
      positiveNumber,
    )
    .addOption(
      new Option(
        "--optimizer <name>",
        `how weights are updated (default: ${DEFAULTS.digits.optimizer})`,
      ).choices(Object.keys(RATES)),
    )
    .option("--seed <n>", "of drawing, weights and order", integerFrom(0, "an integer from 0 to 2^53 - 1"), 1)
    .option("--out <file>", `where the model goes (default: ${DEFAULTS.digits.out})`)
    .option("--report <file>", "where a page about the run goes, as report.html (default: none)")
    .addOption(threadsOption())
    .action(runTrain);
  addNetCommands(program);
  program.addHelpText("after", EXIT_CODES);
  for (const command of program.commands) {
    command
      .option("--quiet", "say nothing but results and errors")
      .option("--verbose", "with an error, say where in the program it comes from")
      .addHelpText("after", EXIT_CODES);
  }
  program.hook("preAction", (_, command) => {
    if (command.opts<{ verbose?: boolean }>().verbose) beVerbose();
  });
  return program;
}

/** Says what went wrong; returns the exit code. */
function fail(error: unknown): number {
  if (error instanceof CommanderError) {
    // Help and version end with code 0, and have said what they had to say; so has the help for no command.
    if (error.exitCode === 0) return 0;
    if (error.code !== "commander.help") complain(messageOf(error).replace(/^error: /, ""));
    return EXIT_USAGE;
  }
  complainOf(error);
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
