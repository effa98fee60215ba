import { FormatError, OptionError, ShapeError } from "../errors.ts";
import { decodeSafetensors, encodeSafetensors } from "../formats/safetensors.ts";
import * as layers from "../layers/index.ts";
import type { Layer } from "../layers/layer.ts";
import { show } from "../options.ts";
import type { Tensor } from "../tensor.ts";
import { createGraph, type Graph, type NodeSpec } from "./graph.ts";
import { checkWeights, weightsOf } from "./parameters.ts";

/** Version of the architecture's JSON. */
const VERSION = 1;

interface StoredNode {
  type: string;
  name: string;
  /** Names of the nodes it reads; the graph's input is `""`. */
  inputs: string[];
  config: object;
}

interface Architecture {
  version: number;
  seed: number;
  inputShape: number[];
  nodes: StoredNode[];
}

/** A model file's content. */
export interface Checkpoint {
  graph: Graph;
  seed: number;
  weights: Map<string, Tensor>;
}

/** A safetensors file with the weights as tensors and the architecture as JSON in its metadata. */
export function encodeCheckpoint(
  graph: Graph,
  seed: number,
  weights: ReadonlyMap<string, Tensor>,
): Uint8Array {
  const nameOf = (value: number): string => (value === 0 ? "" : graph.nodes[value - 1]!.name);
  const architecture: Architecture = {
    version: VERSION,
    seed,
    inputShape: [...graph.inputShape],
    nodes: graph.nodes.map(({ name, layer, inputs }) => ({
      type: layer.type,
      name,
      inputs: inputs.map(nameOf),
      config: layer.config,
    })),
  };
  return encodeSafetensors(weights, { format: "im2row", architecture: JSON.stringify(architecture) });
}

function fail(expected: string, given: unknown): never {
  throw new FormatError(`loadModel: architecture: expected ${expected}, got ${show(given)}`);
}

const factories = new Map<string, (options: never) => Layer>(Object.entries(layers));

/** The layer that a stored node describes. */
function restoreLayer(node: StoredNode): Layer {
  const factory = factories.get(node.type);
  if (!factory) fail(`a layer of the types ${[...factories.keys()].join(", ")}`, node.type);
  return factory({ ...node.config, name: node.name } as never);
}

function parseArchitecture(text: string | undefined): Architecture {
  if (text === undefined) fail("the architecture of an im2row model in the metadata", text);
  let parsed: Partial<Architecture> | null;
  try {
    parsed = JSON.parse(text) as Partial<Architecture> | null;
  } catch {
    fail("JSON", text);
  }
  if (typeof parsed !== "object" || parsed === null) fail("an object", parsed);
  const { version, seed, inputShape, nodes } = parsed;
  if (version !== VERSION) fail(`version ${VERSION}`, version);
  if (!Number.isSafeInteger(seed) || seed! < 0) fail("a seed, an integer ≥ 0", seed);
  if (!Array.isArray(inputShape)) fail("an inputShape", inputShape);
  if (!Array.isArray(nodes) || nodes.length === 0) fail("a list of nodes", nodes);
  for (const node of nodes) {
    const sound =
      typeof node?.type === "string" &&
      typeof node.name === "string" &&
      Array.isArray(node.inputs) &&
      typeof node.config === "object";
    if (!sound) fail("nodes of { type, name, inputs, config }", node);
  }
  return { version: VERSION, seed: seed!, inputShape, nodes };
}

/** @throws FormatError unless the bytes are a model that `toSafetensors` could have written, all weights included. */
export function decodeCheckpoint(bytes: Uint8Array): Checkpoint {
  const { tensors, metadata } = decodeSafetensors(bytes);
  const { seed, inputShape, nodes } = parseArchitecture(metadata["architecture"]);
  const values = new Map([["", 0]]);
  try {
    const specs = nodes.map((node, index): NodeSpec => {
      const inputs = node.inputs.map((name) => values.get(name) ?? fail("the name of an earlier node", name));
      if (inputs.length !== 1) fail(`one input for ${node.name}`, node.inputs);
      values.set(node.name, index + 1);
      return { layer: restoreLayer(node), inputs };
    });
    const graph = createGraph(inputShape, specs);
    // Before a model is made: the architecture may speak of more weights than any memory holds.
    checkWeights("weights", weightsOf(graph), tensors);
    return { graph, seed, weights: tensors };
  } catch (error) {
    if (error instanceof ShapeError || error instanceof OptionError) {
      throw new FormatError(`loadModel: ${error.message}`, { cause: error });
    }
    throw error;
  }
}
