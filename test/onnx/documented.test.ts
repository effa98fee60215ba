/** docs/onnx.md lists the operators that are there, and tests name them all. `UPDATE=1` writes the list. */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { expect, it } from "vitest";
import { allOperators } from "../../src/onnx/import/families.ts";
import { root } from "../support/tarball.ts";

const FILE = `${root}/docs/onnx.md`;
const LIST = /(<!-- operators -->\n\n).*?(\n\n<!-- \/operators -->)/s;
/** Columns of the page. */
const WIDTH = 120;

function listed(): string {
  const lines = [""];
  for (const name of Object.keys(allOperators()).sort()) {
    const line = lines.at(-1)!;
    const next = line === "" ? name : `${line}, ${name}`;
    if (next.length < WIDTH) lines[lines.length - 1] = next;
    else {
      lines[lines.length - 1] += ",";
      lines.push(name);
    }
  }
  return `${lines.join("\n")}.`;
}

it("docs/onnx.md lists the operators", () => {
  const page = readFileSync(FILE, "utf8");
  if (process.env["UPDATE"]) writeFileSync(FILE, page.replace(LIST, `$1${listed()}$2`));
  expect(readFileSync(FILE, "utf8").match(LIST)?.[0]).toContain(`\n\n${listed()}\n\n`);
});

it("each operator stands in a test", () => {
  const folder = `${root}/test/onnx`;
  const tests = readdirSync(folder)
    .filter((name) => name.endsWith(".test.ts"))
    .map((name) => readFileSync(`${folder}/${name}`, "utf8"))
    .join("\n");
  // In quotes, or as the key of a table.
  const named = (name: string): boolean => new RegExp(`"${name}"|^ *${name}: `, "m").test(tests);
  expect(Object.keys(allOperators()).filter((name) => !named(name))).toEqual([]);
});
