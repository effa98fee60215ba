/** The public factories of callbacks: all that this file exports as values. */
export type { BatchBegin, Callback, CallbackLike, EpochBegin, TrainBegin, TrainedModel } from "./callback.ts";
export type { MonitorOptions } from "./figures.ts";
export * from "./checkpoint.ts";
export * from "./csvLogger.ts";
export * from "./earlyStopping.ts";
export * from "./learningRateFinder.ts";
export * from "./reduceLROnPlateau.ts";
