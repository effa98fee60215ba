/** The tarball as its users meet it: its files, its types, an install into an empty folder. */
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { publint } from "publint";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { node, onnxFile, valueInfo } from "../support/onnxFile.ts";
import { installedProject, pack, root } from "../support/tarball.ts";

const manifest = JSON.parse(readFileSync(`${root}/package.json`, "utf8"));
const place = mkdtempSync(join(tmpdir(), "im2row-pack-"));
let tarball: string;
let files: string[];
let project: ReturnType<typeof installedProject>;
beforeAll(() => {
  ({ tarball, files } = pack(place));
  project = installedProject(tarball);
});
afterAll(() => {
  project.remove();
  rmSync(place, { recursive: true, force: true });
});

/** Runs a command in the project; stdout and stderr together. */
function run(
  command: string,
  args: readonly string[],
  input = "",
): { output: string; status: number | null } {
  const { stdout, stderr, status } = spawnSync(command, args, {
    cwd: project.folder,
    input,
    encoding: "utf8",
  });
  return { output: stdout + stderr, status };
}

describe("the tarball", () => {
  it("holds what it exports, and nothing of the tests or sources", () => {
    const targets = Object.values<string | Record<string, string>>(manifest.exports).flatMap((target) =>
      typeof target === "string" ? [target] : Object.values(target),
    );
    for (const target of targets) expect(files).toContain(target.slice(2));
    expect(files.filter((file) => !/^(dist|docs)\//.test(file)).sort()).toEqual([
      "CHANGELOG.md",
      "LICENSE",
      "NOTICE",
      "README.md",
      "SECURITY.md",
      "package.json",
    ]);
  });

  it("asks for nothing at run time", () => {
    for (const field of ["dependencies", "peerDependencies", "optionalDependencies", "bundleDependencies"]) {
      expect(manifest[field]).toBeUndefined();
    }
    expect(manifest.sideEffects).toBe(false);
    expect(existsSync(join(project.folder, "node_modules/im2row/dist/index.js"))).toBe(true);
  });

  it("makes no code from text, which content security policies forbid", () => {
    const scripts = files.filter((file) => file.endsWith(".js") && file !== "dist/cli.js");
    expect(scripts.length).toBeGreaterThan(8);
    for (const file of scripts) {
      expect(readFileSync(`${root}/${file}`, "utf8")).not.toMatch(/\beval\s*\(|\bFunction\s*\(/);
    }
  });

  it("is sound to publint", async () => {
    const pkgDir = join(project.folder, "node_modules/im2row");
    const { messages } = await publint({ pkgDir, strict: true, pack: false });
    expect(messages).toEqual([]);
  });

  it("has the right types, to are-the-types-wrong", () => {
    const attw = `${root}/test/node_modules/.bin/attw`;
    const { output, status } = run(attw, [tarball, "--profile", "esm-only", "--format", "table-flipped"]);
    expect({ output: status === 0 ? "" : output, status }).toEqual({ output: "", status: 0 });
  });
});

describe("an install into an empty folder", () => {
  it("runs the example of the README as it stands there", () => {
    const [, example, printed] = readFileSync(`${root}/README.md`, "utf8").match(
      /^```ts\n(.*?)^```$.*?^```text\n(.*?)^```$/ms,
    )!;
    writeFileSync(join(project.folder, "example.ts"), example!);
    // Only the types have to go.
    const esbuild = `${root}/node_modules/.bin/esbuild`;
    execFileSync(esbuild, ["example.ts", "--outfile=example.js", "--log-level=error"], {
      cwd: project.folder,
    });
    expect(run(process.execPath, ["example.js"])).toEqual({ output: printed, status: 0 });
  });

  it("gives im2row/inference, the script and the binary, which works as a module", () => {
    const code = `
      import { readFile } from "node:fs/promises";
      import { fileURLToPath } from "node:url";
      import { sequential, layers } from "im2row";
      import { load, loadModel, tensor } from "im2row/inference";
      import "im2row/im2row.global.js";
      const at = (name) => readFile(fileURLToPath(import.meta.resolve(name)));
      const saved = sequential({ inputShape: [4], layers: [layers.dense({ units: 2 })], seed: 3 }).toSafetensors();
      const results = [];
      for (const module of [undefined, await at("im2row/wasm"), await at("im2row/im2row.wasm")]) {
        const engine = await load(module ? { module: new WebAssembly.Module(module) } : {});
        const model = loadModel(saved);
        model.compile({ engine });
        results.push(String(model.predict(tensor([1, 2, 3, 4], [1, 4])).data));
      }
      console.log(new Set(results).size, typeof globalThis.im2row.load);`;
    expect(run(process.execPath, ["--input-type=module"], code)).toEqual({
      output: "1 function\n",
      status: 0,
    });
  });

  it("gives im2row/onnx, which takes the engine of im2row", () => {
    const nodes = [node("Relu", ["x"], "y")];
    const file = onnxFile({ nodes, inputs: [valueInfo("x", ["n", 2])], outputs: ["y"] });
    const code = `
      import { load, tensor } from "im2row";
      import { loadOnnx } from "im2row/onnx";
      const net = await loadOnnx(Uint8Array.of(${file.join()}), { engine: await load() });
      console.log(String(net.predict({ x: tensor([1, -2], [1, 2]) }).y.data));`;
    expect(run(process.execPath, ["--input-type=module"], code)).toEqual({ output: "1,0\n", status: 0 });
  });

  it("gives im2row/images, which takes the engine of im2row/inference", () => {
    const code = `
      import { load } from "im2row/inference";
      import { fromPixels, normalize, resize } from "im2row/images";
      const image = fromPixels({ width: 1, height: 1, data: Uint8Array.of(255, 51, 0, 255) });
      const engine = await load();
      console.log(String(normalize(engine, resize(engine, image, { size: [1, 2] })).data.map((x) => 10 * x)));`;
    expect(run(process.execPath, ["--input-type=module"], code)).toEqual({
      output: "10,2,0,10,2,0\n",
      status: 0,
    });
  });

  it("gives im2row/kernels, the bare binary with its table", () => {
    const code = `
      import { ACTIVATION, loadKernels } from "im2row/kernels";
      const bare = await loadKernels();
      const x = bare.put(Float32Array.of(-1, 2));
      bare.kernels.activationForward(ACTIVATION.relu, 0, x, x, 2);
      console.log(String(bare.floats(x, 2)));`;
    expect(run(process.execPath, ["--input-type=module"], code)).toEqual({ output: "0,2\n", status: 0 });
  });

  it("has a command", () => {
    const { output, status } = run(join(project.folder, "node_modules/.bin/im2row"), ["--help"]);
    expect(status).toBe(0);
    expect(output).toMatch(/^Usage: im2row/);
  });

  const PROGRAM = `
    import { input, layers, load, metrics, model as functional, sequential, tensor } from "im2row";
    import type { ConvAlgorithm, Engine, Metric, Model, OwnTensor } from "im2row";
    import { loadModel, type InferenceModel } from "im2row/inference";
    import { loadOnnx, type OnnxModel, type OnnxTensor } from "im2row/onnx";
    import { loadKernels, slidingWindow, type Kernels, type KernelInstance } from "im2row/kernels";
    import { fromFolder, fromTensors, mixup, type Batches, type Samples } from "im2row/data";
    import { decodeImage, normalize, resize } from "im2row/images";
    import { loadStateDict, type LoadedTensor } from "im2row/pytorch";
    import { receiptOf, verifyReceipt, type InferenceReceipt, type TrainingReceipt, type Verification } from "im2row/receipts";
    import { listModels, openBytes, openModel, saveBytes, saveModel, type Place } from "im2row/storage";
    import wasm from "im2row/wasm";
    export type { ClipOptions, Interpolation, Margin, OutputPadding } from "im2row";
    export type { GraphInput, LayerTime, Named } from "im2row/inference";
    export const engine: Engine = await load({ module: wasm });
    const model: Model = sequential({ inputShape: [7, 7, 3], layers: [layers.flatten()] });
    model.compile({ engine });
    export const loaded = (bytes: Uint8Array): LoadedTensor[] => loadStateDict(model, bytes, { layout: "NCHW" });
    const images = tensor(new Float32Array(147), [1, 7, 7, 3]);
    // What a Blob and a Response take.
    export const y: Float32Array<ArrayBuffer> = model.predict(images).data;
    export const files: Uint8Array<ArrayBuffer>[] = [model.toSafetensors(), model.toOnnx()];
    export const copies: (Float32Array<ArrayBuffer> | undefined)[] = [
      engine.im2row(images, { kernelSize: 3 }).data,
      model.weights.get("dense.kernel")?.data,
    ];
    void model.fit(images, [0], { signal: undefined, earlyStopping: undefined, validationData: undefined });
    void load({ threads: undefined, math: undefined, limits: { bytes: undefined } });
    const samples: Samples = fromTensors(images, [0]);
    const batches: Batches = samples.map(mixup({ seed: 1 })).shuffle(9, 1).batch(3).prefetch(2);
    void model.fit(batches, { epochs: 2, onBatchEnd: ({ batches }) => batches satisfies undefined });
    export const folder: Promise<readonly string[]> = fromFolder("photos", { channels: 1 }).then(({ classes }) => classes);
    export const streamed: Promise<OwnTensor> = model.predictAsync(batches);
    // @ts-expect-error: what is asynchronous is not at hand
    void model.evaluate(batches);
    layers.conv2d({ filters: 1, kernelSize: 3, strides: undefined, activation: undefined, name: undefined });
    export const receipt: Promise<TrainingReceipt | undefined> = model
      .fit(images, [0], { receipt: { every: 2 } })
      .then((history) => history.receipt);
    export const verified = async (own: TrainingReceipt): Promise<number | string> => {
      const result: Verification = await verifyReceipt(own, { engine, images, labels: [0], checkpoint: undefined });
      return result.ok ? result.step : result.reason;
    };
    export const output: Promise<InferenceReceipt> = receiptOf(model, images, model.predict(images));
    const value = input({ shape: [4], name: undefined });
    const named = functional({ inputs: value, outputs: { score: layers.dense({ units: 2 }).apply(value) } });
    const { score } = named.predict({ input: images });
    export const scores: OwnTensor = score;
    // @ts-expect-error: no such output
    void named.predict({ input: images }).box;
    const longest: Metric<string, "longest"> = { name: "longest", start: () => ({ add() {}, result: () => "" }) };
    const { longest: word, loss, topK5 } = model.compile({ engine, metrics: [longest, metrics.topK()] }).evaluate(images, [0]);
    export const found: [string, number, number | undefined] = [word, loss, topK5];
    export const again: InferenceModel = loadModel(model.toSafetensors());
    const net: OnnxModel = await loadOnnx(new Uint8Array(), { engine });
    export const outputs: Record<string, OnnxTensor> = net.predict({ x: tensor([1], [1, 1]) });
    const place: Place = { href: "https://example.com/model" };
    const picture = decodeImage(new Uint8Array(), { channels: undefined });
    void resize(engine, picture, { size: 4, fit: undefined, fillValue: undefined });
    void normalize(engine, picture, { mean: undefined, layout: undefined });
    void saveModel(model, "indexeddb://mine", { signal: undefined });
    void saveBytes(net.toOnnx(), place);
    export const opened: Promise<Model> = openModel(place, { integrity: undefined, onProgress: ({ loaded }) => loaded });
    export const bytes: Promise<Uint8Array<ArrayBuffer>> = openBytes("model");
    export const saved: Date | undefined = (await listModels())[0]?.saved;
    // @ts-expect-error: what runs saved models writes none
    void saveModel(again, place);
    model.compile({ engine, algorithm: "im2row" satisfies ConvAlgorithm });
    layers.conv2d({ filters: 1, kernelSize: 3, algorithm: "winograd" });
    void loadOnnx(new Uint8Array(), { engine, algorithm: "im2row" });
    const bare: KernelInstance = await loadKernels({ module: wasm });
    const table: Kernels = bare.kernels;
    table.col2im(bare.window(slidingWindow([7, 7, 3], { kernelSize: 3 })), 1, bare.put(y), bare.mark());
    // @ts-expect-error: a forgotten argument
    table.addForward(1, 2, 3);
    // @ts-expect-error: no such algorithm
    layers.conv2d({ filters: 1, kernelSize: 3, algorithm: "col2im" });
    // @ts-expect-error: no such layer
    layers.conv3d({});
    // @ts-expect-error: an address is no module
    void load({ module: "im2row.wasm" });
  `;

  /** This project's own, and the oldest that knows whose buffer a typed array is of. */
  const COMPILERS = {
    typescript: `${root}/node_modules/typescript/bin/tsc`,
    "an older typescript": `${root}/test/node_modules/typescript57/bin/tsc`,
  };

  it.each([
    ["node16", ["es2022"], "typescript"],
    ["nodenext", ["es2022"], "typescript"],
    ["nodenext", ["es2022", "dom"], "typescript"],
    ["bundler", ["es2022"], "typescript"],
    ["bundler", ["esnext", "webworker"], "typescript"],
    ["nodenext", ["es2022"], "an older typescript"],
    ["bundler", ["es2022", "dom"], "an older typescript"],
  ] as const)(
    "type-checks with resolution %s, the libraries %j and %s",
    (moduleResolution, lib, compiler) => {
      const module = moduleResolution === "bundler" ? "esnext" : moduleResolution;
      // Neither Node's types, nor a blind eye for the package's own.
      const types: string[] = [];
      const compilerOptions = {
        module,
        moduleResolution,
        lib,
        types,
        target: "es2022",
        strict: true,
        exactOptionalPropertyTypes: true,
        noEmit: true,
      };
      writeFileSync(
        join(project.folder, "tsconfig.json"),
        JSON.stringify({ compilerOptions, files: ["program.ts"] }),
      );
      writeFileSync(join(project.folder, "program.ts"), PROGRAM);
      expect(run(process.execPath, [COMPILERS[compiler]])).toEqual({ output: "", status: 0 });
    },
  );
});
