/** Writes the results of a run: figures as JSON, the tables of docs/speed.md, a chart. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { chart } from "./chart.ts";
import { replaceMarked, tableOf, type Report } from "./table.ts";

const PAGE = new URL("../docs/speed.md", import.meta.url);
const CHART = new URL("../docs/benchmark.svg", import.meta.url);

export function writeFigures(report: Report, folder: string): void {
  mkdirSync(folder, { recursive: true });
  writeFileSync(`${folder}results.json`, `${JSON.stringify(report, null, 2)}\n`);
}

/** Writes the tables and the chart. */
export async function writeDocuments(report: Report): Promise<void> {
  const { format } = await import("prettier");
  let text = replaceMarked(readFileSync(PAGE, "utf8"), tableOf(report));
  if (report.networks !== "") text = replaceMarked(text, report.networks, "networks");
  writeFileSync(PAGE, await format(text, { parser: "markdown", printWidth: 110 }));
  writeFileSync(CHART, await chart(report.results));
  console.log("written: docs/speed.md, docs/benchmark.svg");
}
