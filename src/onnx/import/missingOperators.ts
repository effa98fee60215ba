/** Operators that a file uses and that are not here, wherever in it. */
import { FormatError } from "../../errors.ts";
import { nodeName } from "./graph.ts";
import type { OperatorTable } from "./operator.ts";
import type { GraphProto, ModelProto, NodeProto } from "../file/proto.ts";

/** Operators whose nodes are told by name; of more the operators alone are. */
const MOST_NAMED = 12;

/** The message for a file that cannot be loaded because so many nodes cannot be computed. */
export function notComputed(count: number, why: string): string {
  const nodes = count === 1 ? "a node that is" : `${count} nodes that are`;
  return `loadOnnx: expected nodes that can be computed, got ${nodes} not: ${why}`;
}

/** The nodes of a graph, each before those of the graphs that it runs. */
function* nodesIn({ nodes }: Pick<GraphProto, "nodes">): Generator<NodeProto> {
  for (const node of nodes) {
    yield node;
    for (const { graphs = [] } of node.attributes) for (const graph of graphs) yield* nodesIn(graph);
  }
}

/**
 * The nodes of a file that a table does not compute, by their operators: those in branches, bodies and functions too.
 */
function missingOperators(model: ModelProto, table: OperatorTable): Map<string, NodeProto[]> {
  const missing = new Map<string, NodeProto[]>();
  for (const graph of [model.graph ?? { nodes: [] }, { nodes: model.functionNodes ?? [] }]) {
    for (const node of nodesIn(graph)) {
      const own = node.domain === "" || node.domain === "ai.onnx";
      if (own && Object.hasOwn(table, node.opType)) continue;
      const operator = own ? node.opType : `${node.domain}.${node.opType}`;
      const nodes = missing.get(operator);
      if (nodes) nodes.push(node);
      else missing.set(operator, [node]);
    }
  }
  return missing;
}

/** @throws FormatError that names every operator which the table, `among` whose operators it is, does not have */
export function checkOperators(model: ModelProto, table: OperatorTable, among = "here"): void {
  const missing = [...missingOperators(model, table)];
  if (missing.length === 0) return;
  const count = missing.reduce((sum, [, nodes]) => sum + nodes.length, 0);
  const many = missing.length > MOST_NAMED;
  const each = missing.map(([operator, nodes]) => {
    const more = nodes.length - 1;
    if (many) return more > 0 ? `${operator} (${nodes.length})` : operator;
    const others = more > 0 ? ` and ${more} more` : "";
    return `${nodeName(nodes[0]!)} (${operator})${others}: no such operator ${among}`;
  });
  const why = many ? `no such operators ${among}: ${each.join(", ")}` : each.join("; ");
  throw new FormatError(notComputed(count, why));
}
