/** The public factories of losses: all that this file exports as values. */
export type { Loss } from "./loss.ts";
export * from "./pointwise.ts";
export * from "./softmaxCrossEntropy.ts";
