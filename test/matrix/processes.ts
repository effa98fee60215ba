/** Runtimes that are a command: one process a program. */
import { execFileSync, spawn, type ChildProcess, type StdioOptions } from "node:child_process";
import { join } from "node:path";
import { ENV, OUT } from "./paths.ts";
import type { Host } from "./launcher.ts";
import { hold } from "./release.ts";

export interface Started {
  readonly child: ChildProcess;
  /** Kills it and what it has started. */
  stop(): void;
}

/** Starts a command as a process group of its own, so that all of it can be ended. */
export function start(command: readonly string[], env: NodeJS.ProcessEnv, stdio: StdioOptions): Started {
  const [file, ...args] = command as [string, ...string[]];
  const child = spawn(file, args, { cwd: OUT, env: { ...ENV, ...env }, stdio, detached: true });
  const stop = hold(() => {
    try {
      if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
    } catch {
      // No process is left in the group.
    }
  });
  return { child, stop };
}

/** Longest time in milliseconds that a command takes to tell its version. */
const LIMIT = 60_000;

/** The first line that a command prints. */
export function firstLine(...[file, ...args]: [string, ...string[]]): string {
  const stdio: StdioOptions = ["ignore", "pipe", "ignore"];
  return execFileSync(file, args, { encoding: "utf8", env: ENV, stdio, timeout: LIMIT }).split("\n")[0]!;
}

/** The first two numbers of a version: `V8 13.6` of `13.6.233.17-node.53`. */
export function v8(version: string): string {
  return `V8 ${version.split(".").slice(0, 2).join(".")}`;
}

interface Options {
  env?: NodeJS.ProcessEnv;
  /** The entry that the programs are bundled with. */
  entry?: string;
}

/** Runs each program by `command(file)` with the package's `im2row` in reach. */
export function processHost(
  version: string,
  command: (file: string) => readonly string[],
  { env = {}, entry = "process" }: Options = {},
): Host {
  let log = "";
  let running: Started | undefined;
  return {
    version,
    log: () => log,
    async run(program) {
      log = "";
      let output = "";
      const began = performance.now();
      running = start(command(join(OUT, entry, `${program}.js`)), env, ["ignore", "pipe", "pipe"]);
      const { child, stop } = running;
      child.stdout!.setEncoding("utf8").on("data", (text: string) => (output += text));
      child.stderr!.setEncoding("utf8").on("data", (text: string) => (log += text));
      const end = await ended(child);
      const milliseconds = performance.now() - began;
      stop();
      if (end !== "exit code 0") {
        throw new Error(`${program}: expected exit code 0, got ${end} after ${JSON.stringify(output)}`);
      }
      return { lines: output.split("\n").filter((line) => line !== ""), milliseconds };
    },
    async close() {
      running?.stop();
    },
  };
}

function ended(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code, signal) => resolve(signal ?? `exit code ${code}`));
  });
}
