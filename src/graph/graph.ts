import { checkAlgorithm, type ConvAlgorithm } from "../kernels/conv2d.ts";
import { OptionError, ShapeError } from "../errors.ts";
import type { DType } from "../dtype.ts";
import type { Layer } from "../layers/contract.ts";
import type { ValueOrigin } from "../layers/origin.ts";
import { checkName, show } from "../options.ts";
import { readShape, sameShape, shapeText, type Shape } from "../tensor.ts";

/** An input of a model, or an output: its name, and its shape for one image, without the batch. */
export interface GraphInput {
  readonly name: string;
  readonly shape: Shape;
  /** Of an input that takes bytes; others take float32. */
  readonly dtype?: "uint8";
}

/** One use of a layer. Values are numbered: first the graph's inputs, then what each node defines. */
export interface GraphNode {
  /** The layer's name; its further uses are `name:1`, `name:2` … */
  readonly name: string;
  readonly layer: Layer;
  /** The values it reads. */
  readonly inputs: readonly number[];
  /** The value it defines. */
  readonly output: number;
  /** Shapes of one image's inputs and output, without the batch. */
  readonly inputShapes: readonly Shape[];
  readonly outputShape: Shape;
  /** The node whose weights it uses: itself, or the first that uses the layer. */
  readonly owner: number;
}

/** A model's layers in an order in which each comes after those that it reads from. */
export interface Graph {
  /** The algorithm of convolutions whose layer does not choose one, which `compile` sets. */
  readonly algorithm?: ConvAlgorithm;
  readonly inputs: readonly GraphInput[];
  readonly nodes: readonly GraphNode[];
  /** The values that the model returns, each the output of a node, and their names. */
  readonly outputs: readonly number[];
  readonly outputNames: readonly string[];
  /** The indices of the outputs that have a loss; outputs of integers have none. */
  readonly lossOutputs: readonly number[];
  /** By value: its shape for one image, and the type of its numbers. */
  readonly shapes: readonly Shape[];
  readonly types: readonly DType[];
  /** By value: what it is in the file that it comes from, if it does. */
  readonly origins: readonly (ValueOrigin | undefined)[];
}

/** A layer and the values that it reads, before shapes are known. */
export interface NodeSpec {
  readonly layer: Layer;
  readonly inputs: readonly number[];
  /** What its output is in the file that it comes from. */
  readonly origin?: ValueOrigin | undefined;
}

/** An input of a graph before it is named; without a name it gets one. */
export interface InputSpec {
  readonly name?: string | undefined;
  readonly shape: Shape;
  /** Default: float32. */
  readonly dtype?: DType;
  readonly origin?: ValueOrigin | undefined;
}

/** The node that defines a value. */
export function nodeOf({ inputs, nodes }: Graph, value: number): GraphNode {
  return nodes[value - inputs.length]!;
}

/** By value, for `values` of them: the number of times that nodes read it. */
export function countUses(nodes: readonly GraphNode[], values: number): number[] {
  const uses = Array.from({ length: values }, () => 0);
  for (const { inputs } of nodes) for (const value of inputs) uses[value]! += 1;
  return uses;
}

/** The names and shapes of the model's outputs. */
export function outputsOf({ outputs, outputNames, shapes }: Graph): GraphInput[] {
  return outputs.map((value, i) => ({ name: outputNames[i]!, shape: shapes[value]! }));
}

/** The names and shapes of the outputs that have a loss. */
export function lossOutputsOf(graph: Graph): GraphInput[] {
  const outputs = outputsOf(graph);
  return graph.lossOutputs.map((index) => outputs[index]!);
}

/** True when each node reads the one before and nothing else. */
export function isChain({ inputs, nodes, outputs }: Graph): boolean {
  return (
    inputs.length === 1 &&
    outputs.length === 1 &&
    outputs[0] === nodes.length &&
    nodes.every((node, index) => node.owner === index && node.inputs.length === 1 && node.inputs[0] === index)
  );
}

/**
 * Checks an algorithm against all layers of a graph.
 * @throws OptionError naming `where` when there is no such algorithm, and the layer when it cannot compute that layer
 */
export function checkAlgorithms(where: string, graph: Graph, algorithm: ConvAlgorithm): ConvAlgorithm {
  checkAlgorithm(`${where}: algorithm`, algorithm);
  // It leaves the choice to each layer.
  if (algorithm === "auto") return algorithm;
  for (const { layer, name, inputShapes } of graph.nodes) {
    layer.checkAlgorithm?.(inputShapes, `${where}: ${name}`, algorithm);
  }
  return algorithm;
}

/** Inputs and layers, with a name from the user or the type or label to name them after. */
type Nameable = readonly {
  readonly name?: string | undefined;
  readonly type: string;
  readonly label?: string;
}[];

/** Names things as Keras does: the label or type, then `type_1`, `type_2` …, unless the user gave a name. */
function nameAll(things: Nameable): string[] {
  const taken = new Set<string>();
  for (const { name, type, label } of things) {
    if (name === undefined || label !== undefined) continue;
    checkName(type, name);
    if (taken.has(name)) {
      throw new OptionError(
        `${type}: name: expected a name of its own, got ${show(name)} for the second time`,
      );
    }
    taken.add(name);
  }
  const used = new Map<string, number>();
  return things.map(({ name, type, label }) => {
    if (name !== undefined && label === undefined) return name;
    const base = label ?? type;
    for (;;) {
      const count = used.get(base) ?? 0;
      used.set(base, count + 1);
      const next = count === 0 ? base : `${base}_${count}`;
      if (!taken.has(next)) return next;
    }
  });
}

/** @throws ShapeError unless a further use of a layer needs weights of the same shapes as the first */
function checkShared({ name, layer, inputShapes }: GraphNode, first: GraphNode): void {
  const [own, shared] = [layer.weights(inputShapes), layer.weights(first.inputShapes)];
  const differs = own.findIndex(({ shape }, i) => !sameShape(shape, shared[i]!.shape));
  if (differs < 0) return;
  const { shape } = shared[differs]!;
  throw new ShapeError(
    `${name}: ${own[differs]!.name}: expected the shape of the layer's first use, ${shapeText(shape)}, ` +
      `got inputs that need ${shapeText(own[differs]!.shape)}`,
  );
}

/** The names of a model's outputs, and the indices of those that have a loss. */
export interface OutputSpec {
  readonly names: readonly string[];
  readonly lossOutputs: readonly number[];
}

/**
 * Makes a graph: names inputs and nodes, and infers all shapes. Without `outputSpec` each output has the name of its node
 * and a loss. @throws ShapeError, OptionError naming the layer.
 */
export function createGraph(
  inputs: readonly InputSpec[],
  specs: readonly NodeSpec[],
  outputs: readonly number[],
  outputSpec?: OutputSpec,
): Graph {
  const shapes: Shape[] = inputs.map(({ shape }) => {
    const own = readShape("model: inputShape", shape);
    if (own.length > 0) return own;
    throw new ShapeError("model: inputShape: expected at least one dimension, got none");
  });
  const types = inputs.map(({ dtype = "float32" }): DType => dtype);
  const layers = [...new Set(specs.map(({ layer }) => layer))];
  const names = nameAll([...inputs.map(({ name }) => ({ name, type: "input" })), ...layers]);
  const nameOf = new Map<Layer, string>();
  layers.forEach((layer, i) => nameOf.set(layer, names[inputs.length + i]!));
  const nodes: GraphNode[] = [];
  const uses = new Map<Layer, { owner: number; count: number }>();
  specs.forEach(({ layer, inputs: reads }, index) => {
    const use = uses.get(layer) ?? { owner: index, count: 0 };
    const base = nameOf.get(layer)!;
    const name = use.count === 0 ? base : `${base}:${use.count}`;
    use.count++;
    uses.set(layer, use);
    const inputShapes = reads.map((value) => shapes[value]!);
    const outputShape = layer.outputShape(inputShapes, name);
    const { owner } = use;
    const node = { name, layer, inputs: reads, output: shapes.length, inputShapes, outputShape, owner };
    if (owner < index) checkShared(node, nodes[owner]!);
    shapes.push(outputShape);
    const inputTypes = reads.map((value) => types[value]!);
    types.push(layer.outputType(inputTypes, name));
    nodes.push(node);
  });
  const outputNames = outputSpec?.names ?? outputs.map((value) => nodes[value - inputs.length]!.name);
  const lossOutputs = outputSpec?.lossOutputs ?? [...outputs.keys()];
  const integers = lossOutputs.find((i) => types[outputs[i]!] !== "float32");
  if (integers !== undefined) {
    const [name, type] = [outputNames[integers], types[outputs[integers]!]];
    throw new OptionError(`model: outputs: expected values of float32, got ${type} of ${name}`);
  }
  return {
    inputs: inputs.map(({ dtype }, i) => ({
      name: names[i]!,
      shape: shapes[i]!,
      ...(dtype === "uint8" && { dtype }),
    })),
    nodes,
    outputs,
    outputNames,
    lossOutputs,
    shapes,
    types,
    origins: [...inputs, ...specs].map(({ origin }) => origin),
  };
}

/** The graph of a list of layers, each reading the one before. */
export function chain(inputShape: Shape, layers: readonly Layer[], dtype: DType = "float32"): Graph {
  const specs = layers.map((layer, index) => ({ layer, inputs: [index] }));
  return createGraph([{ shape: inputShape, dtype }], specs, [layers.length]);
}
