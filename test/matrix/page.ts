/**
 * Puts the table of the last run of all groups into docs/runtimes.md.
 *
 *   tsx test/matrix/page.ts
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { GROUPS } from "./groups.ts";
import { OUT, ROOT } from "./paths.ts";
import { withTable, type Matrix } from "./report.ts";

const matrix = JSON.parse(readFileSync(join(OUT, "matrix.json"), "utf8")) as Matrix;
const passed = new Set(
  matrix.rows.filter(({ absent, failed }) => absent === undefined && failed === 0).map(({ name }) => name),
);
const missing = Object.values(GROUPS)
  .flat()
  .filter(({ name }) => !passed.has(name));
if (missing.length > 0) {
  const names = missing.map(({ name }) => name).join("; ");
  console.error(`matrix.json: expected every runtime to pass, got none or a failure of ${names}`);
  process.exit(1);
}
const page = join(ROOT, "docs/runtimes.md");
writeFileSync(page, withTable(readFileSync(page, "utf8"), matrix));
