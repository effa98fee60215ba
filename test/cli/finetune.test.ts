/** `im2row finetune`: a new last layer on nets of ONNX files, for folders of generated pictures. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  layers,
  load,
  loadModel,
  losses,
  model,
  optimizers,
  schedules,
  sequential,
  type Engine,
  type Model,
  type Tensor,
} from "im2row";
import { fromFolder } from "im2row/data";
import { decodeImage, preprocess } from "im2row/images";
import { loadOnnx } from "im2row/onnx";
import { node, onnxFile, valueInfo } from "../support/onnxFile.ts";
import { DATA, skipped } from "../support/data.ts";
import { weightBits } from "../support/model.ts";
import { runOnnx } from "../support/onnxruntime.ts";
import { im2row, refused } from "./support/onnxFiles.ts";
import { writeColours } from "./support/pictureFolders.ts";

const MNIST = join(DATA, "conformance/models/cnn_mnist_pytorch/model.onnx");
const PREPROCESSING = { mean: [0.4, 0.3, 0.2], std: [0.5, 0.25, 0.125] };

let root: string;
let photos: string;
let backbone: string;
let engine: Engine;
beforeAll(async () => {
  engine = await load();
  root = mkdtempSync(join(tmpdir(), "im2row-finetune-"));
  photos = join(root, "photos");
  writeColours(photos, 14);
  backbone = join(root, "backbone.onnx");
  const net = sequential({
    inputShape: [12, 16, 3],
    layers: [
      layers.conv2d({ filters: 8, kernelSize: 3, strides: 2, padding: "same", name: "stem" }),
      layers.batchNormalization({ name: "norm" }),
      layers.activation({ activation: "relu" }),
      layers.conv2d({ filters: 12, kernelSize: 3, activation: "relu", name: "body" }),
      layers.globalAveragePooling2d({ name: "features" }),
      layers.dense({ units: 5, activation: "softmax", name: "old" }),
    ],
    seed: 3,
  });
  net.metadata = { classNames: ["a", "b", "c", "d", "e"], preprocessing: PREPROCESSING };
  writeFileSync(backbone, net.toOnnx());
});
afterAll(() => {
  engine.dispose();
  rmSync(root, { recursive: true, force: true });
});

const finetune = (...args: string[]) => im2row("finetune", backbone, photos, ...args);
const saved = (out: string): Model => loadModel(readFileSync(`${out}.safetensors`));

/** The bits of the weights of one layer, whose name may be followed by that of the file's node. */
function bitsOf(net: Model, layer: string): unknown {
  const own = Object.entries(weightBits(net)).filter(([name]) => name.split(/[_.]/)[0] === layer);
  expect(own.length).toBeGreaterThan(0);
  return own.map(([, bits]) => bits);
}

/** A picture as the backbone takes it. */
const imageOf = (file: string): Tensor =>
  preprocess(engine, decodeImage(readFileSync(file)), { ...PREPROCESSING, size: [12, 16], layout: "NCHW" });

describe("im2row finetune", () => {
  it("trains a new last layer on features, and leaves all others as they were", async () => {
    const out = join(root, "colours");
    const { code, stdout, stderr } = await finetune("--epochs", "60", "--out", out);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toContain(`\nbackbone  ${backbone}: 12 features of features\n`);
    expect(stdout).toMatch(/\nfeatures {2}42 of 42 pictures {2}[\d,.]+ images\/s\n/);
    expect(stdout).toContain("\nreloaded  all 9 predictions are the same, bit for bit\n");
    expect(stdout).toMatch(/\ntest accuracy 100\.00 % \(9 of 9\)\n$/);

    const net = saved(out);
    expect(net.metadata).toEqual({
      classNames: ["blue", "green", "red"],
      preprocessing: { ...PREPROCESSING, size: [12, 16] },
    });
    const before = (await loadOnnx(readFileSync(backbone), { engine })).model;
    for (const layer of ["stem", "norm", "body"]) expect(bitsOf(net, layer)).toEqual(bitsOf(before, layer));

    net.compile({ engine });
    const image = imageOf(join(photos, "green", "004.png"));
    const scores = net.predict(image).data;
    expect(scores.indexOf(Math.max(...scores))).toBe(1);
    const { classes } = await runOnnx(readFileSync(`${out}.onnx`), { input: image });
    const most = Math.max(...scores.map(Math.abs));
    classes!.data.forEach((value, i) => expect(Math.abs(value - scores[i]!)).toBeLessThan(1e-5 * most));

    const run = await im2row("run", `${out}.onnx`, join(photos, "green", "004.png"));
    expect(run.stdout).toMatch(/─\n +1 +\S+ +green\n/);
  });

  it("trains the layer as the public API does", async () => {
    const out = join(root, "same");
    await finetune("--out", out, "--epochs", "3", "--seed", "4", "--optimizer", "sgd");
    const net = await loadOnnx(readFileSync(backbone), { engine });
    const features = model({ inputs: net.value("input"), outputs: net.value("features") });
    features.compile({ engine });
    const [train] = (await fromFolder(photos))
      .map((sample) => {
        const how = { ...PREPROCESSING, size: [12, 16], layout: "NCHW" } as const;
        const { data } = preprocess(engine, sample.image as Tensor<Uint8Array>, how);
        return { ...sample, image: { shape: [3, 12, 16], data } };
      })
      .split(0.8, 4);
    const rows: number[] = [];
    const labels: number[] = [];
    for await (const { images, labels: more } of train.batch(5)()) {
      rows.push(...features.predict(images as Tensor).data);
      labels.push(...(more as number[]));
    }
    // On features of mean 0 and variance 1, by float64; the layer's weights are then scaled for the net's own.
    const columns = Array.from({ length: 12 }, (_, k) => rows.filter((__, i) => i % 12 === k));
    const means = columns.map((column) => column.reduce((sum, value) => sum + value, 0) / 33);
    const deviations = columns.map((column, k) =>
      Math.sqrt(column.reduce((sum, value) => sum + (value - means[k]!) ** 2, 0) / 33),
    );
    const standard = Float32Array.from(rows, (value, i) => (value - means[i % 12]!) / deviations[i % 12]!);
    const head = sequential({ inputShape: [12], layers: [layers.dense({ units: 3 })], seed: 4 });
    const learningRate = schedules.polynomialDecay({ learningRate: 0.03, decaySteps: 6, endLearningRate: 0 });
    const optimizer = optimizers.sgd({ learningRate, momentum: 0.9 });
    head.compile({ engine, optimizer, loss: losses.softmaxCrossEntropy() });
    await head.fit({ shape: [33, 12], data: standard }, labels, { epochs: 3 });
    const [kernel, bias] = [head.weights.get("dense.kernel")!.data, head.weights.get("dense.bias")!.data];
    const own = saved(out).weights;
    const near = (a: number, b: number): void =>
      expect(Math.abs(a - b)).toBeLessThan(1e-5 * (1 + Math.abs(b)));
    own
      .get("classes.kernel")!
      .data.forEach((value, i) => near(value, kernel[i]! / deviations[Math.floor(i / 3)]!));
    own.get("classes.bias")!.data.forEach((value, unit) => {
      const shift = means.reduce((sum, mean, k) => sum + (mean * kernel[3 * k + unit]!) / deviations[k]!, 0);
      near(value, bias[unit]! - shift);
    });
  });

  it("trains all but batch normalizations with --unfreeze, in images that are augmented or not", async () => {
    const args = ["--epochs", "4", "--unfreeze", "--unfreeze-epochs", "2", "--report", join(root, "r.html")];
    const outs = [[], ["--no-augment"]].map(async (more, i) => {
      const out = join(root, `unfrozen-${i}`);
      const { code, stdout, stderr } = await finetune("--out", out, ...args, ...more);
      expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
      expect(stdout).toMatch(
        /\nunfrozen {2}1,139 weights, learning rate 0\.0001 falling to 0, augmentation: /,
      );
      expect(stdout).toContain("\nreloaded  all 9 predictions are the same, bit for bit\n");
      return saved(out);
    });
    const [changed, plain] = await Promise.all(outs);
    const before = (await loadOnnx(readFileSync(backbone), { engine })).model;
    for (const net of [changed!, plain!]) {
      expect(bitsOf(net, "norm")).toEqual(bitsOf(before, "norm"));
      for (const layer of ["stem", "body"]) expect(bitsOf(net, layer)).not.toEqual(bitsOf(before, layer));
      expect(net.layers.every(({ trainable }) => trainable)).toBe(true);
    }
    expect(bitsOf(changed!, "stem")).not.toEqual(bitsOf(plain!, "stem"));
    expect(readFileSync(join(root, "r.html"), "utf8")).toContain("--unfreeze-epochs 2");
  });

  it("takes features by name, of images their channels' means, and sizes that a file leaves open", async () => {
    const open = join(root, "open.onnx");
    const nodes = [node("Relu", ["x"], "bright"), node("GlobalAveragePool", ["bright"], "y")];
    writeFileSync(open, onnxFile({ nodes, inputs: [valueInfo("x", ["n", 3, "h", "w"])], outputs: ["y"] }));
    const out = join(root, "opened");
    const args = ["finetune", open, photos, "--features", "bright", "--out", out];
    const { code, stdout } = await im2row(...args, "--size", "10", "--mean", "0.5");
    expect(code).toBe(0);
    expect(stdout).toContain("3 features of bright\n");
    expect(saved(out).metadata.preprocessing).toEqual({ size: [10, 10], mean: [0.5] });
    await refused(args, /--size: expected one, as .*open\.onnx leaves the size of images open; got none/);
  });

  it.skipIf(!existsSync(MNIST))(
    `learns from grey features of a net of PyTorch's${existsSync(MNIST) ? "" : skipped("conformance models")}`,
    async () => {
      const out = join(root, "grey");
      const { code, stdout } = await im2row("finetune", MNIST, photos, "--epochs", "60", "--out", out);
      expect(code).toBe(0);
      expect(stdout).toContain(": 50 features of 18\n");
      const { metadata } = saved(out);
      expect(metadata.preprocessing).toEqual({ size: [28, 28] });
      const how = { ...metadata.preprocessing, layout: "NCHW" } as const;
      const grey = decodeImage(readFileSync(join(photos, "red", "001.png")), { channels: 1 });
      const image = preprocess(engine, grey, how);
      const net = saved(out);
      net.compile({ engine });
      const scores = net.predict(image).data;
      const { classes } = await runOnnx(readFileSync(`${out}.onnx`), { "0": image });
      const most = Math.max(...scores.map(Math.abs));
      classes!.data.forEach((value, i) => expect(Math.abs(value - scores[i]!)).toBeLessThan(1e-5 * most));
    },
  );

  it.each<[string, () => string[], string | RegExp]>([
    [
      "another size",
      () => [backbone, photos, "--size", "12"],
      /--size: expected 12x16, which .* declares, got 12x12/,
    ],
    [
      "no value",
      () => [backbone, photos, "--features", "featured"],
      /value: expected the name of a value .*"featured"/,
    ],
    ["no net", () => [join(photos, "red", "001.png"), photos], /001\.png: loadOnnx: /],
    ["no folder", () => [backbone, "nowhere"], "nowhere: expected a folder of pictures, got none"],
    [
      "means of two channels",
      () => [backbone, photos, "--mean", "1,2"],
      "--mean: expected 1 or 3 numbers, got 2",
    ],
  ])("refuses %s", async (_, args, message) => {
    await refused(["finetune", ...args()], message);
  });
});
