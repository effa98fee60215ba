/** One runtime from its start to its row in the table. */
import type { Host, Launcher, Program, Run } from "./launcher.ts";
import { judge, type Digests, type Row } from "./report.ts";

const LIMIT = 120;
/** Closing is a matter of moments; a runtime that hangs is killed with the matrix. */
const CLOSE_LIMIT = 30;
const COLD_STARTS = 5;

async function within<T>(seconds: number, what: string, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    const message = `${what}: expected an end within ${seconds} s, got none`;
    timer = setTimeout(() => reject(new Error(message)), seconds * 1000);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Measures a first inference beyond a program that does nothing: best less best, since a busy machine only adds. */
async function measureColdStart(run: (program: Program) => Promise<Run>): Promise<number> {
  const best = { empty: Infinity, hello: Infinity };
  for (let i = 0; i < COLD_STARTS; i++) {
    const [empty, hello] = [await run("empty"), await run("hello")];
    const line = hello.lines[0] ?? "";
    if (!/^first output -?\d/.test(line)) {
      throw new Error(`hello: expected the first output, got ${JSON.stringify(line)}`);
    }
    best.empty = Math.min(best.empty, empty.milliseconds);
    best.hello = Math.min(best.hello, hello.milliseconds);
  }
  return best.hello - best.empty;
}

/** Says what went wrong, with all that the runtime wrote. */
function explain(error: unknown, host?: Host): string {
  const message = error instanceof Error ? error.message : String(error);
  return [message, host?.log().trim()].filter(Boolean).join("\n");
}

async function runOn(launcher: Launcher, host: Host, expected: Digests): Promise<Row> {
  const { name, kind, limit = LIMIT } = launcher;
  const run = (program: Program): Promise<Run> => within(limit, program, host.run(program));
  const verdict = judge(kind, (await run(kind === "moved" ? "leg" : kind)).lines, expected);
  const row = { name, kind, version: host.version, ...verdict };
  if (kind !== "suite") return row;
  try {
    return { ...row, coldStart: await measureColdStart(run) };
  } catch (error) {
    return { ...row, failed: row.failed + 1, problems: [...row.problems, explain(error, host)] };
  }
}

/** Never rejects: what goes wrong is in the row. */
export async function runRow(launcher: Launcher, expected: Digests): Promise<Row> {
  const { name, kind } = launcher;
  const nothing = { name, kind, passed: 0, failed: 0, digests: {}, problems: [] };
  const absent = launcher.absent();
  if (absent !== undefined) return { ...nothing, absent };
  let host: Host | undefined;
  try {
    host = await within(LIMIT, "start", launcher.open());
    return await runOn(launcher, host, expected);
  } catch (error) {
    const row = { ...nothing, failed: 1, problems: [explain(error, host)] };
    return host ? { ...row, version: host.version } : row;
  } finally {
    if (host) await within(CLOSE_LIMIT, "close", host.close()).catch(() => {});
  }
}
