/** Layers that are composed of other layers by a function of symbolic tensors. */
import { OptionError } from "../errors.ts";
import { checkName, show } from "../options.ts";
import type { Shape } from "../tensor.ts";
import { SymbolicTensor, type Layer } from "./contract.ts";
import { layerOf, symbolicTensors } from "./symbolic.ts";

/** Applies the parts of a composed layer to its inputs and returns the output. */
export type Composition = (...inputs: SymbolicTensor[]) => SymbolicTensor;

/** The layers on all paths from the inputs to the output. */
function layersBetween(inputs: readonly SymbolicTensor[], output: SymbolicTensor): Layer[] {
  const seen = new Set<SymbolicTensor>([output]);
  const layers = new Set<Layer>();
  // Iteration over a set includes the elements that are added meanwhile.
  for (const value of seen) {
    if (inputs.includes(value)) continue;
    if (value.layer) layers.add(value.layer);
    for (const from of value.inputs) seen.add(from);
  }
  return [...layers];
}

/**
 * A layer that puts the layers of its composition into the graph. The model sees only these; each is named after this
 * layer and itself, `layer_part`. Freezing the composed layer freezes its parts.
 */
export function composed(type: string, name: string | undefined, compose: Composition): Layer {
  // It begins the names of the parts, which stand in files and maps.
  if (name !== undefined) checkName(type, name);
  const parts = new Set<Layer>();
  let trainable = true;
  let learningRateMultiplier = 1;
  const expand = (where: string, inputs: readonly SymbolicTensor[]): SymbolicTensor => {
    const output = compose(...inputs);
    if (!(output instanceof SymbolicTensor) || inputs.includes(output)) {
      throw new OptionError(`${where}: compose: expected what layer.apply() returns, got ${show(output)}`);
    }
    for (const layer of layersBetween(inputs, output)) {
      if (parts.has(layer)) continue;
      parts.add(layer);
      layer.label = `${name ?? type}_${layer.label ?? layer.name ?? layer.type}`;
      if (!trainable) layer.trainable = false;
      if (learningRateMultiplier !== 1) layer.learningRateMultiplier = learningRateMultiplier;
    }
    return output;
  };
  const valueOf = (shape: Shape): SymbolicTensor => new SymbolicTensor(shape);
  const layer = layerOf({
    type,
    name,
    outputShape: (inputs, where) => expand(where, inputs.map(valueOf)).shape,
    build() {
      throw new Error(`${name ?? type}: expected the layers that it is composed of to be built`);
    },
  });
  return Object.defineProperties(layer, {
    trainable: {
      enumerable: true,
      get: () => trainable,
      set(value: boolean) {
        trainable = value;
        for (const part of parts) part.trainable = value;
      },
    },
    learningRateMultiplier: {
      enumerable: true,
      get: () => learningRateMultiplier,
      set(value: number) {
        learningRateMultiplier = value;
        for (const part of parts) part.learningRateMultiplier = value;
      },
    },
    apply: {
      value: (inputs: SymbolicTensor | readonly SymbolicTensor[]) =>
        expand(name ?? type, symbolicTensors(`${name ?? type}: apply`, inputs)),
    },
    isComposed: { value: true },
  });
}
