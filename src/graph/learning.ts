import type { Graph } from "./graph.ts";
import type { Parameter, Parameters } from "./parameters.ts";

/** By value: whether the gradient of a loss comes to it: from an output, by layers that are no constants to it. */
function reachedValues({ nodes, outputs, lossOutputs, shapes }: Graph): boolean[] {
  const reached = shapes.map(() => false);
  for (const place of lossOutputs) reached[outputs[place]!] = true;
  for (const { layer, inputs, output } of [...nodes].reverse()) {
    if (reached[output] && !layer.stopsGradient) for (const value of inputs) reached[value] = true;
  }
  return reached;
}

/** The parameters that training changes, as `trainable` of the layers is now: those that a gradient comes to. */
export function learningParameters(graph: Graph, { list }: Parameters): ReadonlySet<Parameter> {
  const { nodes } = graph;
  const reached = reachedValues(graph);
  const owners = new Set(nodes.flatMap(({ owner, output }) => (reached[output] ? [owner] : [])));
  return new Set(
    list.filter(({ node, trainable }) => trainable && nodes[node]!.layer.trainable && owners.has(node)),
  );
}

/** By value: whether it has a gradient: one comes to it, and it, or anything that it is made from, learns. */
export function learningValues(graph: Graph, learning: ReadonlySet<Parameter> | undefined): boolean[] {
  const owners = new Set(Array.from(learning ?? [], ({ node }) => node));
  const learns = graph.inputs.map(() => false);
  for (const { layer, inputs, owner } of graph.nodes) {
    learns.push(owners.has(owner) || (!layer.stopsGradient && inputs.some((value) => learns[value])));
  }
  const reached = reachedValues(graph);
  return learns.map((own, value) => own && reached[value]!);
}

/** A reason why a model cannot be trained, in the two parts of an error. */
export interface TrainingFault {
  readonly expected: string;
  readonly got: string;
}

/**
 * Why a graph cannot be trained, as `trainable` of its layers is now; undefined when it can, and of a graph without
 * weights, which training leaves as it is.
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
  const learns = learningValues(graph, learning);
  const barrier = nodes.find(
    ({ layer, inputs, output }) =>
      layer.differentiable === false && learns[output] && inputs.some((value) => learns[value]),
  );
  return (
    barrier && {
      expected: "layers with a backward pass behind all that learns",
      got: `${barrier.name} (${barrier.layer.type}) without one: freeze what comes before it`,
    }
  );
}
