import { stopsAt } from "../layers/contract.ts";
import type { Graph, GraphNode } from "./graph.ts";
import type { Parameter, Parameters } from "./parameters.ts";

/** By value: true when the gradient of a loss reaches it, through layers that do not stop gradients. */
function reachedValues({ nodes, outputs, lossOutputs, shapes }: Graph): boolean[] {
  const reached = shapes.map(() => false);
  for (const index of lossOutputs) reached[outputs[index]!] = true;
  for (const { layer, inputs, output } of [...nodes].reverse()) {
    if (!reached[output]) continue;
    for (const [place, value] of inputs.entries()) if (!stopsAt(layer, place)) reached[value] = true;
  }
  return reached;
}

/** The parameters that training would change as the layers are frozen now: trainable ones that a gradient reaches. */
export function learningParameters(graph: Graph, { list }: Parameters): ReadonlySet<Parameter> {
  const { nodes } = graph;
  const reached = reachedValues(graph);
  const owners = new Set(nodes.flatMap(({ owner, output }) => (reached[output] ? [owner] : [])));
  return new Set(
    list.filter(({ node, trainable }) => trainable && nodes[node]!.layer.trainable && owners.has(node)),
  );
}

/**
 * By value: true when it has a gradient: one reaches it, and its layer, or one before that, learns. With `ofInputs` the
 * inputs of float32, and of bytes that become floats, have gradients as well, and so all that follows from them.
 */
export function learningValues(
  graph: Graph,
  learning: ReadonlySet<Parameter> | undefined,
  ofInputs = false,
): boolean[] {
  const owners = new Set(Array.from(learning ?? [], ({ node }) => node));
  const learns = graph.inputs.map((_, value) => ofInputs && graph.types[value] !== "int32");
  for (const { layer, inputs, owner } of graph.nodes) {
    const fed = inputs.some((value, place) => learns[value] && !stopsAt(layer, place));
    learns.push(owners.has(owner) || fed);
  }
  const reached = reachedValues(graph);
  return learns.map((own, value) => own && reached[value]!);
}

/**
 * The first node without a backward pass that a gradient has to go through, by the values that have one; `training` says what
 * is a view, which needs no pass.
 */
export function barrierOf(
  { nodes }: Graph,
  learns: readonly boolean[],
  training = true,
): GraphNode | undefined {
  return nodes.find(
    ({ layer, inputs, output }) =>
      layer.differentiable === false &&
      !layer.isView(training) &&
      learns[output] &&
      inputs.some((value, place) => learns[value] && !stopsAt(layer, place)),
  );
}

/** The reason why a model cannot be trained, in the words of an error message. */
export interface TrainingFault {
  readonly expected: string;
  readonly got: string;
}

/**
 * The reason why a graph cannot be trained as its layers are frozen now. Undefined when it can be trained, and for a graph
 * without weights, which training does not change.
 */
export function trainingFault(graph: Graph, parameters: Parameters): TrainingFault | undefined {
  const { nodes } = graph;
  const able = parameters.list.filter(({ trainable }) => trainable);
  if (able.length === 0) return undefined;
  if (!able.some(({ node }) => nodes[node]!.layer.trainable)) {
    return { expected: "a layer that learns", got: "all of them frozen" };
  }
  const learning = learningParameters(graph, parameters);
  if (learning.size === 0) {
    return { expected: "an output with a gradient for what learns", got: "none" };
  }
  const barrier = barrierOf(graph, learningValues(graph, learning));
  return (
    barrier && {
      expected: "layers with a backward pass behind all that learns",
      got: `${barrier.name} (${barrier.layer.type}) without one: freeze what comes before it`,
    }
  );
}
