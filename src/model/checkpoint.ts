import { FormatError, OptionError, ShapeError } from "../errors.ts";
import { decodeSafetensors, encodeSafetensors } from "../formats/safetensors.ts";
import { metadataTexts, parseMetadata, type ModelMetadata } from "../metadata.ts";
import type { Layer } from "../layers/contract.ts";
import type { ValueOrigin } from "../layers/origin.ts";
import { factories } from "../layers/register.ts";
import type { Shape, Tensor } from "../tensor.ts";
import { createGraph, isChain, nodeOf, type Graph, type GraphNode, type NodeSpec } from "../graph/graph.ts";
import { checkWeights, weightsOf } from "../graph/parameters.ts";
import type { TrainingRecord } from "./trainingRecord.ts";
import {
  fail,
  GRAPH,
  IMPORTED,
  LIST,
  parseArchitecture,
  type Architecture,
  type StoredNode,
} from "./architecture.ts";

type Factories = ReturnType<typeof factories>;

/** The key under which a file's metadata have the state of a run. */
export const TRAINING = "training";

/** The content of a model file. */
export interface Checkpoint {
  graph: Graph;
  seed: number;
  weights: Map<string, Tensor>;
  metadata: ModelMetadata;
  /** The state of the run that `toCheckpoint` wrote. */
  training: TrainingRecord | undefined;
}

/**
 * Writes a safetensors file with the weights as tensors and the architecture as JSON in its metadata, which other entries,
 * `texts`, go with.
 * @throws OptionError naming a layer that `decodeCheckpoint` could not make again.
 */
export function encodeCheckpoint(
  graph: Graph,
  seed: number,
  weights: ReadonlyMap<string, Tensor>,
  metadata: ModelMetadata,
  texts: Readonly<Record<string, string>> = {},
): Uint8Array<ArrayBuffer> {
  return encodeSafetensors(weights, {
    format: "im2row",
    architecture: architectureText("toSafetensors", graph, seed),
    ...metadataTexts(metadata),
    ...texts,
  });
}

/** The JSON of an architecture. @throws OptionError naming a layer that `parseGraph` could not make again */
export function architectureText(where: string, graph: Graph, seed: number): string {
  const { inputs, outputNames, lossOutputs } = graph;
  const known = factories();
  checkStorable(where, graph, known);
  const nodes = graph.nodes.map((node) => storedNode(graph, node, known));
  const outputs = graph.outputs.map((value) => nameOf(graph, value));
  const outputSpec = {
    ...(outputNames.some((name, i) => name !== outputs[i]) && { outputNames }),
    ...(lossOutputs.length < outputs.length && { lossOutputs }),
  };
  const imported =
    Object.keys(outputSpec).length > 0 ||
    graph.origins.some((origin) => origin !== undefined) ||
    nodes.some(({ fixed }) => fixed !== undefined);
  const isList = isChain(graph) && inputs[0]!.name === "input" && !inputs[0]!.dtype && !imported;
  const [first, ...others] = nodes;
  return JSON.stringify(
    isList
      ? {
          version: LIST,
          seed,
          inputShape: [...inputs[0]!.shape],
          nodes: [{ ...first, inputs: [""] }, ...others],
        }
      : {
          version: imported ? IMPORTED : GRAPH,
          seed,
          inputs: inputs.map((input, value) => ({ ...input, ...storedOrigin(graph, value) })),
          nodes,
          outputs,
          ...outputSpec,
        },
  );
}

const nameOf = (graph: Graph, value: number): string => (graph.inputs[value] ?? nodeOf(graph, value)).name;

const storedOrigin = ({ origins }: Graph, value: number): { origin?: ValueOrigin } => {
  const origin = origins[value];
  return origin ? { origin } : {};
};

function storedNode(graph: Graph, node: GraphNode, known: Factories): StoredNode {
  const { name, layer, inputs, output, owner } = node;
  const own = {
    type: layer.type,
    name,
    inputs: inputs.map((value) => nameOf(graph, value)),
    config: layer.config!,
    ...storedOrigin(graph, output),
  };
  const first = graph.nodes[owner]!;
  if (first !== node) return { ...own, shares: first.name };
  const fixed = fixedWeights(node, known);
  const weightOrigins = Object.fromEntries(
    layer.weights(node.inputShapes).flatMap((spec) => (spec.origin ? [[spec.name, spec.origin]] : [])),
  );
  return {
    ...own,
    ...(Object.keys(weightOrigins).length > 0 && { weightOrigins }),
    ...(fixed.length > 0 && { fixed }),
    ...(!layer.trainable && { trainable: false }),
    ...(layer.learningRateMultiplier !== 1 && { learningRateMultiplier: layer.learningRateMultiplier }),
  };
}

/** @throws OptionError naming a layer that could not be made again, or an input of integers */
function checkStorable(where: string, { inputs, nodes, types }: Graph, known: Factories): void {
  const unknown = nodes.find(({ layer }) => layer.config === undefined || !known.has(layer.type));
  if (unknown) {
    throw new OptionError(
      `${where}: ${unknown.name}: expected one of layers.*, got a layer of the type ${unknown.layer.type}, ` +
        "which registerLayer() does not know and loadModel could not make again: toOnnx() of the ONNX net keeps it, or " +
        "weights and setWeights() its weights",
    );
  }
  const integers = inputs.findIndex((_, value) => types[value] === "int32");
  if (integers >= 0) {
    throw new OptionError(
      `${where}: ${inputs[integers]!.name}: expected inputs of float32 or uint8, got ${types[integers]}: toOnnx() keeps the net`,
    );
  }
}

/** The weights of a layer that do not learn, although they would in a new layer with the same options. */
function fixedWeights({ layer, inputShapes }: GraphNode, known: Factories): string[] {
  const plain = known.get(layer.type)!(layer.config as never).weights(inputShapes);
  return layer
    .weights(inputShapes)
    .flatMap(({ name, trainable = true }, i) => (!trainable && plain[i]!.trainable !== false ? [name] : []));
}

/** The layer that a stored node describes. */
function restoreLayer(node: StoredNode, known: Factories): Layer {
  const { type, name, config, fixed = [], weightOrigins = {} } = node;
  const factory = known.get(type);
  if (!factory) fail(`a layer of the types ${[...known.keys()].join(", ")}`, type);
  const layer = factory({ ...config, name } as never);
  layer.trainable = node.trainable ?? true;
  layer.learningRateMultiplier = node.learningRateMultiplier ?? 1;
  if (!node.fixed && !node.weightOrigins) return layer;
  const { weights } = layer;
  return Object.assign(layer, {
    weights: (inputs: readonly Shape[]) =>
      weights(inputs).map((spec) => ({
        ...spec,
        ...(fixed.includes(spec.name) && { trainable: false }),
        ...(Object.hasOwn(weightOrigins, spec.name) && { origin: weightOrigins[spec.name]! }),
      })),
  });
}

/** The graph that an architecture describes. @throws FormatError, OptionError, ShapeError */
function restoreGraph(architecture: Architecture): Graph {
  const { version, inputs, nodes, outputs, outputNames, lossOutputs } = architecture;
  const values = new Map(inputs.map(({ name }, value) => [name, value]));
  const restored = new Map<string, Layer>();
  const known = factories();
  const valueOf = (name: string): number => values.get(name) ?? fail("the name of an earlier node", name);
  const specs = nodes.map((node, index): NodeSpec => {
    const from = node.inputs.map(valueOf);
    if (version === LIST && from.length !== 1) fail(`one input for ${node.name}`, node.inputs);
    if (values.has(node.name)) fail("a different name for each node", node.name);
    values.set(node.name, inputs.length + index);
    const { shares } = node;
    const layer =
      shares === undefined
        ? restoreLayer(node, known)
        : (restored.get(shares) ?? fail("the name of an earlier node", shares));
    restored.set(node.name, layer);
    return { layer, inputs: from, origin: node.origin };
  });
  const named = version === LIST ? [{ shape: inputs[0]!.shape }] : inputs;
  if (outputs.some((name) => valueOf(name) < inputs.length)) fail("outputs of layers", outputs);
  const graph = createGraph(named, specs, outputs.map(valueOf), {
    names: outputNames ?? outputs,
    lossOutputs: lossOutputs ?? [...outputs.keys()],
  });
  if (new Set(outputs).size < outputs.length) fail("each output once", outputs);
  // A value that nobody reads has no gradient, and no memory for one.
  const needed = new Set(graph.outputs);
  for (const value of needed) for (const from of nodeOf(graph, value)?.inputs ?? []) needed.add(from);
  const idle = graph.shapes.findIndex((_, value) => !needed.has(value));
  if (idle >= 0) fail("values that an output depends on", [...values.keys()][idle]);
  // Further uses of a layer are named by their number, `name:1`; any other name would change when the file is read.
  const renamed = graph.nodes.find(({ name }, index) => name !== nodes[index]!.name);
  if (renamed) fail(`the name ${renamed.name} for a further use`, nodes[graph.nodes.indexOf(renamed)]!.name);
  return graph;
}

/** The graph that the JSON of an architecture describes, and its seed. @throws FormatError, OptionError, ShapeError */
export function parseGraph(text: string): { readonly graph: Graph; readonly seed: number } {
  const architecture = parseArchitecture(text);
  return { graph: restoreGraph(architecture), seed: architecture.seed };
}

/** Takes the state of a run out of a file, which `text` describes: the tensors that it leaves are weights. */
export type TakeTraining = (text: string, tensors: Map<string, Tensor>) => TrainingRecord;

/**
 * Reads a model file. Without `takeTraining` the state of a run is passed over.
 * @throws FormatError unless it is one that `toSafetensors` or `toCheckpoint` could have written, with all weights
 */
export function decodeCheckpoint(bytes: Uint8Array, takeTraining?: TakeTraining): Checkpoint {
  const { tensors, metadata: texts } = decodeSafetensors(bytes);
  const architecture = parseArchitecture(texts["architecture"]);
  const metadata = parseMetadata("loadModel", texts);
  const text = texts[TRAINING];
  const training = text === undefined ? undefined : takeTraining?.(text, tensors);
  try {
    const graph = restoreGraph(architecture);
    const specs = weightsOf(graph);
    if (text !== undefined && !training) {
      const names = new Set(specs.map(({ name }) => name));
      for (const name of tensors.keys()) if (!names.has(name)) tensors.delete(name);
    }
    // This comes before making a model, because the architecture may declare more weights than fit in memory.
    checkWeights("weights", specs, tensors);
    return { graph, seed: architecture.seed, weights: tensors, metadata, training };
  } catch (error) {
    if (error instanceof ShapeError || error instanceof OptionError) {
      throw new FormatError(`loadModel: ${error.message}`, { cause: error });
    }
    throw error;
  }
}
