import type { ElementType } from "../file/constant.ts";
import type { Shape } from "../../tensor.ts";
import { nodeName, type OnnxGraph } from "./graph.ts";
import type { Lowered } from "./lowered.ts";
import { isComputed, isConstant, type Value } from "./values.ts";

/** A node of a file, with the shapes of its values; undefined for an optional one that is left out. */
export interface OnnxNode {
  /** Its name, else that of the first value it defines. */
  readonly name: string;
  /** The operator. */
  readonly type: string;
  readonly inputs: readonly (Shape | undefined)[];
  readonly outputs: readonly (Shape | undefined)[];
}

/** A value that a net computes, as the file has it. */
export interface OnnxValue {
  readonly name: string;
  readonly type: ElementType;
  readonly shape: Shape;
}

/** The shape of a value that a graph was lowered with, for one image where any number will do. */
function shapeIn({ builder }: Lowered, value: Value): Shape {
  if (builder.batch === undefined) return value.shape;
  if (builder.isSymbolic || isConstant(value)) return builder.ofOneImage(value.shape);
  return [1, ...value.shape.slice(1)];
}

/** The nodes of a graph with the shapes that it was lowered with, for one image where any number will do. */
export function nodesOf(graph: OnnxGraph, lowered: Lowered): OnnxNode[] {
  const shapeOf = (name: string): Shape | undefined => {
    const value = lowered.values.get(name);
    return value && shapeIn(lowered, value);
  };
  return graph.nodes.map((node) => ({
    name: nodeName(node),
    type: node.opType,
    inputs: node.inputs.map(shapeOf),
    outputs: node.outputs.map(shapeOf),
  }));
}

/** The values that are computed from what is fed, inputs included, in the order of the nodes. */
export function valuesOf(lowered: Lowered): OnnxValue[] {
  return Array.from(lowered.values).flatMap(([name, value]) =>
    isComputed(value) ? [{ name, type: value.type, shape: shapeIn(lowered, value) }] : [],
  );
}
