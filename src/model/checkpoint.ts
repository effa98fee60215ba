import { FormatError, OptionError, ShapeError } from "../errors.ts";
import { decodeSafetensors, encodeSafetensors } from "../formats/safetensors.ts";
import type { Layer } from "../layers/contract.ts";
import { factories } from "../layers/register.ts";
import { show } from "../options.ts";
import type { Tensor } from "../tensor.ts";
import { createGraph, isChain, nodeOf, type Graph, type NodeSpec } from "../graph/graph.ts";
import { checkWeights, weightsOf } from "../graph/parameters.ts";

/**
 * Versions of the architecture's JSON. Lists of layers are written as the first, which older packages read; its input is
 * called `""`.
 */
const LIST = 1;
const GRAPH = 2;

interface StoredNode {
  type: string;
  name: string;
  /** Names of the nodes and inputs it reads. */
  inputs: string[];
  config: object;
  /** The node whose layer this one uses again. */
  shares?: string;
  /** Absent for true. */
  trainable?: boolean;
}

interface Architecture {
  version: number;
  seed: number;
  inputs: { name: string; shape: number[] }[];
  nodes: StoredNode[];
  /** Names of the nodes that the model returns. */
  outputs: string[];
}

/** A model file's content. */
export interface Checkpoint {
  graph: Graph;
  seed: number;
  weights: Map<string, Tensor>;
}

/**
 * A safetensors file with the weights as tensors and the architecture as JSON in its metadata.
 * @throws OptionError naming a layer that `decodeCheckpoint` could not make again.
 */
export function encodeCheckpoint(
  graph: Graph,
  seed: number,
  weights: ReadonlyMap<string, Tensor>,
): Uint8Array {
  const { inputs, nodes } = graph;
  const known = factories();
  const unknown = nodes.find(({ layer }) => layer.config === undefined || !known.has(layer.type));
  if (unknown) {
    throw new OptionError(
      `toSafetensors: ${unknown.name}: expected one of layers.*, got a layer of the type ${unknown.layer.type}, ` +
        "which registerLayer() does not know and loadModel could not make again: toOnnx() of the ONNX net keeps it, or weights and setWeights() its weights",
    );
  }
  const list = isChain(graph) && inputs[0]!.name === "input";
  const nameOf = (value: number): string =>
    value < inputs.length ? (list ? "" : inputs[value]!.name) : nodeOf(graph, value).name;
  const stored = nodes.map(({ name, layer, inputs: reads, owner }, index): StoredNode => {
    const node = { type: layer.type, name, inputs: reads.map(nameOf), config: layer.config! };
    if (owner !== index) return { ...node, shares: nodes[owner]!.name };
    return layer.trainable ? node : { ...node, trainable: false };
  });
  const architecture = list
    ? { version: LIST, seed, inputShape: [...inputs[0]!.shape], nodes: stored }
    : { version: GRAPH, seed, inputs, nodes: stored, outputs: graph.outputs.map(nameOf) };
  return encodeSafetensors(weights, { format: "im2row", architecture: JSON.stringify(architecture) });
}

function fail(expected: string, given: unknown): never {
  throw new FormatError(`loadModel: architecture: expected ${expected}, got ${show(given)}`);
}

/** The layer that a stored node describes. */
function restoreLayer(node: StoredNode, known: ReturnType<typeof factories>): Layer {
  const factory = known.get(node.type);
  if (!factory) fail(`a layer of the types ${[...known.keys()].join(", ")}`, node.type);
  const layer = factory({ ...node.config, name: node.name } as never);
  layer.trainable = node.trainable ?? true;
  return layer;
}

function parseJson(text: string | undefined): Partial<Architecture> & { inputShape?: unknown } {
  if (text === undefined) fail("the architecture of an im2row model in the metadata", text);
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    fail("JSON", text);
  }
  if (typeof parsed !== "object" || parsed === null) fail("an object", parsed);
  return parsed;
}

const isText = (value: unknown): value is string => typeof value === "string";
const isList = Array.isArray as (value: unknown) => value is unknown[];

function checkNodes(nodes: unknown): asserts nodes is StoredNode[] {
  if (!isList(nodes) || nodes.length === 0) fail("a list of nodes", nodes);
  for (const node of nodes as Partial<StoredNode>[]) {
    const sound =
      isText(node?.type) &&
      isText(node.name) &&
      isList(node.inputs) &&
      typeof node.config === "object" &&
      (node.shares === undefined || isText(node.shares)) &&
      (node.trainable === undefined || typeof node.trainable === "boolean");
    if (!sound) fail("nodes of { type, name, inputs, config }", node);
  }
}

function parseArchitecture(text: string | undefined): Architecture {
  const parsed = parseJson(text);
  const { version, seed, inputShape, nodes } = parsed;
  if (version !== LIST && version !== GRAPH) fail(`version ${LIST} or ${GRAPH}`, version);
  if (!Number.isSafeInteger(seed) || seed! < 0) fail("a seed, an integer ≥ 0", seed);
  if (version === LIST && !isList(inputShape)) fail("an inputShape", inputShape);
  checkNodes(nodes);
  if (version === LIST) {
    const inputs = [{ name: "", shape: inputShape as number[] }];
    return { version, seed: seed!, inputs, nodes, outputs: [nodes.at(-1)!.name] };
  }
  const { inputs, outputs } = parsed;
  const soundInputs = isList(inputs) && inputs.every((input) => isText(input?.name) && isList(input.shape));
  if (!soundInputs || inputs.length === 0) fail("a list of inputs, { name, shape }", inputs);
  if (!isList(outputs) || outputs.length === 0) fail("a list of outputs", outputs);
  return { version, seed: seed!, inputs, nodes, outputs };
}

/** The graph that an architecture describes. @throws FormatError, OptionError, ShapeError */
function restoreGraph({ version, inputs, nodes, outputs }: Architecture): Graph {
  const values = new Map(inputs.map(({ name }, value) => [name, value]));
  const restored = new Map<string, Layer>();
  const known = factories();
  const valueOf = (name: string): number => values.get(name) ?? fail("the name of an earlier node", name);
  const specs = nodes.map((node, index): NodeSpec => {
    const from = node.inputs.map(valueOf);
    if (version === LIST && from.length !== 1) fail(`one input for ${node.name}`, node.inputs);
    if (values.has(node.name)) fail("names of their own", node.name);
    values.set(node.name, inputs.length + index);
    const { shares } = node;
    const layer =
      shares === undefined
        ? restoreLayer(node, known)
        : (restored.get(shares) ?? fail("the name of an earlier node", shares));
    restored.set(node.name, layer);
    return { layer, inputs: from };
  });
  const named = version === LIST ? [{ shape: inputs[0]!.shape }] : inputs;
  if (outputs.some((name) => valueOf(name) < inputs.length)) fail("outputs of layers", outputs);
  const graph = createGraph(named, specs, outputs.map(valueOf));
  if (new Set(outputs).size < outputs.length) fail("each output once", outputs);
  // What nobody reads has no gradient, and no place for one.
  const needed = new Set(graph.outputs);
  for (const value of needed) for (const from of nodeOf(graph, value)?.inputs ?? []) needed.add(from);
  const idle = graph.shapes.findIndex((_, value) => !needed.has(value));
  if (idle >= 0) fail("values that an output depends on", [...values.keys()][idle]);
  // Further uses are named by their number: other names would be read back as others.
  const renamed = graph.nodes.find(({ name }, index) => name !== nodes[index]!.name);
  if (renamed) fail(`the name ${renamed.name} for a further use`, nodes[graph.nodes.indexOf(renamed)]!.name);
  return graph;
}

/** @throws FormatError unless the bytes are a model that `toSafetensors` could have written, all weights included. */
export function decodeCheckpoint(bytes: Uint8Array): Checkpoint {
  const { tensors, metadata } = decodeSafetensors(bytes);
  const architecture = parseArchitecture(metadata["architecture"]);
  try {
    const graph = restoreGraph(architecture);
    // Before a model is made: the architecture may speak of more weights than any memory holds.
    checkWeights("weights", weightsOf(graph), tensors);
    return { graph, seed: architecture.seed, weights: tensors };
  } catch (error) {
    if (error instanceof ShapeError || error instanceof OptionError) {
      throw new FormatError(`loadModel: ${error.message}`, { cause: error });
    }
    throw error;
  }
}
