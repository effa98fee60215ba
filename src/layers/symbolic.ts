import type { DType } from "../dtype.ts";
import { OptionError } from "../errors.ts";
import { checkOptions, oneOf, show } from "../options.ts";
import { readShape, type Shape } from "../tensor.ts";
import { onlyInput, SymbolicTensor, type Layer, type LayerDefinition } from "./contract.ts";

/** Turns one symbolic tensor, or several, into a list. @throws OptionError naming `where` when they are something else */
export function symbolicTensors(where: string, values: unknown): SymbolicTensor[] {
  const list: unknown[] = Array.isArray(values) ? values : [values];
  const wrong = list.findIndex((value) => !(value instanceof SymbolicTensor));
  if (list.length === 0 || wrong >= 0) {
    throw new OptionError(
      `${where}: expected what input() or layer.apply() returns, got ${show(list.length === 0 ? values : list[wrong])}`,
    );
  }
  return list as SymbolicTensor[];
}

/** The types of the inputs of models that users make. */
export type InputType = "float32" | "uint8";

/** @throws OptionError naming `where` unless it is one of these, or left out */
export const readInputType = (where: string, value: InputType = "float32"): InputType =>
  oneOf(where, value, ["float32", "uint8"]);

/**
 * An input of a functional model, with its shape for one image. One of the `dtype` `"uint8"` takes bytes, which `rescaling`,
 * `resizing` and `centerCrop` read; by default it takes float32.
 * @throws ShapeError unless `shape` is a list of positive integers; OptionError
 */
export function input(options: {
  shape: Shape;
  dtype?: InputType | undefined;
  name?: string | undefined;
}): SymbolicTensor {
  checkOptions("input", options, ["shape", "dtype", "name"]);
  const shape = readShape("input: shape", options.shape);
  return inputTensor(shape, readInputType("input: dtype", options.dtype), options.name);
}

/** An input of any number type; nets from files have inputs of integers too. */
export function inputTensor(shape: Shape, dtype: DType, name?: string): SymbolicTensor {
  return new SymbolicTensor(shape, dtype, undefined, [], name);
}

/** @throws OptionError naming `where` unless all inputs are of a type */
function expectType(inputs: readonly DType[], where: string, type: DType): DType {
  const other = inputs.find((each) => each !== type);
  if (other === undefined) return type;
  throw new OptionError(`${where}: expected inputs of ${type}, got ${other}`);
}

/** The type of the output of a layer that moves numbers of four bytes, of one type. @throws OptionError naming `where` */
export const typeOfInputs = (inputs: readonly DType[], where: string): DType =>
  expectType(inputs, where, inputs[0] === "int32" ? "int32" : "float32");

/** Makes a layer from its definition and fills in the defaults. */
export function layerOf<State>(definition: LayerDefinition<State>): Layer {
  const layer: Layer = {
    // Properties that all layers have come first, in one order, because JavaScript engines give such objects one hidden class.
    name: undefined,
    outputShape: onlyInput,
    outputType: (types, where) => expectType(types, where, "float32"),
    weights: () => [],
    isView: () => false,
    backwardReads: {},
    ...definition,
    trainable: true,
    learningRateMultiplier: 1,
    apply(inputs) {
      const where = layer.name ?? layer.type;
      const values = symbolicTensors(`${where}: apply`, inputs);
      const shape = layer.outputShape(
        values.map((value) => value.shape),
        where,
      );
      const dtype = layer.outputType(
        values.map((value) => value.dtype),
        where,
      );
      return new SymbolicTensor(shape, dtype, layer, values);
    },
  };
  return layer;
}
