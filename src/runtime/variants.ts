/** `load` beyond the exact build on one thread: a chunk of its own, since most programs do without. */
import { OptionError } from "../errors.ts";
import { oneOf, show } from "../options.ts";
import { compileOwn } from "./compile.ts";
import { compileGiven, type File, type Given } from "./suppliedModule.ts";
import { startAlone, type Request } from "./load.ts";
import type { Runtime } from "./runtime.ts";
import type { StartThreads } from "./threads/start.ts";

/** A host provides the further builds by these, or says in a string why it has none. */
export interface Host {
  relaxed(): Promise<WebAssembly.Module | string>;
  threads: StartThreads;
}

/**
 * The largest number of threads. More would be a mistake: each takes an instance and a stack, and all wait for the
 * slowest.
 */
const MOST_THREADS = 64;

/** @throws OptionError */
function checkThreads(threads: unknown): number | "auto" {
  if (threads === "auto") return threads;
  if (Number.isInteger(threads) && (threads as number) >= 1 && (threads as number) <= MOST_THREADS) {
    return threads as number;
  }
  throw new OptionError(
    `load: threads: expected an integer from 1 to ${MOST_THREADS} or "auto", got ${show(threads)}`,
  );
}

function another(file: File, expected: File): string {
  return `the module supplied is ${file}, not ${expected}`;
}

/** Relaxed math, or why there is none. */
async function startRelaxed(
  given: Given | undefined,
  { threads, limit }: Request,
  host: Host,
): Promise<Runtime | string> {
  if (given && given.file !== "im2row.relaxed.wasm") return another(given.file, "im2row.relaxed.wasm");
  const module = given?.module ?? (await host.relaxed());
  if (typeof module === "string") return module;
  const threadsUnavailable = threads === 1 ? undefined : "relaxed math runs on one thread";
  return startAlone(module, limit, { threads: 1, threadsUnavailable, math: "relaxed" });
}

/** Starts a runtime with as much of the request as the host has. @throws OptionError */
export async function startMore(request: Request, host: Host): Promise<Runtime> {
  const { exact, limit } = request;
  const threads = checkThreads(request.threads);
  const math = oneOf("load: math", request.math, ["exact", "relaxed"]);
  const given = request.module === undefined ? undefined : await compileGiven(request.module);
  const file = given?.file;
  if (
    (file === "im2row.relaxed.wasm" && math === "exact") ||
    (file === "im2row.threads.wasm" && threads === 1)
  ) {
    throw new OptionError(`load: module: expected the build for exact math on one thread, got ${file}`);
  }
  const reasons: { threadsUnavailable?: string; mathUnavailable?: string } = {};
  if (math === "relaxed") {
    const started = await startRelaxed(given, request, host);
    if (typeof started !== "string") return started;
    reasons.mathUnavailable = started;
  }
  if (threads !== 1) {
    const started =
      file && file !== "im2row.threads.wasm"
        ? another(file, "im2row.threads.wasm")
        : await host.threads({ threads, module: given?.module, limit, ...reasons });
    if (typeof started !== "string") return started;
    reasons.threadsUnavailable = started;
  }
  // A module for threads is of no use without them: the package's own takes its place.
  const module = given && file !== "im2row.threads.wasm" ? given.module : await compileOwn(exact);
  return startAlone(module, limit, { threads: 1, math: "exact", ...reasons });
}
