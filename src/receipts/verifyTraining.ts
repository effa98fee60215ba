/** Runs a training run again, and compares it with its receipt. */
import { TrainingError } from "../errors.ts";
import { checkEngine } from "../runtime/engine.ts";
import type { TrainingReceipt } from "../training/receipt.ts";
import type { Beginning } from "./beginning.ts";
import { Comparison, Mismatch } from "./comparison.ts";
import { chainOf } from "./record/chain.ts";
import { refuseRelaxed } from "./record/recorder.ts";
import { beginAgain, dataOf, fitAgain } from "./rerun.ts";
import type { Verification, VerifyTrainingOptions } from "./verification.ts";

const WHERE = "verifyReceipt";

/** Runs a run again, all of it or a part. @throws as `verifyReceipt` */
export async function verifyTraining(
  receipt: TrainingReceipt,
  options: VerifyTrainingOptions,
): Promise<Verification> {
  refuseRelaxed(`${WHERE}: engine`, checkEngine(WHERE, options.engine));
  const { start, steps, chain } = receipt;
  let comparison: Comparison | undefined;
  let beginning: Beginning | undefined;
  try {
    dataOf(receipt, options);
    if (chainOf(receipt) !== chain) {
      const reason = "a part of the receipt was changed: its chain does not end as it says";
      throw new Mismatch(reason, [start.steps, steps]);
    }
    beginning = beginAgain(receipt, options);
    const { model, batches } = beginning;
    const { steps: before, accumulated } = model.trainingState;
    comparison = new Comparison(receipt, before, batches, accumulated !== undefined, options);
    const callback = comparison.callback(options.onProgress);
    const { recording } = comparison;
    comparison.finish((await fitAgain(receipt, options, beginning, recording, callback)).receipt!);
    const { end, digest } = comparison;
    return { ok: true, from: before + 1, to: end, step: end, digest };
  } catch (error) {
    const step = comparison?.verified ?? start.steps;
    if (error instanceof Mismatch) return { ok: false, step, between: error.between, reason: error.message };
    if (!(error instanceof TrainingError)) throw error;
    return { ok: false, step, between: [step, error.step], reason: error.message };
  } finally {
    beginning?.model.dispose();
  }
}
