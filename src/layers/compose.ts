/** Layers that are composed of others: a function of symbolic tensors. */
import { OptionError } from "../errors.ts";
import { show } from "../options.ts";
import type { Shape } from "../tensor.ts";
import { SymbolicTensor, type Layer } from "./contract.ts";
import { layerOf, symbolicTensors } from "./symbolic.ts";

/** Applies the layers that a composed one is made of. */
export type Composition = (...inputs: SymbolicTensor[]) => SymbolicTensor;

/** The layers between a value and what it was made from. */
function layersBetween(inputs: readonly SymbolicTensor[], output: SymbolicTensor): Layer[] {
  const seen = new Set<SymbolicTensor>([output]);
  const layers = new Set<Layer>();
  // A set yields what is added while it is walked.
  for (const value of seen) {
    if (inputs.includes(value)) continue;
    if (value.layer) layers.add(value.layer);
    for (const from of value.inputs) seen.add(from);
  }
  return [...layers];
}

/**
 * A layer that puts the layers of its composition into the graph: a model sees these, each called as this layer and then as
 * it would be called by itself. Freezing it freezes them.
 */
export function composed(type: string, name: string | undefined, compose: Composition): Layer {
  const parts = new Set<Layer>();
  let trainable = true;
  const expand = (where: string, inputs: readonly SymbolicTensor[]): SymbolicTensor => {
    const output = compose(...inputs);
    if (!(output instanceof SymbolicTensor) || inputs.includes(output)) {
      throw new OptionError(`${where}: compose: expected what layer.apply() gives, got ${show(output)}`);
    }
    for (const layer of layersBetween(inputs, output)) {
      if (parts.has(layer)) continue;
      parts.add(layer);
      layer.label = `${name ?? type}_${layer.label ?? layer.name ?? layer.type}`;
      if (!trainable) layer.trainable = false;
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
    apply: {
      value: (inputs: SymbolicTensor | readonly SymbolicTensor[]) =>
        expand(name ?? type, symbolicTensors(`${name ?? type}: apply`, inputs)),
    },
    isComposed: { value: true },
  });
}
