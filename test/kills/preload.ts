/**
 * Loaded into a process by `--import`: ends it by SIGKILL at one of the calls that change something in a folder, in the middle
 * of a write and before any other. `KILL_FOLDER` is the folder, `KILL_AT` the number of the call, from 0; without it the
 * number of calls goes to the file `KILL_COUNTS` at the end of the process.
 */
import fs from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { isMainThread } from "node:worker_threads";

const CHANGING = [
  "mkdirSync",
  "openSync",
  "writeSync",
  "fsyncSync",
  "closeSync",
  "renameSync",
  "unlinkSync",
] as const;

const { KILL_FOLDER: folder, KILL_AT: at, KILL_COUNTS: counts } = process.env;
const calls = fs as unknown as Record<string, (...args: unknown[]) => unknown>;

/** The descriptors of the files in the folder. */
const descriptors = new Set<unknown>();
let made = 0;

function watch(name: (typeof CHANGING)[number]): void {
  const call = calls[name]!;
  calls[name] = (...args) => {
    const [what] = args;
    const ours = typeof what === "string" ? what.startsWith(folder!) : descriptors.has(what);
    if (ours && made++ === Number(at)) {
      if (name === "writeSync") call(args[0], args[1], args[2], Math.ceil((args[3] as number) / 2));
      process.kill(process.pid, "SIGKILL");
    }
    const result = call(...args);
    if (ours && name === "openSync") descriptors.add(result);
    if (name === "closeSync") descriptors.delete(what);
    return result;
  };
}

if (isMainThread && folder !== undefined) {
  const write = fs.writeFileSync;
  for (const name of CHANGING) watch(name);
  syncBuiltinESMExports();
  process.on("exit", () => counts !== undefined && write(counts, String(made)));
}
