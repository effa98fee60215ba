/**
 * A start loads few files, of which each costs a millisecond in Node and a request in a page, and none before it is
 * needed.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { runInNewContext } from "node:vm";
import { build, type Plugin } from "esbuild";
import { describe, expect, it } from "vitest";
import { root } from "../support/tarball.ts";

const dist = join(root, "dist");
const read = (file: string): string => readFileSync(join(dist, file), "utf8");

/** Follows each import that a host follows at once: all but the dynamic ones and those of binaries. */
const atOnce: Plugin = {
  name: "at once",
  setup({ onResolve }) {
    onResolve({ filter: /.*/ }, ({ path, kind }) =>
      kind === "dynamic-import" || /\.wasm\b/.test(path)
        ? { path, external: true }
        : { path: join(dist, path), sideEffects: true },
    );
  },
};

/** The names in `dist/` of the files that an entry loads at once, its own first. */
async function filesOf(entry: string): Promise<string[]> {
  const { metafile } = await build({
    entryPoints: [`./${entry}.js`],
    plugins: [atOnce],
    absWorkingDir: dist,
    bundle: true,
    format: "esm",
    metafile: true,
    write: false,
  });
  const files = Object.keys(metafile.inputs);
  expect(files).toContain(`${entry}.js`);
  return files;
}

describe("a start", () => {
  it.each([
    ["inference", 3],
    ["inference.workerd", 2],
    ["inference.edge-light", 2],
    ["index", 4],
    ["index.workerd", 3],
    ["index.edge-light", 3],
    ["onnx", 4],
    ["onnxCore", 4],
    ["images", 2],
    ["storage", 3],
    ["data", 4],
    ["receipts", 3],
    ["pytorch", 3],
    ["relaxed", 2],
    ["relaxed.workerd", 1],
    ["kernels", 5],
    ["kernels.workerd", 4],
    ["kernels.edge-light", 4],
  ])("with %s loads at most %i files", async (entry, most) => {
    const files = await filesOf(entry);
    expect(files.length, files.join()).toBeLessThanOrEqual(most);
  });

  it.each([["the binary of relaxed math", "wasm.relaxed.js"]])("goes without %s", async (_, text) => {
    const scripts = readdirSync(dist).filter((file) => file.endsWith(".js") && !/^(cli|im2row)\./.test(file));
    expect(scripts.filter((file) => read(file).includes(text))).not.toEqual([]);
    for (const entry of ["inference", "index", "index.workerd", "onnx"]) {
      const files = await filesOf(entry);
      expect(files.filter((file) => read(file).includes(text))).toEqual([]);
    }
  });

  it("needs no import() in any file, which some bundlers refuse in workers", () => {
    const scripts = readdirSync(dist).filter((file) => file.endsWith(".js") && file !== "cli.js");
    expect(scripts.length).toBeGreaterThan(15);
    expect(scripts.filter((file) => /\bimport\s*\(/.test(read(file)))).toEqual([]);
  });

  it("with several entries has one copy of each module, so that their classes are the same", () => {
    const maps = readdirSync(dist).filter((file) => file.endsWith(".js.map"));
    const sources = maps.flatMap((file) => (JSON.parse(read(file)) as { sources: string[] }).sources);
    const copies = sources.filter((source, i) => sources.indexOf(source) !== i);
    expect(sources.length).toBeGreaterThan(100);
    // Each host has entries of its own.
    expect([...new Set(copies)].sort()).toEqual([
      "../src/index.ts",
      "../src/inference.ts",
      "../src/kernels.ts",
      "../src/relaxed.ts",
    ]);
  });
});

describe("the embedded binary", () => {
  const code = `delete Uint8Array.fromBase64; ${read("wasm.js").replace("export default ", "")}`;
  const decoded = new Uint8Array(readFileSync(join(dist, "im2row.wasm")));
  const fromBase64 = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, "base64"));

  it.each([
    ["Uint8Array.fromBase64", "Uint8Array.fromBase64 = fromBase64; exact()", { fromBase64 }],
    ["Node's Buffer", "exact()", { Buffer }],
    ["atob", "exact()", { atob }],
  ])("is the same by %s", (_, call, globals) => {
    const bytes = runInNewContext(`${code}; ${call}`, globals) as Uint8Array;
    expect(Buffer.compare(bytes, decoded)).toBe(0);
    expect(Buffer.isBuffer(bytes)).toBe(false);
  });
});
