import { initialize } from "../layers/initializers.ts";
import type { Random } from "../random.ts";
import type { Tensor } from "../tensor.ts";
import type { Graph } from "./graph.ts";
import { owners, weightName } from "./parameters.ts";

/** The starting weights of a graph by name, drawn in the order of its nodes. */
export function drawWeights(graph: Graph, random: Random): Map<string, Tensor> {
  const weights = new Map<string, Tensor>();
  for (const node of owners(graph)) {
    for (const weight of node.layer.weights(node.inputShapes)) {
      const data = initialize(weight.initializer, weight.shape, random);
      weights.set(weightName(node, weight), { shape: weight.shape, data });
    }
  }
  return weights;
}
