import type { Evaluation } from "./evaluation.ts";
import type { TrainingReceipt } from "./receipt.ts";

/** The state after a batch. Of a stream it is not known how many batches there will be: `batches` is undefined. */
export interface BatchEnd<Batches extends number | undefined = number> {
  /** Counted from 1. */
  epoch: number;
  batch: number;
  batches: Batches;
  /** Steps of this model so far. */
  step: number;
  /** Means over the images of this epoch so far. */
  loss: number;
  accuracy: number;
  /** Means over the images of this batch alone, before its step. */
  batchLoss: number;
  batchAccuracy: number;
}

/** The state after an epoch. */
export interface EpochEnd {
  epoch: number;
  loss: number;
  accuracy: number;
  validationLoss?: number;
  validationAccuracy?: number;
  /** All that `evaluate` returns for the validation data, the metrics of `compile` and each output's figures included. */
  validation?: Evaluation;
}

/** One entry an epoch. */
export interface History {
  loss: number[];
  accuracy: number[];
  validationLoss: number[];
  validationAccuracy: number[];
  /** The epoch, counted from 1, after which `earlyStopping` or a callback ended training; absent when all of `epochs` ran. */
  stoppedEpoch?: number;
  /** The best epoch in the eyes of `earlyStopping`. */
  bestEpoch?: number;
  /** The receipt that the option `receipt` asked for, and the milliseconds that it took besides the steps. */
  receipt?: TrainingReceipt;
  receiptMilliseconds?: number;
}

/** A copy, or an empty one. */
export function copyHistory(history?: History): History {
  const { loss = [], accuracy = [], validationLoss = [], validationAccuracy = [], ...epochs } = history ?? {};
  return {
    loss: [...loss],
    accuracy: [...accuracy],
    validationLoss: [...validationLoss],
    validationAccuracy: [...validationAccuracy],
    ...epochs,
  };
}
