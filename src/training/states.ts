/** Checks of states that callbacks take up: they may come from a file. */
import { OptionError, ShapeError } from "../errors.ts";
import { checkWeights } from "../graph/parameters.ts";
import { isCount, show } from "../options.ts";
import type { Tensor } from "../tensor.ts";

/** @throws OptionError unless `value` is a number, which may be infinite */
export function readFigure(where: string, value: unknown): number {
  if (typeof value === "number" && value === value) return value;
  throw new OptionError(`${where}: expected a number, got ${show(value)}`);
}

/** @throws OptionError unless `value` is a list of such */
export function readFigures(where: string, value: unknown): number[] {
  if (!Array.isArray(value))
    throw new OptionError(`${where}: expected a list of numbers, got ${show(value)}`);
  return value.map((each, i) => readFigure(`${where}[${i}]`, each));
}

/** @throws OptionError unless `value` is an integer ≥ 0 */
export function readCount(where: string, value: unknown): number {
  if (isCount(value)) return value;
  throw new OptionError(`${where}: expected an integer ≥ 0, got ${show(value)}`);
}

/** @throws ShapeError unless `value` has a tensor for each of the model's weights */
export function readWeightsLike(
  where: string,
  value: unknown,
  weights: ReadonlyMap<string, Tensor>,
): ReadonlyMap<string, Tensor> {
  if (!(value instanceof Map)) throw new ShapeError(`${where}: expected the weights, got ${show(value)}`);
  const expected = Array.from(weights, ([name, { shape }]) => ({ name, shape }));
  checkWeights(where, expected, value as ReadonlyMap<string, Tensor>);
  return value as ReadonlyMap<string, Tensor>;
}
