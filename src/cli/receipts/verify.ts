/** `im2row verify`: runs a training run again and holds it against its receipt, or two receipts against each other. */
import {
  locateDifference,
  verifyReceipt,
  type LocatedDifference,
  type Verification,
} from "../../receipts.ts";
import { loadEngine, tell } from "../engine.ts";
import { read } from "../nets/inputs.ts";
import { dataFor, naming, readReceipt, stepCounter, tellJson, type RunOptions } from "./run.ts";
import { UsageError } from "../usage.ts";

export interface VerifyOptions extends RunOptions {
  /** The receipt of another party. */
  readonly against?: string;
  /** The checkpoint to begin with; with `against` all that there are, which narrow down where the two part. */
  readonly checkpoint: readonly string[];
  /** Those of the other party. */
  readonly againstCheckpoint: readonly string[];
  readonly from?: number;
  readonly to?: number;
}

const steps = (from: number, to: number): string => (from === to ? `step ${to}` : `steps ${from}–${to}`);

/** @throws UsageError for what will not do; Error when the run is another than that of the receipt */
async function verifyOne(file: string, options: VerifyOptions, signal: AbortSignal): Promise<void> {
  const { checkpoint, from, to, quiet } = options;
  if (options.againstCheckpoint.length > 0) {
    throw new UsageError("--against-checkpoint: expected --against <receipt> besides, got none");
  }
  if (checkpoint.length > 1) {
    throw new UsageError(`--checkpoint: expected one, as there is no --against, got ${checkpoint.length}`);
  }
  const receipt = await readReceipt(file);
  const [bytes] = checkpoint.map(read);
  const engine = await loadEngine(options);
  const counter = stepCounter(quiet);
  let result: Verification;
  try {
    const data = await dataFor(receipt, options, engine);
    const all = { engine, ...data, checkpoint: bytes, from, to, signal, onProgress: counter.step };
    result = await naming(file, () => verifyReceipt(receipt, all));
  } finally {
    counter.end();
    engine.dispose();
  }
  if (result.ok) {
    const { ok, step, digest } = result;
    tell(
      options,
      () => ({ ok, from: result.from, to: result.to, step, digest }),
      () => `verified ${steps(result.from, result.to)}: ${digest}`,
    );
    return;
  }
  const { ok, step, between, reason } = result;
  tellJson(options, { ok, step, between, reason });
  const verified = step > receipt.start.steps ? `; verified up to step ${step}` : "";
  throw new Error(`${file}: not verified: ${reason}${verified}`);
}

/** Whose digest a run here confirms, and what it says of the other. */
function verdict(
  [a, b]: readonly [string, string],
  { confirms, parts: [same, different], between }: LocatedDifference,
): string {
  const where =
    different === same + 1
      ? `step ${different} is the first that differs`
      : `they differ first between step ${same} and step ${different}`;
  const whose =
    confirms === "neither"
      ? `neither has the state that the run has here after step ${between[1]}`
      : `the run here confirms ${confirms === "a" ? a : b}`;
  return `${where}; ${whose}`;
}

/** @throws UsageError for what will not do; Error when the receipts differ */
async function verifyBoth(
  file: string,
  other: string,
  options: VerifyOptions,
  signal: AbortSignal,
): Promise<void> {
  const { quiet } = options;
  for (const [name, value] of Object.entries({ from: options.from, to: options.to })) {
    if (value !== undefined) throw new UsageError(`--${name}: expected none beside --against, got ${value}`);
  }
  const [a, b] = [await readReceipt(file), await readReceipt(other)];
  const checkpoints = { a: options.checkpoint.map(read), b: options.againstCheckpoint.map(read) };
  const engine = await loadEngine(options);
  const counter = stepCounter(quiet);
  let found: LocatedDifference | undefined;
  try {
    const data = await dataFor(a, options, engine);
    const all = { engine, ...data, checkpoints, signal, onProgress: counter.step };
    found = await naming(`${file}, ${other}`, () => locateDifference(a, b, all));
  } finally {
    counter.end();
    engine.dispose();
  }
  if (!found) {
    tell(
      options,
      () => ({ same: true }),
      () => `the same  all steps of which both tell, up to step ${Math.min(a.steps, b.steps)}`,
    );
    return;
  }
  const { between, digests, own, confirms, parts } = found;
  tellJson(options, { same: false, between, digests, own, confirms, parts });
  throw new Error(
    `${file} and ${other} part between step ${between[0]} and step ${between[1]}: ${verdict([file, other], found)}`,
  );
}

export function verify(file: string, options: VerifyOptions, signal: AbortSignal): Promise<void> {
  const { against } = options;
  return against === undefined
    ? verifyOne(file, options, signal)
    : verifyBoth(file, against, options, signal);
}
