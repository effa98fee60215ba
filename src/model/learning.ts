import { OptionError } from "../errors.ts";
import type { Graph } from "./graph.ts";
import type { Parameter, Parameters } from "./parameters.ts";

/** The parameters that training changes, as `trainable` of the layers is now. */
export function learningParameters({ nodes }: Graph, { list }: Parameters): ReadonlySet<Parameter> {
  return new Set(list.filter(({ node, trainable }) => trainable && nodes[node]!.layer.trainable));
}

/** By value: whether it, or anything that it is made from, learns. */
export function learningValues(
  { inputs, nodes }: Graph,
  learning: ReadonlySet<Parameter> | undefined,
): boolean[] {
  const owners = new Set(Array.from(learning ?? [], ({ node }) => node));
  const learns = inputs.map(() => false);
  for (const { inputs: reads, owner } of nodes) {
    learns.push(owners.has(owner) || reads.some((value) => learns[value]));
  }
  return learns;
}

/** @throws OptionError naming the first layer without a backward pass that a gradient would have to go through. */
export function checkDifferentiable(graph: Graph, parameters: Parameters): void {
  const learning = learningParameters(graph, parameters);
  const learns = learningValues(graph, learning);
  const barrier = graph.nodes.find(
    ({ layer, inputs }) => layer.differentiable === false && inputs.some((value) => learns[value]),
  );
  if (!barrier) return;
  throw new OptionError(
    `compile: optimizer: expected layers with a backward pass behind all that learns, got ${barrier.name} ` +
      `(${barrier.layer.type}) without one: freeze what comes before it`,
  );
}
