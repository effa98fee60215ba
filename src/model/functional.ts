import { OptionError } from "../errors.ts";
import { symbolicTensors } from "../layers/symbolic.ts";
import type { SymbolicTensor } from "../layers/contract.ts";
import { checkOptions } from "../options.ts";
import { shapeText } from "../tensor.ts";
import type { SharedSlots } from "../graph/weightBlock.ts";
import { createGraph, type Graph, type OutputRoles } from "../graph/graph.ts";
import { Model } from "./model.ts";
import { checkSeed } from "./seed.ts";

export interface ModelOptions {
  /** One value or a list, made by `input()`. */
  inputs: SymbolicTensor | readonly SymbolicTensor[];
  /** One value or a list, made by layers; outputs are called as the layers that compute them. */
  outputs: SymbolicTensor | readonly SymbolicTensor[];
  /** Draws the weights, the order of the images and dropout: an integer from 0 to 2⁵³ − 1. Default: 0. */
  seed?: number;
}

/** Everything that the outputs are made from, in the order in which it was made. */
function ancestors(outputs: readonly SymbolicTensor[]): SymbolicTensor[] {
  const seen = new Set<SymbolicTensor>(outputs);
  // A set yields what is added while it is walked.
  for (const value of seen) for (const from of value.inputs) seen.add(from);
  return [...seen].sort((a, b) => a.order - b.order);
}

function refuseTwins(where: string, values: readonly SymbolicTensor[]): void {
  const seen = new Set<SymbolicTensor>();
  const twin = values.findIndex((value) => seen.size === seen.add(value).size);
  if (twin >= 0) throw new OptionError(`${where}[${twin}]: expected a value of its own, got the same again`);
}

/** @throws OptionError naming what is not connected. */
function graphOf(
  inputs: readonly SymbolicTensor[],
  outputs: readonly SymbolicTensor[],
  roles?: OutputRoles,
): Graph {
  const computed = ancestors(outputs);
  const [given, needed] = [new Set(inputs), new Set(computed)];
  const layerAt = inputs.findIndex(({ layer }) => layer !== undefined);
  if (layerAt >= 0) {
    throw new OptionError(
      `model: inputs[${layerAt}]: expected what input() gives, got the output of ${inputs[layerAt]!.layer!.type}`,
    );
  }
  const unused = inputs.findIndex((value) => !needed.has(value));
  if (unused >= 0) {
    throw new OptionError(
      `model: inputs[${unused}]: expected an input that an output depends on, got one that none does`,
    );
  }
  const missing = computed.find((value) => value.layer === undefined && !given.has(value));
  if (missing) {
    throw new OptionError(
      `model: inputs: expected every input that the outputs depend on, got none called ${missing.name ?? "(without a name)"} ` +
        `of shape ${shapeText(missing.shape)}`,
    );
  }
  const bare = outputs.findIndex(({ layer }) => layer === undefined);
  if (bare >= 0)
    throw new OptionError(`model: outputs[${bare}]: expected the output of a layer, got an input`);
  const nodes = computed.filter(({ layer }) => layer !== undefined);
  const numbers = new Map([...inputs, ...nodes].map((value, number) => [value, number]));
  const number = (value: SymbolicTensor): number => numbers.get(value)!;
  return createGraph(
    inputs.map(({ name, shape, dtype }) => ({ name, shape, dtype })),
    nodes.map(({ layer, inputs: from }) => ({ layer: layer!, inputs: from.map(number) })),
    outputs.map(number),
    roles,
  );
}

/**
 * A model of a graph that was drawn with `input()` and `layer.apply()`: branches, residual sums, concatenations, several
 * inputs and outputs, layers that are used more than once. The model has weights of its own, drawn from `seed`: another one
 * of the same layers shares nothing with it; `setWeights(model)` takes its weights over.
 * @throws OptionError, ShapeError naming what is not connected or does not fit.
 */
export function model(options: ModelOptions): Model {
  return modelOf(options);
}

/**
 * As `model`, with names of their own for the outputs, some of which may have no loss, and with weights that it shares with
 * other models.
 */
export function modelOf(options: ModelOptions, roles?: OutputRoles, shared?: SharedSlots): Model {
  checkOptions("model", options, ["inputs", "outputs", "seed"]);
  const inputs = symbolicTensors("model: inputs", options.inputs);
  const outputs = symbolicTensors("model: outputs", options.outputs);
  refuseTwins("model: inputs", inputs);
  refuseTwins("model: outputs", outputs);
  const { seed = 0 } = options;
  checkSeed("model", seed);
  return new Model(graphOf(inputs, outputs, roles), seed, undefined, shared);
}
