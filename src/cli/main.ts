import { Command, CommanderError } from "commander";
import packageJson from "../../package.json" with { type: "json" };
import { addNetCommands } from "./nets/commands.ts";
import { beVerbose, complain, complainOf, outliveStdout } from "./output.ts";
import { addReceiptCommands } from "./receipts/commands.ts";
import { exit, Interrupted } from "./signals.ts";
import { addTrainCommands } from "./train/commands.ts";
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

function createProgram(): Command {
  const program = new Command("im2row")
    .description(packageJson.description)
    .version(packageJson.version)
    .exitOverride()
    // The text comes back in the error that exitOverride throws, and is said once, in fail().
    .configureOutput({ outputError: () => {} });
  addTrainCommands(program);
  addReceiptCommands(program);
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
