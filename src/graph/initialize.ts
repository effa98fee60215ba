import type { WeightSpec } from "../layers/contract.ts";
import { initialize } from "../layers/initializers.ts";
import type { Random } from "../random.ts";
import type { Graph } from "./graph.ts";
import { owners, weightName } from "./parameters.ts";

/**
 * Returns a function that makes the starting values of a weight by its name. It draws random numbers at each call, so that
 * the same seed gives the same weights only if they are asked for in the order of the nodes.
 */
export function startingWeights(graph: Graph, random: Random): (name: string) => Float32Array {
  let specs: Map<string, WeightSpec> | undefined;
  return (name) => {
    specs ??= new Map(
      owners(graph).flatMap((node) =>
        node.layer.weights(node.inputShapes).map((weight) => [weightName(node, weight), weight] as const),
      ),
    );
    const { initializer, shape } = specs.get(name)!;
    return initialize(initializer, shape, random);
  };
}
