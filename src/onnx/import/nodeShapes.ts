import type { Shape } from "../../tensor.ts";
import { nodeName, type OnnxGraph } from "./graph.ts";
import type { Lowered } from "./lowered.ts";
import { isConstant } from "./values.ts";

/** A node of a file, with the shapes of its values; undefined for an optional one that is left out. */
export interface OnnxNode {
  /** Its name, else that of the first value it defines. */
  readonly name: string;
  /** The operator. */
  readonly type: string;
  readonly inputs: readonly (Shape | undefined)[];
  readonly outputs: readonly (Shape | undefined)[];
}

/** The nodes of a graph with the shapes that it was lowered with, for one image where any number will do. */
export function nodesOf(graph: OnnxGraph, { builder, values }: Lowered): OnnxNode[] {
  const shapeOf = (name: string): Shape | undefined => {
    const value = values.get(name);
    if (!value || builder.batch === undefined) return value?.shape;
    if (builder.isSymbolic || isConstant(value)) return builder.ofOneImage(value.shape);
    return [1, ...value.shape.slice(1)];
  };
  return graph.nodes.map((node) => ({
    name: nodeName(node),
    type: node.opType,
    inputs: node.inputs.map(shapeOf),
    outputs: node.outputs.map(shapeOf),
  }));
}
