/** Lines go to stdout through this file, which also handles a reader that goes away. */
import { writeSync } from "node:fs";
import { escaped, legible } from "../errors.ts";
import { causeOf, messageOf } from "./usage.ts";

/** Whether stdout still takes what is written. */
let open = true;

/** The line on stderr for a user whose reader went away. */
let farewell: string | undefined;

/** A line on stderr. Nothing is left to be said if stderr does not take it. */
export function complain(text: string): void {
  try {
    writeSync(2, `im2row: ${legible(text)}\n`);
  } catch {
    // The exit code still says so.
  }
}

/** Whether errors are followed by where in the program they come from. */
let verbose = false;

export function beVerbose(): void {
  verbose = true;
}

/** An error in a line on stderr, if that is wanted with its frames, and those of the errors that it was caused by. */
export function complainOf(error: unknown, prefix = ""): void {
  complain(prefix + messageOf(error));
  if (!verbose || !(error instanceof Error)) return;
  const frames = error.stack?.match(/^ {4}at .*$/gm) ?? [];
  try {
    writeSync(2, frames.map((frame) => `${escaped(frame)}\n`).join(""));
  } catch {
    return;
  }
  const { cause } = error;
  if (cause !== undefined) complainOf(cause, `caused by ${cause instanceof Error ? `${cause.name}: ` : ""}`);
}

/** Says lines on stdout, if it still takes any. What steers a terminal stands spelled out. */
export function print(text: string): void {
  if (open) process.stdout.write(`${text.split("\n").map(escaped).join("\n")}\n`);
}

/** Has a line said on stderr when the reader of stdout goes away: for work that takes its time. */
export function tellIfReaderGoes(text: string): void {
  farewell = text;
}

/**
 * Work goes on when stdout takes nothing any more, for it may have a model to save. That its reader has seen enough
 * (`im2row train | head -3`) is no fault; a full disk is one, and the exit code 1 reports it besides a line on stderr.
 */
export function outliveStdout(): void {
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (!open) return;
    open = false;
    // A terminal that was closed gives EIO; the signal that comes with it sets the exit code.
    if (error.code === "EIO") return;
    if (error.code === "EPIPE") {
      if (farewell !== undefined) complain(farewell);
      return;
    }
    complain(`stdout: cannot be written to (${causeOf(error)})`);
    process.exitCode = 1;
  });
  process.stderr.on("error", () => {});
}

/** Says a line on stdout that comes in pieces, as they are. */
export function printPieces(pieces: Iterable<string>): void {
  for (const piece of pieces) if (open) process.stdout.write(piece);
  if (open) process.stdout.write("\n");
}
