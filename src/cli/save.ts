/** Files that the command line writes: whole or not at all, and not ended half-way by a signal. */
import * as nodeFs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import type { FileCalls } from "../files/node.ts";
import type { SaveHost } from "../files/replaceFile.ts";
import { destinationOf, saveFile } from "../storage/saveFile.ts";
import { endingSignals } from "./signals.ts";
import { causeOf } from "./usage.ts";

export type { FileCalls };

export interface SaveOptions {
  /** Ends the wait for the reader of a pipe. A file is written at once. */
  readonly signal?: AbortSignal;
  readonly files?: FileCalls;
}

const hostOf = (files: FileCalls = nodeFs): SaveHost => ({ fs: nodeFs, files, os, path, process });

/** @throws an error if `save` could not write there, as far as can be found out beforehand */
export function checkPlace(file: string, files: FileCalls = nodeFs): void {
  const place = destinationOf(file, hostOf(files));
  const { W_OK, X_OK } = nodeFs.constants;
  if (place.kind === "stream" || (place.kind === "file" && place.old)) files.accessSync(place.path, W_OK);
  if (place.kind !== "file") return;
  const folder = path.dirname(place.path);
  try {
    files.accessSync(folder, W_OK | X_OK);
  } catch (error) {
    throw new Error(`${causeOf(error)} in the folder ${folder}`, { cause: error });
  }
}

/** Lets signals that would end the process wait until the work is done. */
async function withoutSignals(work: () => void): Promise<void> {
  let given: NodeJS.Signals | undefined;
  const note = (signal: NodeJS.Signals): void => {
    given ??= signal;
  };
  for (const signal of endingSignals) process.on(signal, note);
  try {
    work();
  } finally {
    // Node reports signals between turns of its loop.
    await new Promise((turn) => setTimeout(turn));
    for (const signal of endingSignals) process.off(signal, note);
    if (given !== undefined && process.listenerCount(given) === 0) process.kill(process.pid, given);
  }
}

/**
 * Saves as `saveFile` does, while signals wait.
 * @returns whether there is a file now that can be read again
 * @throws the errors of the system, or the reason of the signal
 */
export function save(file: string, bytes: Uint8Array, options: SaveOptions = {}): Promise<boolean> {
  const { signal, files } = options;
  return saveFile(file, bytes, hostOf(files), { signal, guard: withoutSignals });
}
