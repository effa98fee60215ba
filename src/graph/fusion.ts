import type { AsEpilogue } from "../layers/epilogue.ts";
import { sameShape } from "../tensor.ts";
import { countUses, type Graph, type GraphNode } from "./graph.ts";

/** A node that another computes. */
export interface Absorbed {
  readonly node: GraphNode;
  readonly epilogue: AsEpilogue;
  /** The value that a residual sum adds. */
  readonly other?: number;
}

/** One pass of a plan: a node's layer and what it computes of the nodes after it. */
export interface Step {
  readonly node: GraphNode;
  readonly absorbed: readonly Absorbed[];
  /** Its index among the graph's nodes: that of the last one that it computes, as all it reads is there then. */
  readonly index: number;
  /** All values that it reads, the layer's inputs first, and the one that it defines. */
  readonly reads: readonly number[];
  readonly output: number;
}

/** A step for each node. */
export function separate({ nodes }: Graph): Step[] {
  return nodes.map((node, index) => ({ node, absorbed: [], index, reads: node.inputs, output: node.output }));
}

/**
 * The steps of inference: layers compute those after them that their kernels have an epilogue for.
 *
 * A node joins the step of a value that it reads when that step's layer can fuse it, no other node reads the value and the
 * model does not return it. Of two steps that could take a residual sum the later one does. What is joined follows from the graph
 * alone. Sums and activations have the same bits as by themselves; batch normalization folded into weights
 * (`assembly/normalization/fold.ts`) has not.
 */
export function fuse(graph: Graph): Step[] {
  const uses = countUses(graph.nodes, graph.shapes.length);
  // The model's caller reads them.
  for (const value of graph.outputs) uses[value]! += 1;
  /** By the value that the step defines. */
  const open = new Map<number, Step>();
  for (const [index, node] of graph.nodes.entries()) {
    const alone: Step = { node, absorbed: [], index, reads: node.inputs, output: node.output };
    const joined = node.inputs
      .filter((value) => uses[value] === 1)
      .flatMap((value) => join(open.get(value), node, index) ?? [])
      .sort((a, b) => startOf(b) - startOf(a))[0];
    if (joined) open.delete(joined.before);
    open.set(node.output, joined?.step ?? alone);
  }
  return [...open.values()].sort((a, b) => a.index - b.index);
}

interface Joined {
  readonly step: Step;
  /** The value that nobody needs any more. */
  readonly before: number;
}

const startOf = ({ step }: Joined): number => step.node.output;

/** The step with the node's work in it; undefined when it cannot do that. */
function join(step: Step | undefined, node: GraphNode, index: number): Joined | undefined {
  const { asEpilogue: epilogue } = node.layer;
  if (!step || !epilogue || node.inputs.length > 2) return undefined;
  const { fusable = [] } = step.node.layer;
  const fused = step.absorbed.map((each) => fusable.indexOf(each.epilogue.kind));
  if (fusable.indexOf(epilogue.kind) <= Math.max(-1, ...fused)) return undefined;
  const before = step.output;
  const others = node.inputs.filter((value) => value !== before);
  const [first, second = first] = node.inputShapes;
  // A row of channels that is added to each pixel is no operand of an epilogue.
  if (epilogue.kind === "residual" && !sameShape(first!, second!)) return undefined;
  if (others.length !== (epilogue.kind === "residual" ? 1 : 0)) return undefined;
  const [other] = others;
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
