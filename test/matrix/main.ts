/**
 * Runs the package in one runtime after the other, and compares the bits.
 *
 *   tsx test/matrix/main.ts [npm] [node] [browsers] [emulated]
 *
 * The package is what `npm run build` left in dist/. Without a group: npm. What is not installed is said and passed over;
 * with CI in the environment it is a failure.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { bundlePrograms, byHost } from "./bundle.ts";
import { GROUPS } from "./groups.ts";
import { installPackage } from "./pack.ts";
import { OUT, ROOT } from "./paths.ts";
import { holdHome, releaseAtExit } from "./release.ts";
import { summary, table, totals, type Digests, type Matrix, type Row } from "./report.ts";
import { runRow } from "./run.ts";

function readExpected(): Digests {
  const path = "test/conformance/digests.json";
  return JSON.parse(readFileSync(join(ROOT, path), "utf8")) as Digests;
}

function checkGroups(names: readonly string[]): readonly string[] {
  for (const name of names) {
    if (Object.hasOwn(GROUPS, name)) continue;
    throw new Error(`groups: expected some of ${Object.keys(GROUPS).join(", ")}, got ${name}`);
  }
  return names;
}

async function main(groups: readonly string[]): Promise<boolean> {
  const expected = readExpected();
  installPackage();
  await bundlePrograms("process", { plugins: [byHost] });
  await bundlePrograms("page", { plugins: [byHost] });
  const rows: Row[] = [];
  // One after the other: their cold starts are measured.
  for (const launcher of groups.flatMap((name) => GROUPS[name]!)) {
    console.log(`${launcher.name} …`);
    const row = await runRow(launcher, expected);
    console.log(`  ${summary(row, expected)}`);
    rows.push(row);
  }
  const matrix: Matrix = { expected, rows };
  writeFileSync(join(OUT, "matrix.json"), `${JSON.stringify(matrix, undefined, 2)}\n`);
  writeFileSync(join(OUT, "matrix.md"), `${table(matrix)}\n`);
  const { passed, failed } = totals(rows, Boolean(process.env["CI"]));
  console.log(`\n${table(matrix)}\n\n${passed} passed, ${failed} failed`);
  return failed === 0;
}

releaseAtExit();
holdHome();
try {
  const named = process.argv.slice(2);
  process.exitCode = (await main(checkGroups(named.length > 0 ? named : ["npm"]))) ? 0 : 1;
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
// Leftovers of a runtime that hung must not keep this process alive.
process.exit();
