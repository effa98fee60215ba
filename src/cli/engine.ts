/** Options that all commands on nets have, and the engine and net that these name. */
import { load, type Engine } from "../index.ts";
import { read } from "./nets/inputs.ts";
import { jsonPieces, type Json } from "./json.ts";
import { telling, type Net } from "./nets/net.ts";
import { openNet } from "./nets/openNet.ts";
import { complain, print, printPieces } from "./output.ts";

export interface CommonOptions {
  /** Prints one JSON object and nothing else. */
  readonly json?: boolean;
  /** Says nothing but results and errors. */
  readonly quiet?: boolean;
}

export interface EngineOptions extends CommonOptions {
  readonly threads?: number | "auto";
}

/** An engine with the threads that were asked for; on stderr it says why there are fewer. */
export async function loadEngine({ threads, quiet }: EngineOptions): Promise<Engine> {
  const engine = await load({ threads });
  if (engine.threadsUnavailable !== undefined && !quiet) {
    complain(`--threads ${threads}: one thread is used: ${engine.threadsUnavailable}`);
  }
  return engine;
}

/** `1 thread`, `4 threads`. */
export const threadsText = ({ threads }: Engine): string => `${threads} thread${threads === 1 ? "" : "s"}`;

/** Works with the net of a file on an engine of its own. Errors about the file name it. */
export async function withNet(
  file: string,
  options: EngineOptions,
  work: (net: Net, engine: Engine) => void | Promise<void>,
): Promise<void> {
  const bytes = read(file);
  const engine = await loadEngine(options);
  try {
    await telling(file, async () => work(await openNet(file, bytes, engine), engine));
  } finally {
    engine.dispose();
  }
}

/** Says results on stdout: an object for scripts, or the text for people. */
export function tell(
  { json }: CommonOptions,
  object: () => Exclude<Json, undefined>,
  text: () => string,
): void {
  if (json) printPieces(jsonPieces(object()));
  else print(text());
}
