import { OptionError } from "../errors.ts";
import { positiveInteger, show } from "../options.ts";
import type { TrainingReceipt } from "../training/receipt.ts";
import { ratesOf } from "./comparison.ts";
import { readTrainingReceipt } from "./read.ts";
import { beginOrRefuse, fitAgain } from "./rerun.ts";
import { stepTracer, type StepTrace } from "./trace.ts";
import type { VerifyTrainingOptions } from "./verification.ts";

/** What `traceReceipt` needs besides the receipt of a run. */
export interface TraceReceiptOptions extends Omit<VerifyTrainingOptions, "from" | "to"> {
  /** The step that is traced, counted from 1. */
  readonly step: number;
}

const WHERE = "traceReceipt";

/**
 * Runs the run of a receipt up to one step, from its start or from a checkpoint, and returns the digest of what each operator
 * computed in that step.
 * @throws OptionError for a step that the run does not have or that the checkpoint has behind it; what `verifyReceipt` throws
 */
export async function traceReceipt(
  receipt: TrainingReceipt,
  options: TraceReceiptOptions,
): Promise<StepTrace> {
  const { step, onProgress, ...rest } = options;
  const own = readTrainingReceipt(WHERE, receipt);
  positiveInteger(`${WHERE}: step`, step);
  const beginning = beginOrRefuse(WHERE, own, rest);
  const { model } = beginning;
  try {
    const { steps: before } = model.trainingState;
    if (step <= before || step > own.steps) {
      throw new OptionError(
        `${WHERE}: step: expected one from ${before + 1} to ${own.steps}, got ${show(step)}`,
      );
    }
    const tracer = stepTracer(model, step);
    await fitAgain(own, rest, beginning, undefined, {
      onBatchBegin: ratesOf(own),
      async onBatchEnd(state) {
        await onProgress?.({ step: state.step, steps: step });
        return tracer.onBatchEnd(state);
      },
    });
    if (tracer.trace) return tracer.trace;
    throw new OptionError(`${WHERE}: expected the data of the run, got data that end before step ${step}`);
  } finally {
    model.dispose();
  }
}
