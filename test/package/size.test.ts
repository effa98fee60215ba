/** Budgets, gzipped, of programs built as an application is: the JavaScript alone, and with the binary that it embeds. */
import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { build, type Plugin } from "esbuild";
import { describe, expect, it } from "vitest";
import { root } from "../support/tarball.ts";

const KB = 1000;
const gzipped = (bytes: Uint8Array): number => gzipSync(bytes, { level: 9 }).length;

/** Leaves out what a program loads when it is asked for: chunks of their own where the bundler splits. */
const split: Plugin = {
  name: "split",
  setup({ onResolve }) {
    onResolve({ filter: /.*/ }, ({ path, kind }) =>
      kind === "dynamic-import" ? { path, external: true } : undefined,
    );
  },
};

/** A program, minified; under the condition `workerd` without the binary, which it imports. */
async function bundled(program: string, conditions: string[]): Promise<{ size: number; text: string }> {
  const { outputFiles } = await build({
    stdin: { contents: program, resolveDir: root },
    // The package by its own export map, not by the paths of this project's TypeScript.
    tsconfigRaw: {},
    conditions,
    external: ["*.wasm"],
    plugins: [split],
    bundle: true,
    minify: true,
    format: "esm",
    platform: "neutral",
    write: false,
  });
  const [{ contents, text }] = outputFiles as [(typeof outputFiles)[0]];
  return { size: gzipped(contents), text };
}

async function javascript(program: string): Promise<number> {
  const { size, text } = await bundled(program, ["workerd"]);
  expect(text).toContain("im2row.wasm");
  return size;
}

const CLASSIFY = `
  import { load, loadModel, tensor } from "im2row/inference";
  export async function classify(file, image) {
    const model = loadModel(file);
    model.compile({ engine: await load() });
    return model.predict(tensor(image, [1, 28, 28, 1]));
  }`;

describe("gzipped", () => {
  it.each(["im2row.wasm", "im2row.threads.wasm", "im2row.relaxed.wasm"])("%s takes at most 40 KB", (file) => {
    expect(gzipped(readFileSync(`${root}/dist/${file}`))).toBeLessThanOrEqual(40 * KB);
  });

  it("the JavaScript that runs a saved model takes at most 30.5 KB", async () => {
    const size = await javascript(CLASSIFY);
    expect(size).toBeLessThanOrEqual(30.5 * KB);
    // A program that lost the package would be smaller still.
    expect(size).toBeGreaterThan(6 * KB);
  });

  it("a page that runs a saved model takes at most 87 KB, binary and all", async () => {
    const { size, text } = await bundled(CLASSIFY, []);
    expect(text).toContain("AGFzb");
    expect(size).toBeLessThanOrEqual(87 * KB);
  });

  it("the bare kernels take at most 9 KB of JavaScript, their loader included, which no other entry has", async () => {
    const { size, text } = await bundled(`export * from "im2row/kernels";`, ["workerd"]);
    expect(text).toMatch(/__setArgumentsLength/);
    expect(size).toBeLessThanOrEqual(9 * KB);
    const rest = await bundled(`export * from "im2row"; export * from "im2row/onnx";`, ["workerd"]);
    expect(rest.text).not.toMatch(/__setArgumentsLength/);
  });

  it("a program that does not load the kernels goes without them", async () => {
    const { size, text } = await bundled(`export { Random } from "im2row";`, []);
    expect(text).not.toContain("AGFzb");
    expect(size).toBeLessThanOrEqual(8 * KB);
  });

  it("ONNX adds at most 29 KB to the rest, and nothing to a program that does without it", async () => {
    const rest = await bundled(`export * from "im2row";`, ["workerd"]);
    const all = await bundled(`export * from "im2row"; export * from "im2row/onnx";`, ["workerd"]);
    expect(all.text).toContain("ai.onnx");
    expect(rest.text).not.toMatch(/ai\.onnx|loadOnnx/);
    // Operators that few files need come when they are needed.
    expect(all.text).toContain("BatchNormalization");
    expect(all.text).not.toContain("MaxUnpool");
    expect(all.size - rest.size).toBeLessThanOrEqual(29 * KB);
    expect(all.size - rest.size).toBeGreaterThan(8 * KB);
  });

  it("all of the JavaScript but ONNX takes at most 56 KB", async () => {
    const size = await javascript(`export * from "im2row"; export * as inference from "im2row/inference";`);
    expect(size).toBeLessThanOrEqual(56 * KB);
    expect(size).toBeGreaterThan(15 * KB);
  });
});
