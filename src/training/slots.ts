/** Numbers that a run keeps for each weight that learns: the slots of optimizers, sums of gradients, averages of weights. */
import { OptionError, ShapeError } from "../errors.ts";
import { checkWeights, type Parameter } from "../graph/parameters.ts";
import { show } from "../options.ts";
import { readTensor, type Tensor } from "../tensor.ts";

/** Copies of tensors that fit the weights and are finite. @throws ShapeError, OptionError naming what does not */
export function checkLaidOut(
  where: string,
  tensors: unknown,
  learning: ReadonlySet<Parameter>,
): Map<string, Tensor> {
  if (!(tensors instanceof Map)) {
    throw new ShapeError(`${where}: expected a Map of tensors by name, got ${show(tensors)}`);
  }
  const own = new Map<string, Tensor>();
  for (const [name, tensor] of tensors as Map<string, Tensor>) {
    const { shape, data } = readTensor(`${where}: ${name}`, tensor);
    const copy = data.slice();
    const at = copy.findIndex((value) => !Number.isFinite(value));
    if (at >= 0) {
      throw new OptionError(`${where}: ${name}[${at}]: expected a finite number, got ${copy[at]}`);
    }
    own.set(name, { shape, data: copy });
  }
  checkWeights(where, [...learning], own);
  return own;
}

/** Writes tensors that were checked to an address, where they are laid out as the weights. */
export function writeLaidOut(
  floats: Float32Array,
  address: number,
  tensors: ReadonlyMap<string, Tensor>,
  learning: ReadonlySet<Parameter>,
): void {
  for (const { name, offset } of learning) floats.set(tensors.get(name)!.data, (address >>> 2) + offset);
}
