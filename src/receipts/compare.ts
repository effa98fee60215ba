/** Where the receipts of two parties part. */
import { OptionError } from "../errors.ts";
import { show } from "../options.ts";
import type { TrainingReceipt } from "../training/receipt.ts";
import { canonical } from "./record/canonical.ts";

/** The first place at which two receipts of one run differ. */
export interface ReceiptDifference {
  /** The last step at which both have the same state, and the first one at which both tell of it and it differs. */
  readonly between: readonly [same: number, different: number];
  /** Either's digest of the state after the latter. */
  readonly digests: readonly [a: string, b: string];
}

/** What two receipts of one run have in common, whatever became of it. */
const COMMON = ["numerics", "architecture", "compile", "options", "needs", "data"] as const;

/** The digests of a receipt by step, the state at the start and at the end among them. */
export function digestsByStep({ start, links, steps, digest }: TrainingReceipt): Map<number, string> {
  const digests = links.digests.map((each, i) => [start.steps + (i + 1) * links.every, each] as const);
  return new Map([[start.steps, start.digest], ...digests, [steps, digest]]);
}

/** @throws OptionError naming what differs in two receipts of different runs */
function expectOneRun(where: string, a: TrainingReceipt, b: TrainingReceipt): void {
  for (const name of COMMON) {
    if (canonical(a[name]) === canonical(b[name])) continue;
    throw new OptionError(
      `${where}: expected receipts of one run, got ${name}: ${show(a[name])} and ${show(b[name])}`,
    );
  }
}

/**
 * The first link at which two receipts of one run differ; undefined when all that both tell of is the same. Links are compared at the
 * steps of which both have one.
 * @throws OptionError for receipts of different runs, which begin otherwise or have other data, layers or options
 */
export function compareReceipts(a: TrainingReceipt, b: TrainingReceipt): ReceiptDifference | undefined {
  const where = "compareReceipts";
  expectOneRun(where, a, b);
  const [own, other] = [digestsByStep(a), digestsByStep(b)];
  const common = [...own.keys()].filter((step) => other.has(step)).sort((one, two) => one - two);
  const index = common.findIndex((step) => own.get(step) !== other.get(step));
  if (common.length === 0 || index === 0) {
    throw new OptionError(
      `${where}: expected receipts that begin with the same state, got ${a.start.digest} after step ${a.start.steps} and ` +
        `${b.start.digest} after step ${b.start.steps}`,
    );
  }
  if (index < 0) return undefined;
  const step = common[index]!;
  return { between: [common[index - 1]!, step], digests: [own.get(step)!, other.get(step)!] };
}
