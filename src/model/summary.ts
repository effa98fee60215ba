import { escaped } from "../errors.ts";
import { listed } from "../options.ts";
import { shapeText } from "../tensor.ts";
import { isChain, nodeOf, type Graph } from "../graph/graph.ts";
import type { Parameters } from "../graph/parameters.ts";

/** The most characters of a cell. Names come from files and may be long, and the longest one sets the column's width. */
const MOST = 80;

function cellOf(text: string): string {
  const seen = escaped(text);
  return seen.length > MOST ? `${seen.slice(0, MOST - 1)}…` : seen;
}

/**
 * A table of the layers: name, type, shape of one image's output and number of weights; and, unless the model is a list of
 * layers, the values that each reads.
 */
export function summarize(graph: Graph, parameters: Parameters): string {
  const { inputs, nodes } = graph;
  const table = [["layer", "type", "output", "weights", "reads"]];
  for (const { name, shape } of inputs) table.push([name, "", shapeText(shape), "0", ""]);
  const nameOf = (value: number): string => (inputs[value] ?? nodeOf(graph, value)).name;
  nodes.forEach(({ name, layer, outputShape, owner, inputs: reads }, index) => {
    const count = parameters.of(index).reduce((sum, { size }) => sum + size, 0);
    const weights = owner === index ? count.toLocaleString("en") : "shared";
    table.push([name, layer.type, shapeText(outputShape), weights, listed(reads.map(nameOf))]);
  });
  const rows = table.map((row) => row.map(cellOf));
  const columns = isChain(graph) ? 4 : 5;
  const widths = rows[0]!.map((_, column) =>
    rows.reduce((widest, row) => Math.max(widest, row[column]!.length), 0),
  );
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
