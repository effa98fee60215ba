/** `im2row trace`: the digests of what each operator computes in one step of a run, and where two of them differ. */
import { compareTraces, traceReceipt, type StepTrace } from "../../receipts.ts";
import { loadEngine, tell } from "../engine.ts";
import { read } from "../nets/inputs.ts";
import { dataFor, naming, readJson, readReceipt, stepCounter, tellJson, type RunOptions } from "./run.ts";
import { save } from "../save.ts";
import { causeOf, UsageError } from "../usage.ts";

export interface TraceOptions extends RunOptions {
  readonly step?: number;
  readonly checkpoint?: string;
  readonly out?: string;
  /** Compares two traces instead. */
  readonly compare?: boolean;
}

async function traceRun(file: string, options: TraceOptions, signal: AbortSignal): Promise<void> {
  const { step, checkpoint, out, quiet } = options;
  if (step === undefined) throw new UsageError("--step: expected the number of a step, got none");
  if (out === undefined || out === "") throw new UsageError("--out: expected a file for the trace, got none");
  const receipt = await readReceipt(file);
  const bytes = checkpoint === undefined ? undefined : read(checkpoint);
  const engine = await loadEngine(options);
  const counter = stepCounter(quiet);
  let traced: StepTrace;
  try {
    const data = await dataFor(receipt, options, engine);
    const all = { engine, ...data, checkpoint: bytes, step, signal, onProgress: counter.step };
    traced = await naming(file, () => traceReceipt(receipt, all));
  } finally {
    counter.end();
    engine.dispose();
  }
  try {
    await save(out, Buffer.from(`${JSON.stringify(traced, undefined, 1)}\n`), { signal });
  } catch (error) {
    signal.throwIfAborted();
    throw new Error(`${out}: the trace could not be saved (${causeOf(error)})`, { cause: error });
  }
  const { length } = traced.entries;
  tell(
    options,
    () => ({ step, results: length, out }),
    () => `traced    ${length} results of step ${step} to ${out}`,
  );
}

/** @throws UsageError for what are no traces of one step; Error when they differ */
async function compare(files: readonly string[], options: TraceOptions): Promise<void> {
  if (files.length !== 2) throw new UsageError(`--compare: expected two traces, got ${files.length} files`);
  const [a, b] = files.map((file) => readJson(file, "a trace") as unknown as StepTrace) as [
    StepTrace,
    StepTrace,
  ];
  const found = await naming(files.join(", "), async () => compareTraces(a, b));
  if (!found) {
    const { length } = a.entries;
    tell(
      options,
      () => ({ same: true, results: length }),
      () => `the same  all ${length} results of step ${a.step}`,
    );
    return;
  }
  const { layer, pass, of, shape, digests } = found;
  tellJson(options, { same: false, layer, pass, of, shape, digests });
  const cause = pass === "begin" ? "the step begins otherwise" : "all that it reads is the same";
  throw new Error(
    `${files.join(" and ")}: ${layer}, ${pass}: ${of} [${shape.join(", ")}] is the first result that differs; ${cause}: ${digests.join(" and ")}`,
  );
}

export async function trace(
  files: readonly string[],
  options: TraceOptions,
  signal: AbortSignal,
): Promise<void> {
  if (options.compare) return compare(files, options);
  if (files.length !== 1) throw new UsageError(`expected the receipt of one run, got ${files.length} files`);
  return traceRun(files[0]!, options, signal);
}
