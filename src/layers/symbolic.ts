import type { DType } from "../dtype.ts";
import { OptionError } from "../errors.ts";
import { checkOptions, show } from "../options.ts";
import { readShape, type Shape } from "../tensor.ts";
import { onlyInput, SymbolicTensor, type Layer, type LayerDefinition } from "./contract.ts";

/** Several or one. @throws OptionError naming `where` unless all are symbolic tensors. */
export function symbolicTensors(where: string, given: unknown): SymbolicTensor[] {
  const list: unknown[] = Array.isArray(given) ? given : [given];
  const wrong = list.findIndex((value) => !(value instanceof SymbolicTensor));
  if (list.length === 0 || wrong >= 0) {
    throw new OptionError(
      `${where}: expected what input() or layer.apply() gives, got ${show(list.length === 0 ? given : list[wrong])}`,
    );
  }
  return list as SymbolicTensor[];
}

/**
 * Where the functional API starts: what a model is fed, for one image.
 * @throws ShapeError unless `shape` is a list of positive integers.
 */
export function input(options: { shape: Shape; name?: string }): SymbolicTensor {
  checkOptions("input", options, ["shape", "name"]);
  const shape = readShape("input: shape", options.shape);
  return inputTensor(shape, "float32", options.name);
}

/** An input of numbers of any type, which is what nets from files have. */
export function inputTensor(shape: Shape, dtype: DType, name?: string): SymbolicTensor {
  return new SymbolicTensor(shape, dtype, undefined, [], name);
}

/** The layer with this definition, and with the defaults for what it leaves out. */
export function layerOf<State>(definition: LayerDefinition<State>): Layer {
  const layer: Layer = {
    // Properties that all layers have stand first, in one order: the engine gives such objects one hidden class.
    name: undefined,
    outputShape: onlyInput,
    outputType: ([first = "float32"]) => first,
    weights: () => [],
    isView: () => false,
    backwardReads: {},
    ...definition,
    trainable: true,
    apply(inputs) {
      const where = layer.name ?? layer.type;
      const values = symbolicTensors(`${where}: apply`, inputs);
      const shape = layer.outputShape(
        values.map((value) => value.shape),
        where,
      );
      const dtype = layer.outputType(values.map((value) => value.dtype));
      return new SymbolicTensor(shape, dtype, layer, values);
    },
  };
  return layer;
}
