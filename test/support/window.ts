/** The sliding window as tests describe it, and as kernels read it. */
import { WINDOW_SIZE, writeWindow, type Window } from "../../src/kernels/kernels.ts";
import type { KernelBench } from "./wasm.ts";

export type Geometry = { -readonly [Field in keyof Window]: number };

/** Writes the struct and returns its address. */
export function putWindow(bench: KernelBench, geometry: Geometry): number {
  const struct = new Int32Array(WINDOW_SIZE);
  writeWindow(struct, 0, geometry);
  return bench.put(struct);
}
