import { shapeText } from "../tensor.ts";
import type { Graph } from "./graph.ts";
import type { Parameters } from "./parameters.ts";

/** The layers as a table: name and type, shape of one image's output, number of weights. */
export function summarize(graph: Graph, parameters: Parameters): string {
  const rows = [["layer", "type", "output", "weights"]];
  rows.push(["input", "", shapeText(graph.inputShape), "0"]);
  graph.nodes.forEach(({ name, layer, outputShape }, index) => {
    const own = parameters.list.filter(({ node }) => node === index);
    const count = own.reduce((sum, { size }) => sum + size, 0);
    rows.push([name, layer.type, shapeText(outputShape), count.toLocaleString("en")]);
  });
  const widths = [0, 1, 2, 3].map((column) => Math.max(...rows.map((row) => row[column]!.length)));
  const lines = rows.map(([name, type, output, weights]) =>
    [
      name!.padEnd(widths[0]!),
      type!.padEnd(widths[1]!),
      output!.padEnd(widths[2]!),
      weights!.padStart(widths[3]!),
    ].join("  "),
  );
  const rule = "─".repeat(lines[0]!.length);
  const total = `${parameters.count.toLocaleString("en")} weights, ${(parameters.count * 4).toLocaleString("en")} bytes`;
  return [lines[0], rule, ...lines.slice(1), rule, total].join("\n");
}
