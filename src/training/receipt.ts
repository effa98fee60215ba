/** What receipts hold. They are plain objects, which JSON keeps. */
import type { ScheduleConfig } from "./optimizers/rate.ts";

/** An optimizer or a loss: the name of its factory, and all options with their defaults. Of one of a user only the name is there. */
export interface PartDescription {
  readonly type: string;
  readonly [option: string]: string | number | boolean | ScheduleConfig;
}

/** What `compile` was called with. */
export interface CompileDescription {
  readonly optimizer: PartDescription;
  /** By the name of the output. */
  readonly loss: Readonly<Record<string, PartDescription>>;
  readonly algorithm: string;
  readonly gradientAccumulationSteps: number;
  /** Present with `useEma`. */
  readonly emaMomentum?: number;
}

/** The options of `fit` on which its steps depend. */
export interface FitDescription {
  readonly epochs: number;
  readonly initialEpoch?: number;
  /** True for data that came as a stream, which has its own batches and order. */
  readonly stream: boolean;
  readonly batchSize?: number;
  readonly shuffle?: boolean;
  readonly validationSplit?: number;
  readonly classWeight?: Readonly<Record<string, number>>;
}

/** What all receipts tell of the package that made them. */
export interface ReceiptHeader {
  readonly format: "im2row receipt";
  /** The version of the JSON. */
  readonly version: 1;
  /** The version of sums, orders and draws: a package of the same one verifies the receipt. */
  readonly numerics: number;
  /** The version of the package, and the SHA-256 of its binary: told, and not compared. */
  readonly package: string;
  readonly binary: string;
}

/** The receipt of a run of `fit`. Digests are SHA-256 in hexadecimal digits; docs/receipts.md says of what. */
export interface TrainingReceipt extends ReceiptHeader {
  readonly kind: "training";
  /** The layers and the seed, as in a model file. */
  readonly architecture: Readonly<Record<string, unknown>>;
  readonly compile: CompileDescription;
  readonly options: FitDescription;
  /** Parts of a user, which `verifyReceipt` cannot make by itself: `optimizer`, `loss`, `layer scale`, `activation cube`. */
  readonly needs: readonly string[];
  /** The samples that were trained on in the first epoch, and the root of the tree over them. */
  readonly data: { readonly samples: number; readonly root: string };
  /** The steps and the epochs that were done before, and the state at that moment. */
  readonly start: { readonly steps: number; readonly epochs: number; readonly digest: string };
  /** The learning rates that callbacks or the caller set: each holds from its step on, which is counted from 1. */
  readonly rates: readonly (readonly [step: number, learningRate: number])[];
  /** The batches that were trained on, and the step after the last of them. */
  readonly batches: number;
  readonly steps: number;
  /** The state after every so many steps of this run. */
  readonly links: { readonly every: number; readonly digests: readonly string[] };
  /** The state after the last batch. */
  readonly digest: string;
  /**
   * The weights that `fit` left the model with; those at the end of an earlier epoch, counted from 1 in this run, when they were
   * restored.
   */
  readonly weights: { readonly digest: string; readonly epoch?: number };
  /** The end of the chain over all of the above but `package` and `binary`. */
  readonly chain: string;
}
