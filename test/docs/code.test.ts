/**
 * The examples on the pages are sound TypeScript, run as they stand there, and print what stands below them. `UPDATE=1`
 * writes down what they print. Files of programs are run by tests of their own, programs.test.ts and browser.package.test.ts.
 */
import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { build } from "esbuild";
import { describe, expect, it } from "vitest";
import { root } from "../support/tarball.ts";
import { examplesOf, PAGES, readPage, type Example } from "./pages.ts";

const examples = PAGES.flatMap(examplesOf);

/** Puts what an example prints in the place of what its page says. */
function writePrinted({ page, code, printed }: Example, out: string): void {
  const text = readPage(page);
  const begin = text.indexOf("```text\n", text.indexOf(code)) + "```text\n".length;
  writeFileSync(`${root}/${page}`, text.slice(0, begin) + out + text.slice(begin + printed!.length));
}

/** Runs a program in a process of its own, on these sources; returns what it printed. */
async function run(code: string): Promise<string> {
  const bundle = await build({
    stdin: { contents: code, resolveDir: root, loader: "ts" },
    tsconfig: `${root}/tsconfig.json`,
    bundle: true,
    format: "esm",
    platform: "node",
    write: false,
  });
  const input = bundle.outputFiles[0]!.text;
  return execFileSync(process.execPath, ["--input-type=module"], { input, encoding: "utf8" });
}

it("the pages have examples", () => {
  expect(examplesOf("README.md")[0]?.printed).toContain("accuracy");
  expect(examples.length).toBeGreaterThan(10);
});

describe("runs and prints what the page says:", () => {
  it.each(examples.filter(({ file }) => file === undefined))("$name", async (example) => {
    const out = await run(example.code);
    if (example.printed === undefined) return;
    if (process.env["UPDATE"]) writePrinted(example, out);
    else expect(out).toBe(example.printed);
  });
});

it("docs/gradients.md shows that all routes agree to rounding", async () => {
  const [example] = examplesOf("docs/gradients.md");
  const lines = (await run(example!.code)).trim().split("\n");
  expect(lines).toHaveLength(6);
  for (const line of lines) {
    expect(line).toMatch(/^(y|dW|dx) {2,}by hand − .* \d\.\de[+-]\d+$/);
    // "Of the order of 10⁻⁶ or less."
    expect(Number(line.split(" ").at(-1))).toBeLessThan(5e-6);
  }
});

it("all examples are sound TypeScript under this project's rules", () => {
  const folder = `${root}/node_modules/.cache/im2row-examples`;
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const own = examples.map(({ page, name, file, code }) => {
    // The files of a page import each other.
    const home = `${folder}/${page.replaceAll(/\W+/g, "-")}`;
    mkdirSync(home, { recursive: true });
    const path = `${home}/${file ?? `${name.replaceAll(/\W+/g, "-")}.ts`}`;
    writeFileSync(path, code);
    return path;
  });
  writeFileSync(`${folder}/package.json`, '{ "type": "module" }');
  const declarations = ["src/runtime/wasm.d.ts", "src/images/files/decoder.d.ts"];
  const files = [...own, ...declarations.map((file) => `${root}/${file}`)];
  // Examples may share names; a module of its own is what each of them is to its reader.
  const compilerOptions = { moduleDetection: "force" };
  const config = { extends: `${root}/tsconfig.json`, compilerOptions, files, include: [] };
  writeFileSync(`${folder}/tsconfig.json`, JSON.stringify(config));
  const tsc = [`${root}/node_modules/typescript/bin/tsc`, "--project", folder];
  const { stdout, status } = spawnSync(process.execPath, tsc, { encoding: "utf8" });
  expect({ stdout, status }).toEqual({ stdout: "", status: 0 });
});
