/** The commands on receipts of runs: verify, trace. */
import type { Command } from "commander";
import { positiveInteger, share } from "../arguments.ts";
import { jsonOption, threadsOption } from "../nets/commands.ts";
import { interruptible } from "../signals.ts";
import { trace, type TraceOptions } from "./trace.ts";
import { verify, type VerifyOptions } from "./verify.ts";

/** The options by which the data of a run are found. */
function withData(command: Command): Command {
  return command
    .option(
      "--data <folder>",
      "the data of the run, in the folder that it trained on (default: drawn digits)",
    )
    .option("--batch-size <n>", "of a run on pictures: images a step (default: 32)", positiveInteger)
    .option(
      "--validation-split <x>",
      "of a run on pictures: the share that was held out (default: 0.2)",
      share,
    );
}

const collect = (file: string, before: readonly string[]): string[] => [...before, file];

export function addReceiptCommands(program: Command): void {
  withData(
    program
      .command("verify")
      .summary("run a training run again and compare it with its receipt")
      .description(
        "Trains again from the receipt that `im2row train --receipt` wrote and compares the weights and the state of the optimizer at " +
          "each of its links, to the last bit. With --against it finds where the receipts of two parties part, runs that stretch " +
          "again, and says whose is confirmed. The exit code is 1 when they part.",
      )
      .argument("<receipt>", "the receipt of a run, as run.json"),
  )
    .option("--against <receipt>", "the receipt of another party that ran the same")
    .option(
      "--checkpoint <file>",
      "a checkpoint of the run to begin with; with --against any number of them",
      collect,
      [],
    )
    .option(
      "--against-checkpoint <file>",
      "with --against, one of the other party's; any number of them",
      collect,
      [],
    )
    .option("--from <step>", "the first step to verify, that after the checkpoint", positiveInteger)
    .option("--to <step>", "the last step to verify (default: that of the run)", positiveInteger)
    .addOption(threadsOption())
    .addOption(jsonOption())
    .action((file: string, options: VerifyOptions) =>
      interruptible((signal) => verify(file, options, signal), "nothing was verified"),
    );
  withData(
    program
      .command("trace")
      .summary("write the digest of each operator's result in one step of a run")
      .description(
        "Runs a training run up to one step and writes the SHA-256 of what each operator computes in it. With --compare it " +
          "reads two such files and names the first operator that differs; the exit code is 1 then.",
      )
      .argument("<files...>", "the receipt of a run, or with --compare two traces"),
  )
    .option("--step <n>", "the step, counted from 1", positiveInteger)
    .option("--checkpoint <file>", "a checkpoint of an earlier step to begin with")
    .option("--out <file>", "where the trace goes, as trace.json")
    .option("--compare", "compare two traces")
    .addOption(threadsOption())
    .addOption(jsonOption())
    .action((files: string[], options: TraceOptions) =>
      interruptible((signal) => trace(files, options, signal), "nothing was written"),
    );
}
