/** The layers of a model's graph, by their names and as copies. */
import { OptionError } from "../errors.ts";
import type { Graph, GraphNode } from "../graph/graph.ts";
import type { Layer } from "../layers/contract.ts";
import { layerOf } from "../layers/symbolic.ts";
import { listed, show } from "../options.ts";

/** The first node of the layer with this name. @throws OptionError when there is none */
export function layerNode(where: string, { nodes }: Graph, name: unknown): GraphNode {
  const owners = nodes.filter(({ owner }, index) => owner === index);
  const found = owners.find((node) => node.name === name);
  if (found) return found;
  throw new OptionError(
    `${where}: expected one of the layers ${listed(owners.map((node) => node.name))}, got ${show(name)}`,
  );
}

/** The same graph of layers of its own. */
export function ownLayers(graph: Graph): Graph {
  const own = new Map<Layer, Layer>();
  for (const { layer } of graph.nodes) {
    if (own.has(layer)) continue;
    own.set(layer, Object.assign(layerOf(layer), { trainable: layer.trainable }));
  }
  return { ...graph, nodes: graph.nodes.map((node) => ({ ...node, layer: own.get(node.layer)! })) };
}
