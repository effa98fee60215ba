/** The public factories of optimizers: all that this file exports as values. */
export type { ClipOptions, Optimizer } from "./optimizer.ts";
export type { LearningRate } from "./rate.ts";
export * from "./adagrad.ts";
export * from "./adam.ts";
export * from "./lamb.ts";
export * from "./lion.ts";
export * from "./rmsprop.ts";
export * from "./sgd.ts";
