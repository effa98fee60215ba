/** The numbers of the functions that kernels of many kinds compute. */
export { BROADCAST, REDUCE, UNARY } from "./kernels.ts";
