import type { Evaluation } from "./evaluation.ts";

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
  /** The epoch, counted from 1, after which `earlyStopping` ended training; absent when all of `epochs` ran. */
  stoppedEpoch?: number;
  /** The best epoch in the eyes of `earlyStopping`. */
  bestEpoch?: number;
}
