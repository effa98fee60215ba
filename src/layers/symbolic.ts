import { OptionError } from "../errors.ts";
import { checkOptions, show } from "../options.ts";
import { readShape, type Shape } from "../tensor.ts";
import type { Layer, LayerDefinition } from "./layer.ts";

let created = 0;

/** A value that a model will compute: what a graph is drawn with, before there are numbers. */
export class SymbolicTensor {
  /** The shape for one image, without the batch. */
  readonly shape: Shape;
  /** The layer that computes it, and from what; an input has none. */
  readonly layer: Layer | undefined;
  readonly inputs: readonly SymbolicTensor[];
  /** Of an input. */
  readonly name: string | undefined;
  /** Later ones are made from earlier ones. */
  readonly order = created++;

  /** Users call `input` and `layer.apply`. */
  constructor(shape: Shape, layer?: Layer, inputs: readonly SymbolicTensor[] = [], name?: string) {
    this.shape = shape;
    this.layer = layer;
    this.inputs = inputs;
    this.name = name;
  }
}

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
 * Where the functional API starts: what a model is given, for one image.
 * @throws ShapeError unless `shape` is a list of positive integers.
 */
export function input(options: { shape: Shape; name?: string }): SymbolicTensor {
  checkOptions("input", options, ["shape", "name"]);
  const shape = readShape("input: shape", options.shape);
  return new SymbolicTensor(shape, undefined, [], options.name);
}

/** A layer from its definition. */
export function defineLayer(definition: LayerDefinition): Layer {
  const layer: Layer = {
    // A place for it from the start: a name that comes later would have each layer made over.
    name: undefined,
    ...definition,
    trainable: true,
    apply(inputs) {
      const where = layer.name ?? layer.type;
      const values = symbolicTensors(`${where}: apply`, inputs);
      const shape = layer.outputShape(
        values.map((value) => value.shape),
        where,
      );
      return new SymbolicTensor(shape, layer, values);
    },
  };
  return layer;
}
