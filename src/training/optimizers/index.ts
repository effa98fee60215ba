/** The public factories of optimizers: all that this file exports as values. */
export type { ClipOptions, Optimizer } from "./optimizer.ts";
export type { LearningRate } from "./rate.ts";
export * from "./adam.ts";
export * from "./sgd.ts";
