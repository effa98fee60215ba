import type { SymbolicTensor } from "../../layers/contract.ts";
import type { Constant, TensorType } from "../file/constant.ts";

/** A tensor that is computed when the net runs. */
export interface Computed extends TensorType {
  readonly symbol: SymbolicTensor;
  /** Its axes in the order in which they lie in memory: `[0, 2, 3, 1]` for an image that lies as `[n, h, w, c]`. */
  readonly order: readonly number[];
}

export type Value = Constant | Computed;

export function isConstant(value: Value): value is Constant {
  return "data" in value;
}

export function isComputed(value: Value | undefined): value is Computed {
  return value !== undefined && !isConstant(value);
}
