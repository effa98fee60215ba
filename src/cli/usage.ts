import { constants } from "node:os";
import { getSystemErrorMap } from "node:util";

/** A mistake in what the user typed or in the files they named: one line on stderr and exit code 2. */
export class UsageError extends Error {
  override name = "UsageError";
}

/** The one-line text of anything thrown. */
export function messageOf(error: unknown): string {
  return printable((error instanceof Error ? error.message : String(error)).replaceAll(/\s*\n\s*/g, " "));
}

/** Why a system call failed, in words ("no such file or directory"), or the message of another error. */
export function causeOf(error: unknown): string {
  // zlib has numbers of its own by that name.
  const isSystem = error instanceof Error && "errno" in error && !String(Object(error).code).startsWith("Z_");
  const errno = isSystem ? error.errno : undefined;
  const known = typeof errno === "number" ? getSystemErrorMap().get(errno) : undefined;
  return known?.[1] ?? messageOf(error);
}

/** The error of a system call that was not made, since it is known how it would end. */
export function systemError(code: "EISDIR" | "ELOOP" | "ENOSPC"): NodeJS.ErrnoException {
  return Object.assign(new Error(code), { code, errno: -constants.errno[code] });
}

/** What a terminal takes for commands, ends of lines among them, and what turns the direction of a text. */
// oxlint-disable-next-line no-control-regex
const UNPRINTABLE = /[\u0000-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]/g;

/** A text from outside for the terminal, on one line: what is no character to be seen stands as its code. */
export function printable(text: string): string {
  return text.replaceAll(UNPRINTABLE, (character) => {
    const code = character.charCodeAt(0).toString(16);
    return code.length > 2 ? `\\u${code}` : `\\x${code.padStart(2, "0")}`;
  });
}
