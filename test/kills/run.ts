/** One process of `im2row train`, which may be killed. */
import { spawn } from "node:child_process";

/** When a process is killed: milliseconds after its first line, or at one of the calls that write checkpoints. */
export type Kill = { readonly after: number } | { readonly call: number };

export interface Ended {
  /** Null when it was killed. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** Milliseconds from the first line to the end. */
  readonly milliseconds: number;
}

export interface Process {
  readonly args: readonly string[];
  /** A file for `--import`, and what it is told. */
  readonly preload: string;
  readonly folder: string;
  /** The file for the number of calls that write checkpoints. */
  readonly counts?: string;
}

const CLI = new URL("../../dist/cli.js", import.meta.url).pathname;

/** Runs the process to its end, which may come by SIGKILL. */
export function run({ args, preload, folder, counts }: Process, kill?: Kill): Promise<Ended> {
  const env = {
    ...process.env,
    KILL_FOLDER: folder,
    ...(counts !== undefined && { KILL_COUNTS: counts }),
    ...(kill && "call" in kill && { KILL_AT: String(kill.call) }),
  };
  const program = process.env["IM2ROW_KILLS_PROGRAM"] ?? CLI;
  const child = spawn(process.execPath, ["--import", preload, program, ...args], {
    env,
    stdio: ["ignore", "pipe", "pipe"],
  });
  return new Promise((resolve, reject) => {
    let [stdout, stderr, started] = ["", "", 0];
    let timer: NodeJS.Timeout | undefined;
    child.stdout.on("data", (text) => {
      stdout += text;
      if (started > 0) return;
      started = performance.now();
      if (kill && "after" in kill) timer = setTimeout(() => child.kill("SIGKILL"), kill.after);
    });
    child.stderr.on("data", (text) => (stderr += text));
    child.on("error", reject);
    child.on("close", (code) => {
      clearTimeout(timer);
      resolve({ code, stdout, stderr, milliseconds: started === 0 ? 0 : performance.now() - started });
    });
  });
}
