/** What kernels of many kinds compute, by number. */
export { BROADCAST, REDUCE, UNARY } from "./kernels.ts";
