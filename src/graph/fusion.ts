import type { AsEpilogue } from "../layers/epilogue.ts";
import { sameShape } from "../tensor.ts";
import { countUses, type Graph, type GraphNode } from "./graph.ts";

/** A node whose work another node's pass does. */
export interface Absorbed {
  readonly node: GraphNode;
  readonly epilogue: AsEpilogue;
  /** The value that a residual connection adds. */
  readonly other?: number;
}

/** One pass of a plan: a node's layer, and the nodes after it whose work the pass does as well. */
export interface Step {
  readonly node: GraphNode;
  readonly absorbed: readonly Absorbed[];
  /** The index of the last node that it computes; all values that the step reads are defined before that node. */
  readonly index: number;
  /** All values that it reads, the layer's inputs first, and the one that it defines. */
  readonly reads: readonly number[];
  readonly output: number;
}

/** The steps of training: one for each node. */
export function separate({ nodes }: Graph): Step[] {
  return nodes.map((node, index) => ({ node, absorbed: [], index, reads: node.inputs, output: node.output }));
}

/**
 * The steps of inference: a layer's pass also computes the layers after it for which its kernel has an epilogue.
 *
 * A node joins the step of a value that it reads when that step's layer can fuse it, no other node reads the value and the
 * model does not return it. When two steps could fuse the addition of a residual, the later one does. The steps follow from
 * the graph alone. Residuals and activations have the same bits as without fusion; batch normalization that is folded into
 * weights (`assembly/normalization/fold.ts`) has not.
 */
export function fuse(graph: Graph): Step[] {
  const uses = countUses(graph.nodes, graph.shapes.length);
  // The caller of the model reads the outputs too.
  for (const value of graph.outputs) uses[value]! += 1;
  /** The steps so far, by the value that they define. */
  const open = new Map<number, Step>();
  graph.nodes.forEach((node, index) => {
    const alone: Step = { node, absorbed: [], index, reads: node.inputs, output: node.output };
    let joined: Joined | undefined;
    for (const value of node.inputs) {
      const other = uses[value] === 1 ? join(open.get(value), node, index) : undefined;
      if (other && (!joined || startOf(other) > startOf(joined))) joined = other;
    }
    if (joined) open.delete(joined.before);
    open.set(node.output, joined?.step ?? alone);
  });
  return [...open.values()].sort((a, b) => a.index - b.index);
}

interface Joined {
  readonly step: Step;
  /** The value that is no longer stored. */
  readonly before: number;
}

const startOf = ({ step }: Joined): number => step.node.output;

/** Adds the node's work to a step. Returns undefined when the step cannot do that work. */
function join(step: Step | undefined, node: GraphNode, index: number): Joined | undefined {
  const { asEpilogue: epilogue } = node.layer;
  if (!step || !epilogue || node.inputs.length > 2) return undefined;
  const { fusable = [] } = step.node.layer;
  const last = step.absorbed.at(-1);
  if (fusable.indexOf(epilogue.kind) <= (last ? fusable.indexOf(last.epilogue.kind) : -1)) return undefined;
  const before = step.output;
  const others = node.inputs.filter((value) => value !== before);
  const { inputShapes } = node;
  // An epilogue adds values of equal shape only, not a row of channels to each pixel.
  if (epilogue.kind === "residual" && !sameShape(inputShapes[0]!, inputShapes.at(-1)!)) return undefined;
  if (others.length !== (epilogue.kind === "residual" ? 1 : 0)) return undefined;
  const other = others[0];
  const absorbed = { node, epilogue, ...(other !== undefined && { other }) };
  return {
    before,
    step: {
      node: step.node,
      absorbed: [...step.absorbed, absorbed],
      index,
      reads: [...step.reads, ...others],
      output: node.output,
    },
  };
}
