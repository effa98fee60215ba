/**
 * The functions that write one use of a layer, under the layers' types. They return the file's name of the output, which is
 * that of the input if nothing is to be done.
 */
export * from "./elementwise.ts";
export * from "./indexing.ts";
export * from "./merges.ts";
export * from "./normalizations.ts";
export * from "./operands.ts";
export * from "./reductions.ts";
export * from "./shapes.ts";
export * from "./spectral.ts";
export * from "./windows.ts";
