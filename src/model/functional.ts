import { OptionError } from "../errors.ts";
import { symbolicTensors } from "../layers/symbolic.ts";
import { SymbolicTensor } from "../layers/contract.ts";
import { checkName, checkOptions } from "../options.ts";
import { shapeText } from "../tensor.ts";
import type { SharedSlots } from "../graph/weightBlock.ts";
import { createGraph, type Graph, type OutputSpec } from "../graph/graph.ts";
import { Model } from "./model.ts";
import { checkSeed } from "./seed.ts";

/** Values by the names that the outputs of a model are to have. */
export type NamedOutputs = Readonly<Record<string, SymbolicTensor>>;

export interface ModelOptions {
  /** One value that `input()` returned, or a list of them. */
  inputs: SymbolicTensor | readonly SymbolicTensor[];
  /**
   * One value that a layer returned, or a list of them, whose outputs have the names of their layers; or a record of them by
   * the names that the outputs are to have.
   */
  outputs: SymbolicTensor | readonly SymbolicTensor[] | NamedOutputs;
  /** The seed of the weights, of the order of the images and of dropout: an integer from 0 to 2⁵³ − 1. Default: 0. */
  seed?: number | undefined;
}

/** The outputs and all values that they are computed from, in the order in which they were created. */
function ancestors(outputs: readonly SymbolicTensor[]): SymbolicTensor[] {
  const seen = new Set<SymbolicTensor>(outputs);
  // Iteration over a set includes the elements that are added meanwhile.
  for (const value of seen) for (const from of value.inputs) seen.add(from);
  return [...seen].sort((a, b) => a.order - b.order);
}

function refuseTwins(where: string, values: readonly SymbolicTensor[]): void {
  const seen = new Set<SymbolicTensor>();
  const twin = values.findIndex((value) => seen.size === seen.add(value).size);
  if (twin >= 0) throw new OptionError(`${where}[${twin}]: expected each value once, got the same again`);
}

/** The graph between inputs and outputs. @throws OptionError naming what is not connected. */
function graphOf(
  inputs: readonly SymbolicTensor[],
  outputs: readonly SymbolicTensor[],
  outputSpec?: OutputSpec,
): Graph {
  const computed = ancestors(outputs);
  const [known, needed] = [new Set(inputs), new Set(computed)];
  const layerAt = inputs.findIndex(({ layer }) => layer !== undefined);
  if (layerAt >= 0) {
    throw new OptionError(
      `model: inputs[${layerAt}]: expected what input() returns, got the output of ${inputs[layerAt]!.layer!.type}`,
    );
  }
  const unused = inputs.findIndex((value) => !needed.has(value));
  if (unused >= 0) {
    throw new OptionError(
      `model: inputs[${unused}]: expected an input that an output depends on, got one that none does`,
    );
  }
  const missing = computed.find((value) => value.layer === undefined && !known.has(value));
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
  const numbers = new Map<SymbolicTensor, number>();
  for (const value of [...inputs, ...nodes]) numbers.set(value, numbers.size);
  const number = (value: SymbolicTensor): number => numbers.get(value)!;
  return createGraph(
    inputs.map(({ name, shape, dtype, origin }) => ({ name, shape, dtype, origin })),
    nodes.map(({ layer, inputs: from, origin }) => ({ layer: layer!, inputs: from.map(number), origin })),
    outputs.map(number),
    outputSpec,
  );
}

/**
 * A model of a graph that was built with `input()` and `layer.apply()`: with branches, residual connections,
 * concatenations, several inputs and outputs, and layers that are used more than once. The model has weights of its own,
 * which start from `seed`: it shares none with another model of the same layers, but `setWeights(model)` copies them.
 * @throws OptionError, ShapeError naming what is not connected or does not fit.
 */
export function model<const Outputs extends NamedOutputs>(
  options: ModelOptions & { outputs: Outputs },
): Model<Extract<keyof Outputs, string>>;
export function model(options: ModelOptions): Model;
export function model(options: ModelOptions): Model {
  const { outputs } = options ?? {};
  if (typeof outputs !== "object" || outputs instanceof SymbolicTensor || Array.isArray(outputs)) {
    return modelOf(options);
  }
  const named = Object.entries(outputs ?? {});
  if (named.length === 0) symbolicTensors("model: outputs", outputs);
  for (const [name] of named) checkName("model: outputs", name);
  const names = named.map(([name]) => name);
  const outputSpec = { names, lossOutputs: names.map((_, place) => place) };
  const made = modelOf({ ...options, outputs: named.map(([, value]) => value) }, outputSpec);
  const twice = made.inputs.find(({ name }) => names.includes(name));
  if (twice) throw new OptionError(`model: outputs: expected names that no input has, got ${twice.name}`);
  return made;
}

/**
 * Makes a model like `model`. `outputSpec` names the outputs and says which have a loss; `shared` returns the slots of
 * weights that the model shares with others.
 */
export function modelOf(options: ModelOptions, outputSpec?: OutputSpec, shared?: SharedSlots): Model {
  checkOptions("model", options, ["inputs", "outputs", "seed"]);
  const inputs = symbolicTensors("model: inputs", options.inputs);
  const outputs = symbolicTensors("model: outputs", options.outputs);
  refuseTwins("model: inputs", inputs);
  refuseTwins("model: outputs", outputs);
  const { seed = 0 } = options;
  checkSeed("model", seed);
  return new Model(graphOf(inputs, outputs, outputSpec), seed, undefined, shared);
}
