import { getSystemErrorMap } from "node:util";
import { legible, OwnError } from "../errors.ts";

/** A mistake in what the user typed or in the files they named: one line on stderr and exit code 2. */
export class UsageError extends OwnError {
  override name = "UsageError";
}

/** A file that will not do, whatever the others are. */
export class FileError extends UsageError {
  override name = "FileError";
}

/** The one-line text of anything thrown. */
export function messageOf(error: unknown): string {
  return legible((error instanceof Error ? error.message : String(error)).replaceAll(/\s*\n\s*/g, " "));
}

/** Why a system call failed, in words ("no such file or directory"), or the message of another error. */
export function causeOf(error: unknown): string {
  // zlib has numbers of its own by that name.
  const isSystem = error instanceof Error && "errno" in error && !String(Object(error).code).startsWith("Z_");
  const errno = isSystem ? error.errno : undefined;
  const known = typeof errno === "number" ? getSystemErrorMap().get(errno) : undefined;
  return known?.[1] ?? messageOf(error);
}
