/** The ABI of the kernels, which the build reads from `assembly/`: the typed table, the numbers of kinds, the structs. */
export * from "../../build/kernels.ts";
