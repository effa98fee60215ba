/**
 * Budgets, gzipped, of programs built as an application is: the JavaScript alone, and with the binary that it embeds. The
 * figures of docs/speed.md are the budgets, so that the page says what holds.
 */
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

/** Compares a size with the figure of docs/speed.md for what a program downloads: it is no larger, and hardly smaller. */
function expectDocumented(what: string, size: number): void {
  const rows = readFileSync(`${root}/docs/speed.md`, "utf8").split("\n");
  const row = rows.find((line) => line.startsWith(`| ${what} `));
  const figure = Number(row?.split("|")[2]) * KB;
  expect(size).toBeLessThanOrEqual(figure);
  expect(size).toBeGreaterThan(figure - 2 * KB);
}

const CLASSIFY = `
  import { load, loadModel, tensor } from "im2row/inference";
  export async function classify(file, image) {
    const model = loadModel(file);
    model.compile({ engine: await load() });
    return model.predict(tensor(image, [1, 28, 28, 1]));
  }`;

describe("gzipped, as docs/speed.md says:", () => {
  it("the binary as a file", () => {
    expectDocumented("the binary as a file", gzipped(readFileSync(`${root}/dist/im2row.wasm`)));
  });

  it("the binary of relaxed math takes at most 43 KB", () => {
    expect(gzipped(readFileSync(`${root}/dist/im2row.relaxed.wasm`))).toBeLessThanOrEqual(43 * KB);
  });

  it("the JavaScript that runs a saved model, without the passes and gradients of training", async () => {
    const { size, text } = await bundled(CLASSIFY, ["workerd"]);
    expect(text).toContain("im2row.wasm");
    expect(text).toContain("randomFlip");
    expect(text).not.toMatch(/\.(randomTransform|dropout|gaussianNoise|movingAverage|\w+Backward)\(/);
    expectDocumented("the JavaScript that runs a saved model", size);
  });

  it("a page that runs a saved model, binary and all", async () => {
    const { size, text } = await bundled(CLASSIFY, []);
    expect(text).toContain("AGFzb");
    expectDocumented("a page that runs a saved model, binary and all", size);
    expect(readFileSync(`${root}/README.md`, "utf8")).toContain(`[${Math.ceil(size / KB)} KB](docs/speed.md`);
  });

  it("pages without a bundler", async () => {
    const script = gzipped(readFileSync(`${root}/dist/im2row.global.js`));
    expectDocumented("the classic script `im2row.global.js`, binary and all", script);
    const entry = `${root}/dist/index.js`;
    const { metafile } = await build({
      entryPoints: [entry],
      bundle: true,
      format: "esm",
      metafile: true,
      write: false,
    });
    const sizes = Object.keys(metafile.inputs).map((file) => gzipped(readFileSync(file)));
    const all = sizes.reduce((sum, size) => sum + size, 0);
    expectDocumented("the modules of `im2row` as they are, by an import map", all);
  });

  it("the bare kernels, with their loader, which no other entry has", async () => {
    const { size, text } = await bundled(`export * from "im2row/kernels";`, ["workerd"]);
    expect(text).toMatch(/__setArgumentsLength/);
    expectDocumented("the JavaScript of the bare kernels", size);
    const rest = await bundled(`export * from "im2row"; export * from "im2row/onnx";`, ["workerd"]);
    expect(rest.text).not.toMatch(/__setArgumentsLength/);
  });

  it("a program that does not load the kernels goes without them, in at most 8 KB", async () => {
    const { size, text } = await bundled(`export { Random } from "im2row";`, []);
    expect(text).not.toContain("AGFzb");
    expect(size).toBeLessThanOrEqual(8 * KB);
  });

  it("what ONNX adds to the rest, and nothing to a program that does without it", async () => {
    const rest = await bundled(`export * from "im2row";`, ["workerd"]);
    const all = await bundled(`export * from "im2row"; export * from "im2row/onnx";`, ["workerd"]);
    expect(all.text).toContain("ai.onnx");
    expect(rest.text).not.toMatch(/ai\.onnx|loadOnnx/);
    expect(all.text).toMatch(/BatchNormalization.*MaxUnpool|MaxUnpool.*BatchNormalization/s);
    expectDocumented("`im2row/onnx`, besides", all.size - rest.size);
  });

  it("what images add, decoders and all, and nothing to a program that does without them", async () => {
    const rest = await bundled(`export * from "im2row/inference";`, ["workerd"]);
    const all = await bundled(`export * from "im2row/inference"; export * from "im2row/images";`, [
      "workerd",
    ]);
    expect(all.text).toContain("PNG");
    expect(rest.text).not.toMatch(/PNG|JPEG|fromPixels/);
    expectDocumented("`im2row/images`, besides", all.size - rest.size);
    // The decoders are most of it.
    const { text } = await bundled(`export { normalize, resize } from "im2row/images";`, ["workerd"]);
    expect(text).not.toMatch(/PNG|JPEG|huffman/i);
  });

  it("what storage adds to the rest; its bytes alone bring no training along", async () => {
    const rest = await bundled(`export * from "im2row";`, ["workerd"]);
    const all = await bundled(`export * from "im2row"; export * from "im2row/storage";`, ["workerd"]);
    expect(rest.text).not.toContain("indexeddb://");
    expectDocumented("`im2row/storage`, besides", all.size - rest.size);
    const runs = `export { load, loadModel } from "im2row/inference"; export { openBytes } from "im2row/storage";`;
    const { text } = await bundled(runs, ["workerd"]);
    expect(text).toContain("indexeddb://");
    expect(text).not.toContain("trainOnBatch");
  });

  it("what data sets add to the rest; without folders no decoders", async () => {
    const rest = await bundled(`export * from "im2row"; export * from "im2row/images";`, ["workerd"]);
    const all = await bundled(
      `export * from "im2row"; export * from "im2row/images"; export * from "im2row/data";`,
      ["workerd"],
    );
    expect(rest.text).not.toContain("mixup");
    expectDocumented("`im2row/data`, besides `im2row/images`", all.size - rest.size);
    const { text } = await bundled(`export { fromTensors } from "im2row/data";`, ["workerd"]);
    expect(text).not.toMatch(/PNG|JPEG|huffman/i);
  });

  it("what receipts add to the rest: checks; fit writes them without", async () => {
    const rest = await bundled(`export * from "im2row";`, ["workerd"]);
    const all = await bundled(`export * from "im2row"; export * from "im2row/receipts";`, ["workerd"]);
    expect(rest.text).not.toContain("verifyReceipt");
    expectDocumented("`im2row/receipts`, besides", all.size - rest.size);
  });

  it("what PyTorch's weights add to the rest, and nothing to a program that does without them", async () => {
    const rest = await bundled(`export * from "im2row";`, ["workerd"]);
    const all = await bundled(`export * from "im2row"; export * from "im2row/pytorch";`, ["workerd"]);
    expect(rest.text).not.toContain("num_batches_tracked");
    expectDocumented("`im2row/pytorch`, besides", all.size - rest.size);
  });

  it("what im2row/onnx/core takes with some families of operators, and none of others", async () => {
    const rest = await bundled(`export * from "im2row";`, ["workerd"]);
    const some = await bundled(
      `export * from "im2row"; export { loadOnnx, activations, convolutions, pooling, products } from "im2row/onnx/core";`,
      ["workerd"],
    );
    expect(some.text).toContain("MaxUnpool");
    expect(some.text).not.toMatch(/GatherElements|LogSumExp|Upsample/);
    expectDocumented("`im2row/onnx/core` with four families, besides", some.size - rest.size);
  });

  it("all of the JavaScript", async () => {
    const size = await javascript(`export * from "im2row"; export * as inference from "im2row/inference";`);
    expectDocumented("all of the JavaScript", size);
  });
});
