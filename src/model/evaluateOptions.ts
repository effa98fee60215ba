/** The options of `evaluate` and `evaluateAsync`. */
import { OptionError } from "../errors.ts";
import { readOptions, show } from "../options.ts";
import type { AbortSignalLike } from "../runtime/platform.ts";
import { ASYNC_READERS, READERS, type AsyncBatchOptions, type BatchOptions } from "./batchOptions.ts";

interface Weighted {
  /**
   * For tensors, the weight of each image in the loss, finite and ≥ 0: the loss is Σ weight·loss / images, as in Keras.
   * Accuracy and metrics do without. Batches of a stream have theirs.
   */
  sampleWeight?: ArrayLike<number> | undefined;
}

export interface EvaluateOptions extends BatchOptions, Weighted {}

export interface AsyncEvaluateOptions extends AsyncBatchOptions, Weighted {}

/** The options with the default of `batchSize`; weights are read beside the images. */
export interface EvaluateSettings extends Weighted {
  readonly batchSize: number;
  readonly signal?: AbortSignalLike;
}

/** Reads the options, of a stream or of tensors; `waits` says whether there may be a signal. @throws OptionError */
export function readEvaluateOptions(
  where: string,
  options: AsyncEvaluateOptions,
  streamed: boolean,
  waits: boolean,
): EvaluateSettings {
  const besides = ["sampleWeight"];
  const settings: Omit<EvaluateSettings, "sampleWeight"> = waits
    ? readOptions<AsyncBatchOptions, typeof ASYNC_READERS>(where, options, ASYNC_READERS, besides)
    : readOptions<BatchOptions, typeof READERS>(where, options, READERS, besides);
  const { sampleWeight } = options;
  if (sampleWeight !== undefined && streamed) {
    throw new OptionError(
      `${where}: sampleWeight: expected none for a stream, whose batches have theirs, got ${show(sampleWeight)}`,
    );
  }
  return { ...settings, sampleWeight };
}
