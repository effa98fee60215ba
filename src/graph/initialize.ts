import { initialize } from "../layers/initializers.ts";
import type { Random } from "../random.ts";
import type { Graph } from "./graph.ts";
import { owners, weightName } from "./parameters.ts";

/** The starting weights of a graph by name, drawn when they are asked for: in the order of its nodes, for the same ones. */
export function startingWeights(graph: Graph, random: Random): (name: string) => Float32Array {
  const specs = new Map(
    owners(graph).flatMap((node) =>
      node.layer.weights(node.inputShapes).map((weight) => [weightName(node, weight), weight] as const),
    ),
  );
  return (name) => {
    const { initializer, shape } = specs.get(name)!;
    return initialize(initializer, shape, random);
  };
}
