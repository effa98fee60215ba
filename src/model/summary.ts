import { shapeText } from "../tensor.ts";
import { isChain, nodeOf, type Graph } from "./graph.ts";
import type { Parameters } from "./parameters.ts";

/**
 * The layers as a table: name and type, shape of one image's output, number of weights; and what each reads, unless that
 * is the layer before.
 */
export function summarize(graph: Graph, parameters: Parameters): string {
  const { inputs, nodes } = graph;
  const rows = [["layer", "type", "output", "weights", "reads"]];
  for (const { name, shape } of inputs) rows.push([name, "", shapeText(shape), "0", ""]);
  const nameOf = (value: number): string => (inputs[value] ?? nodeOf(graph, value)).name;
  nodes.forEach(({ name, layer, outputShape, owner, inputs: reads }, index) => {
    const own = parameters.list.filter(({ node }) => node === index);
    const count = own.reduce((sum, { size }) => sum + size, 0);
    const weights = owner === index ? count.toLocaleString("en") : "shared";
    rows.push([name, layer.type, shapeText(outputShape), weights, reads.map(nameOf).join(", ")]);
  });
  const columns = isChain(graph) ? 4 : 5;
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  const lines = rows.map((row) =>
    row
      .slice(0, columns)
      .map((cell, i) => (i === 3 ? cell.padStart(widths[i]!) : cell.padEnd(widths[i]!)))
      .join("  "),
  );
  const rule = "─".repeat(lines[0]!.length);
  const total = `${parameters.count.toLocaleString("en")} weights, ${(parameters.count * 4).toLocaleString("en")} bytes`;
  return [lines[0]!, rule, ...lines.slice(1), rule, total].map((line) => line.trimEnd()).join("\n");
}
