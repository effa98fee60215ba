/** Runs the stretch of a run again in which two receipts part: which of them is right, and from which step on the other is not. */
import { OptionError } from "../errors.ts";
import { decodeCheckpoint } from "../model/checkpoint.ts";
import { takeTraining } from "../model/trainingRecord.ts";
import type { TrainingReceipt } from "../training/receipt.ts";
import { compareReceipts, digestsByStep, type ReceiptDifference } from "./compare.ts";
import { ratesOf } from "./comparison.ts";
import { readTrainingReceipt } from "./read.ts";
import { chainOf } from "./record/chain.ts";
import { stateDigest } from "./record/stateDigest.ts";
import { beginOrRefuse, fitAgain } from "./rerun.ts";
import type { VerifyTrainingOptions } from "./verification.ts";

/** What `locateDifference` needs besides the two receipts. */
export interface LocateOptions extends Omit<VerifyTrainingOptions, "checkpoint" | "from" | "to"> {
  /**
   * Checkpoints of either run, the bytes of `toCheckpoint`, in any order. The run begins again from the last one at or before the link
   * that both have in common; those behind it narrow down where they part.
   */
  readonly checkpoints?:
    { readonly a?: readonly Uint8Array[]; readonly b?: readonly Uint8Array[] } | undefined;
}

/** Where two receipts part, and what this host makes of it. */
export interface LocatedDifference extends ReceiptDifference {
  /** The digest of the state after the first link that differs, as it is here. */
  readonly own: string;
  /** The receipt that has the same there. */
  readonly confirms: "a" | "b" | "neither";
  /**
   * The last step at which the run that is not confirmed is known to be as here, and the first at which it is known not to be: by the
   * links, and by its checkpoints. One step that differs, when those lie so close.
   */
  readonly parts: readonly [same: number, different: number];
}

/** A checkpoint with the digest of its state. */
interface Dated {
  readonly bytes: Uint8Array;
  readonly step: number;
  readonly digest: string;
}

const WHERE = "locateDifference";

/** The checkpoints of one party by their steps. @throws FormatError, OptionError */
async function dated(party: "a" | "b", checkpoints: readonly Uint8Array[] = []): Promise<Dated[]> {
  const all = checkpoints.map(async (bytes, i): Promise<Dated> => {
    const { weights, training } = decodeCheckpoint(bytes, takeTraining);
    if (!training) {
      throw new OptionError(
        `${WHERE}: checkpoints: ${party}[${i}]: expected what toCheckpoint() wrote, got a model without a run`,
      );
    }
    const { state } = training;
    return { bytes, step: state.steps, digest: await stateDigest(weights, state) };
  });
  return (await Promise.all(all)).sort((one, two) => one.step - two.step);
}

/** The digests of the state after each step from a checkpoint on, or from the start. */
async function digestsHere(
  receipt: TrainingReceipt,
  options: VerifyTrainingOptions,
  end: number,
): Promise<Map<number, string>> {
  const { onProgress } = options;
  const beginning = beginOrRefuse(WHERE, receipt, options);
  const digests = new Map<number, string>();
  const { steps: before } = beginning.model.trainingState;
  try {
    const recording = {
      origin: receipt.start,
      every: 1,
      onBegin: (digest: string) => void digests.set(before, digest),
      onLink: (step: number, digest: string) => void digests.set(step, digest),
    };
    await fitAgain(receipt, options, beginning, recording, {
      onBatchBegin: ratesOf(receipt),
      async onBatchEnd({ step }) {
        await onProgress?.({ step, steps: end });
        return step === end ? "stop" : undefined;
      },
    });
  } finally {
    beginning.model.dispose();
  }
  return digests;
}

/**
 * Finds the first link at which two receipts of one run differ, and runs the stretch before it again, here; undefined when they do
 * not differ. `im2row trace` or `traceReceipt`, for the step that differs on either side, then names the operator.
 * @throws as `compareReceipts` and `verifyReceipt`; OptionError when the run here does not come to the state in which the receipts are
 * still the same
 */
export async function locateDifference(
  a: TrainingReceipt,
  b: TrainingReceipt,
  options: LocateOptions,
): Promise<LocatedDifference | undefined> {
  const [first, second] = [readTrainingReceipt(`${WHERE}: a`, a), readTrainingReceipt(`${WHERE}: b`, b)];
  for (const [name, receipt] of Object.entries({ a: first, b: second })) {
    if (receipt.chain === chainOf(receipt)) continue;
    throw new OptionError(
      `${WHERE}: ${name}: expected a receipt as it was written, got one whose chain does not end as it says`,
    );
  }
  const found = compareReceipts(first, second);
  if (!found) return undefined;
  const [same, different] = found.between;
  const { checkpoints, ...rest } = options;
  const known = { a: await dated("a", checkpoints?.a), b: await dated("b", checkpoints?.b) };
  const start = [...known.a, ...known.b].reduce<Dated | undefined>(
    (last, each) => (each.step <= same && each.step >= (last?.step ?? 0) ? each : last),
    undefined,
  );
  const here = await digestsHere(first, { ...rest, checkpoint: start?.bytes }, different);
  const agreed = digestsByStep(first).get(same)!;
  if (here.get(same) !== agreed) {
    throw new OptionError(
      `${WHERE}: expected to come to the state in which the receipts are the same, ${agreed} after step ${same}, got ` +
        `${here.get(same) ?? "none"} from ${start ? `the checkpoint of step ${start.step}` : "the start"}`,
    );
  }
  const own = here.get(different);
  if (own === undefined) {
    throw new OptionError(
      `${WHERE}: expected the data of the run, got data that end before step ${different}`,
    );
  }
  const [one, other] = found.digests;
  const confirms = own === one ? "a" : own === other ? "b" : "neither";
  const others = { a: known.b, b: known.a, neither: [] }[confirms];
  return { ...found, own, confirms, parts: narrowed([same, different], others, here) };
}

/** Between two steps, the last checkpoint of a run that is as here before the first one that is not. */
function narrowed(
  [same, different]: readonly [number, number],
  checkpoints: readonly Dated[],
  here: ReadonlyMap<number, string>,
): readonly [number, number] {
  const within = checkpoints.filter(({ step }) => step > same && step < different);
  const isSame = ({ step, digest }: Dated): boolean => here.get(step) === digest;
  const high = within.find((each) => !isSame(each))?.step ?? different;
  const low = within.findLast((each) => each.step < high && isSame(each))?.step ?? same;
  return [low, high];
}
