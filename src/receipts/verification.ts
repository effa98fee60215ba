/** What verifying a run takes, and what comes of it. */
import type { Named } from "../graph/namedTensors.ts";
import type { Labels } from "../labels.ts";
import type { KernelEngine } from "../runtime/engine.ts";
import type { AbortSignalLike } from "../runtime/platform.ts";
import type { LabelledBatch, Stream } from "../stream.ts";
import type { InputTensor } from "../tensor.ts";
import type { Loss } from "../training/losses/loss.ts";
import type { Optimizer } from "../training/optimizers/optimizer.ts";

/** What `verifyReceipt` needs besides the receipt of a run. */
export interface VerifyTrainingOptions {
  /** Of exact math, on any host, with any number of threads. */
  readonly engine: KernelEngine;
  /** The data of the run, as `fit` was passed them: tensors, or the stream as `batches`. */
  readonly images?: InputTensor | Named<InputTensor> | undefined;
  readonly labels?: Labels | Named<Labels> | undefined;
  readonly sampleWeight?: ArrayLike<number> | undefined;
  readonly batches?: Stream<LabelledBatch> | undefined;
  /**
   * The bytes of `toCheckpoint` in the run, from which on it is verified; or, for a run that began with weights of its own, those of
   * `toCheckpoint` or `toSafetensors` before it. Default: the weights that follow from the seed.
   */
  readonly checkpoint?: Uint8Array | undefined;
  /** The first step to verify: that which follows the checkpoint. */
  readonly from?: number | undefined;
  /** The last step to verify, or one before the next link, which is reached. Default: the end of the run. */
  readonly to?: number | undefined;
  /** The parts of a user that the receipt `needs`. */
  readonly optimizer?: Optimizer | undefined;
  readonly loss?: Loss | Named<Loss> | undefined;
  readonly signal?: AbortSignalLike | undefined;
  /** Called after each batch with the step and that of the end; a promise that it returns is awaited. */
  readonly onProgress?: ((state: { readonly step: number; readonly steps: number }) => unknown) | undefined;
}

/** What came of running it again. Steps are counted from 1. */
export type Verification =
  | {
      readonly ok: true;
      /** The first and the last step that were verified. */
      readonly from: number;
      readonly to: number;
      /** The last step, and the digest of the state after it. */
      readonly step: number;
      readonly digest: string;
    }
  | {
      readonly ok: false;
      /** The last step that was verified; the steps done before the run if none was. */
      readonly step: number;
      /** The steps of the last state that agrees and of the first one that does not. */
      readonly between: readonly [number, number];
      readonly reason: string;
    };
