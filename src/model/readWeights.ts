import { ShapeError } from "../errors.ts";
import { show } from "../options.ts";
import { readTensor, type Filled, type Tensor } from "../tensor.ts";

/** Weights by name, each read once. @throws ShapeError */
export function readWeights(where: string, weights: ReadonlyMap<string, Tensor>): [string, Filled][] {
  if (!(weights instanceof Map)) {
    throw new ShapeError(`${where}: expected a Map of tensors by name, got ${show(weights)}`);
  }
  return Array.from(weights, ([name, weight]) => [name, readTensor(`${where}: ${name}`, weight)]);
}
