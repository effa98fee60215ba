import type { DType } from "../dtype.ts";

/** A range of linear memory. The planner fills in the address before the first pass runs. */
export interface Buffer {
  /** The byte address of its first element. */
  pointer: number;
  readonly dtype: DType;
}
