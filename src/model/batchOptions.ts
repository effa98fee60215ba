/** The options of methods that work through images in batches. */
import { positiveInteger, readOptions } from "../options.ts";
import { abortSignal, type AbortSignalLike } from "../runtime/platform.ts";

/** The options of `predict`, and those that `evaluate` has too. */
export interface BatchOptions {
  /**
   * The most images that are computed at once. Outputs do not depend on it; a mean loss may, by the rounding of its last bits,
   * since it is summed up batch by batch. Default: 64.
   */
  batchSize?: number | undefined;
}

/** The options of `predictAsync`, and those that `evaluateAsync` has too. */
export interface AsyncBatchOptions extends BatchOptions {
  /** An `AbortSignal`. Ends the run between two batches; the promise then rejects with the signal's reason. */
  signal?: AbortSignalLike | undefined;
}

/** The default of `batchSize`. */
export const DEFAULT_BATCH = 64;

export const READERS = { batchSize: [positiveInteger, DEFAULT_BATCH] } as const;
export const ASYNC_READERS = { ...READERS, signal: [abortSignal] } as const;

/** The option `batchSize`. @throws OptionError naming `where` */
export function readBatchSize(where: string, options: BatchOptions): number {
  return readOptions(where, options, READERS, []).batchSize;
}

/** The options with the default of `batchSize`. @throws OptionError naming `where` */
export function readAsyncOptions(
  where: string,
  options: AsyncBatchOptions,
): { readonly batchSize: number; readonly signal?: AbortSignalLike } {
  return readOptions(where, options, ASYNC_READERS, []);
}
