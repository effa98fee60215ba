/** The calls of a save, one of which goes wrong. */
import * as nodeFs from "node:fs";
import type { FileCalls } from "../../../src/cli/save.ts";

/** The calls that change something; a save makes eight and more of them. */
const CHANGING = [
  "openSync",
  "writeSync",
  "fchownSync",
  "fchmodSync",
  "fsyncSync",
  "closeSync",
  "renameSync",
  "unlinkSync",
] as const;

export const FAULTS = ["ENOSPC", "EIO", "EACCES", "EDQUOT", "short", "kill"] as const;
export type Fault = (typeof FAULTS)[number];

/** Bytes of one write at most, so that a save has several. */
export const WRITTEN = 1024;

/** The calls of the system, of which the `at`-th that changes something (from 0) has a fault. */
export function faulty(at: number, fault: Fault): { files: FileCalls; made: () => number } {
  let made = 0;
  const files: Record<string, unknown> = { ...nodeFs };
  for (const name of CHANGING) {
    files[name] = (...args: unknown[]): unknown => {
      const given = name === "writeSync" ? [...args.slice(0, 3), Math.min(args[3] as number, WRITTEN)] : args;
      const call = (...actual: unknown[]): unknown =>
        (nodeFs[name] as unknown as (...args: unknown[]) => unknown)(...actual);
      if (made++ !== at) return call(...given);
      if (fault === "kill") process.kill(process.pid, "SIGKILL");
      if (fault === "short") return name === "writeSync" ? call(...args.slice(0, 3), 1) : call(...given);
      // A descriptor whose closing fails is closed all the same, as on Linux.
      if (name === "closeSync") call(...given);
      throw Object.assign(new Error(`${fault} by the test`), { code: fault });
    };
  }
  return { files: files as unknown as FileCalls, made: () => made };
}
